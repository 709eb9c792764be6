package config

import (
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/starttls"
)

func (k *checker) targets() {
	for _, name := range sortedNames(k.Targets) {
		t := k.Targets[name]
		path := "targets." + name
		if !targetName.MatchString(name) {
			k.wrong(path, "%q is not a name for a target; write it in at most 63 letters, digits, dots, hyphens and underscores", name)
		}
		if !k.used[name] {
			k.warn(path, "nothing is sent to this target; name it in a listener or a route, or leave it out")
		}
		if len(t.Addresses) == 0 {
			k.wrong(path+".addresses", "the target has no address; give one, like [\"127.0.0.1:8080\"]")
		}
		for i, address := range t.Addresses {
			at := fmt.Sprintf("%s.addresses[%d]", path, i)
			if k.address(at, address, toReach) && slices.Contains(t.Addresses[:i], address) {
				k.wrong(at, "%q is in the list twice; leave one out", address)
			}
		}
		k.oneOf(path+".balance", t.Balance, RoundRobin, LeastConnections)
		k.oneOf(path+".proxy-protocol", t.ProxyProtocol, "v1", "v2", "v2-tls")
		if t.StartTLS != "" {
			k.oneOf(path+".starttls", t.StartTLS, starttls.Protocols()...)
			if slices.Contains([]string{"ftp", "mysql", "rdp"}, t.StartTLS) { // files go beside; what is said before TLS is needed in it
				k.wrong(path+".starttls", "%s cannot be spoken through a proxy that speaks TLS for the client; let the client speak TLS itself, or use another protocol", t.StartTLS)
			}
			if t.TLS == nil {
				k.wrong(path+".starttls", "the target is not to speak TLS; add tls: {} to the target, or leave starttls out")
			}
		}
		if t.TLS != nil {
			k.clientTLS(path+".tls", &t, t.TLS)
		}
		if t.Health != nil {
			k.health(path+".health", t.Health)
		}
		k.upTo(path+".connect-timeout", t.ConnectTimeout, 10*time.Minute)
	}
}

// upTo reports a time that is longer than makes sense.
func (k *checker) upTo(path string, d Duration, most time.Duration) {
	if time.Duration(d) > most {
		k.wrong(path, "%s is longer than makes sense; give at most %s", textOf(reflect.ValueOf(d)), textOf(reflect.ValueOf(Duration(most))))
	}
}

func (k *checker) health(path string, h *Health) {
	interval, timeout := h.Interval.Or(time.Duration(defaultInterval)), h.Timeout.Or(2*time.Second)
	switch {
	case interval < 100*time.Millisecond:
		k.wrong(path+".interval", "checks every %v would be a flood; give at least 100ms", interval)
	case timeout > interval && h.Timeout == 0:
		k.wrong(path+".interval", "checks begin every %v, and each may take %v; give a shorter timeout too", interval, timeout)
	case timeout > interval:
		k.wrong(path+".timeout", "one check may take %v, and the next begins after %v; give a timeout that is not longer than interval", timeout, interval)
	}
	if h.HTTP != "" && (!strings.HasPrefix(h.HTTP, "/") || strings.ContainsAny(h.HTTP, " \r\n\t")) {
		k.wrong(path+".http", "%q is not a path; write it like /healthz", h.HTTP)
	}
	k.within(path+".fall", h.Fall, 100)
	k.within(path+".rise", h.Rise, 100)
}

func (k *checker) limits() {
	l := k.Limits
	k.within("limits.connections", l.Connections, 10_000_000)
	k.within("limits.per-address", l.PerAddress, 10_000_000)
	k.within("limits.handshakes", l.Handshakes, 100_000)
	if l.PerAddress > 0 && l.PerAddress > max(l.Connections, 0) && l.Connections > 0 {
		k.wrong("limits.per-address", "one address may have %d connections, and all together %d; give a smaller number", l.PerAddress, l.Connections)
	}
	k.upTo("limits.handshake-timeout", l.HandshakeTimeout, 10*time.Minute)
	switch {
	case l.BodyRate > 1<<20:
		k.wrong("limits.body-rate", "many people's lines bring less than %d bytes a second; give at most 1MiB", l.BodyRate)
	case l.BodyRate > 0 && !slices.ContainsFunc(k.Listeners, func(l Listener) bool { return l.Mode == ModeHTTP }):
		k.wrong("limits.body-rate", "requests have bodies in HTTP mode, and no listener is in that; set its mode to http, or leave body-rate out")
	}
	if l.Memory != 0 && l.Memory < 32<<20 {
		k.wrong("limits.memory", "no proxy works in so little memory; give at least 32MiB")
	}
}

// stores are the schemes of sessions.store.
var stores = []string{"redis", "rediss", "memcached", "nats", "tls"}

func (k *checker) sessions() {
	s := k.Sessions
	k.upTo("sessions.timeout", s.Timeout, 100*time.Millisecond) // what package fleet takes: a handshake waits for it
	k.upTo("sessions.rotation", s.Rotation, 24*time.Hour)
	if s.Rotation != 0 && time.Duration(s.Rotation) < 30*time.Minute { // package fleet holds 64 keys, each for 25 hours more
		k.wrong("sessions.rotation", "keys that change every %s are more than are held for the day in which a session can be resumed; give at least 30m", textOf(reflect.ValueOf(s.Rotation)))
	}
	folder, isFile := strings.CutPrefix(s.Store, "file:")
	switch {
	case s.Store == "" && s.KeyFile != "":
		k.wrong("sessions.key-file", "keys are for a store, and there is none; give store, or leave key-file out")
	case s.Store == "":
		return
	case isFile && folder == "":
		k.wrong("sessions.store", "the folder is missing; write it like file:/var/lib/vitrine/sessions")
	case !isFile && !isURL(s.Store, stores...):
		k.wrong("sessions.store", "this is not a store that vitrine has; write it like redis://HOST:PORT, rediss://HOST:PORT, memcached://HOST:PORT, nats://HOST:PORT, tls://HOST:PORT for NATS with TLS, or file:FOLDER")
	case s.KeyFile == "":
		k.wrong("sessions.key-file", "what is stored must be sealed, and there is no key for it; make one with 'openssl rand -hex 32', and name its file here")
	}
}

func (k *checker) admin() {
	a := k.Admin
	if a.OTLP != "" && !isURL(a.OTLP, "http", "https") {
		k.wrong("admin.otlp", "%q is not the URL of a collector; write it like http://127.0.0.1:4318", a.OTLP)
	}
	if a.Listen == "" {
		if a.PProf {
			k.wrong("admin.pprof", "there is no listener to show it; give admin.listen, like 127.0.0.1:9090")
		}
		return
	}
	if !k.address("admin.listen", a.Listen, toServe) || strings.HasPrefix(a.Listen, "unix:") {
		return
	}
	host, _, _ := net.SplitHostPort(a.Listen) // which address has done
	ip, err := netip.ParseAddr(host)
	if local := host == "localhost" || err == nil && ip.IsLoopback(); !local && a.PProf {
		k.wrong("admin.pprof", "%s can be reached from other machines, and profiles show what is in memory; listen on 127.0.0.1 or a unix socket, or leave pprof out", a.Listen)
	}
}

func (k *checker) process() {
	k.oneOf("log.format", k.Log.Format, "text", "json")
	k.oneOf("log.level", k.Log.Level, "debug", "info", "warn", "error")
	t := k.Traces
	switch {
	case !(t.Sample >= 0 && t.Sample <= 1): // NaN too
		k.wrong("traces.sample", "%v is not a share of connections; give a number from 0 to 1", t.Sample)
	case (t.Sample > 0 || t.Failures) && t.Folder == "":
		k.wrong("traces.folder", "there is no folder for the traces; give one")
	case t.Sample == 0 && !t.Failures && t.Folder != "":
		k.wrong("traces.folder", "nothing would be kept in it; give sample, like 0.01, or failures: true")
	}
	p := k.Process
	k.oneOf("process.sandbox", p.Sandbox, "auto", "require", "off")
	k.oneOf("process.keys", p.Keys, "memory", "locked", "process")
	k.upTo("process.grace", p.Grace, 24*time.Hour)
	if p.Handover != "" {
		if strings.HasPrefix(p.Handover, "unix:") {
			k.wrong("process.handover", "it is always a unix socket; give its path alone, without unix:")
		} else {
			k.socket("process.handover", p.Handover)
		}
	}
}
