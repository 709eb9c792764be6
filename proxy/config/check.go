package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/vocabulary"
)

// An Option adds to what [Check] looks at.
type Option func(*checker)

// Rules has Check judge the rules of allow by what reads them, as access.CheckRule does.
func Rules(check func(rule string) error) Option { return func(k *checker) { k.rule = check } }

// Files has Check read the files that the configuration names: not the keys where they belong
// to a process of their own, since this one is to have none.
func Files() Option { return func(k *checker) { k.files = true } }

// Rights has Check look at whether this process may do what the configuration says, before it
// gives rights up.
func Rights() Option { return func(k *checker) { k.mayDo = true } }

// Check says what is wrong with a configuration, in the order of its file. Without options
// it looks at nothing but c. Warnings are among the problems: see [Problems.Err].
func Check(c *Config, options ...Option) Problems {
	k := &checker{Config: c, used: map[string]bool{}}
	for _, option := range options {
		option(k)
	}
	k.listeners()
	k.targets()
	k.limits()
	k.sessions()
	k.admin()
	k.process()
	k.addresses()
	if k.files {
		k.readFiles()
	}
	if k.mayDo {
		k.rights()
	}
	k.problems.sort()
	return k.problems
}

type checker struct {
	*Config
	rule     func(string) error
	files    bool
	mayDo    bool
	used     map[string]bool // targets by name
	problems Problems
}

// wrong adds a problem; the remedy stands behind the last semicolon of the text.
func (k *checker) wrong(path, format string, args ...any) {
	k.problems = append(k.problems, k.source.problem(path, fmt.Sprintf(format, args...)))
}

// either is a remedy in the words of a file or, where the configuration is made of flags, in theirs.
func (k *checker) either(keys, flags string) string {
	if k.typed {
		return flags
	}
	return keys
}

// warn adds a warning.
func (k *checker) warn(path, format string, args ...any) {
	k.wrong(path, format, args...)
	k.problems[len(k.problems)-1].Warning = true
}

// oneOf reports a value that is none of those there are; empty is the default.
func (k *checker) oneOf(path, value string, values ...string) {
	if value != "" && !slices.Contains(values, value) {
		k.wrong(path, "%q is not known; choose %s", value, strings.Join(values[:len(values)-1], ", ")+" or "+values[len(values)-1])
	}
}

// within reports a number that is out of bounds.
func (k *checker) within(path string, n, most int) {
	if n < 0 || n > most {
		k.wrong(path, "%d is out of bounds; give a number from 0 to %d", n, most)
	}
}

func (k *checker) listeners() {
	if len(k.Listeners) == 0 {
		k.wrong("listeners", "there are no listeners, so nothing would be done; add one with listen, tls and target")
	}
	for i := range k.Listeners {
		k.listener(fmt.Sprintf("listeners[%d]", i), &k.Listeners[i])
	}
}

func (k *checker) listener(path string, l *Listener) {
	if len(l.Listen) == 0 {
		k.wrong(path+".listen", "the listener has no address; give one, like [\":443\"]")
	}
	for i, address := range l.Listen {
		k.address(fmt.Sprintf("%s.listen[%d]", path, i), address, toListen)
	}
	k.oneOf(path+".mode", l.Mode, ModeTCP, ModeHTTP)
	k.proxyFrom(path+".proxy-protocol.from", l.ProxyProtocol.From)
	k.front(path, l)
	if l.TLS != nil {
		k.serverTLS(path+".tls", l, l.TLS)
	}
	k.allow(path+".allow", l, l.Allow)
	k.http(path, l)
	if l.Target == "" && len(l.Routes) == 0 {
		k.wrong(path+".target", "connections would go nowhere; name a target, or add routes")
	}
	k.target(path+".target", l, l.Target, false)
	k.routes(path, l)
}

// proxyFrom looks at the networks from which a PROXY header is believed.
func (k *checker) proxyFrom(path string, from []string) {
	for i, network := range from {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch prefix, err := parseNetwork(network); {
		case network == "unix":
		case err != nil:
			k.wrong(at, "%q is not a network; write it like 10.0.0.0/8, 192.0.2.7 or unix", network)
		case prefix.Bits() == 0:
			k.wrong(at, "a header would be believed from everywhere, so each client could give any address as its own; list the networks of your balancers")
		}
	}
}

// frontProtocols are those that a listener can speak before TLS.
var frontProtocols = []string{"smtp", "imap", "pop3", "ftp", "ftps", "ldap", "postgres"}

// front looks at STARTTLS of a listener.
func (k *checker) front(path string, l *Listener) {
	k.ftp(path+".ftp", l)
	if l.StartTLS == "" {
		return
	}
	at := path + ".starttls"
	k.oneOf(at, l.StartTLS, frontProtocols...)
	k.dataConnections(path, l)
	switch {
	case slices.ContainsFunc(l.Routes, func(r Route) bool { return r.Passthrough }):
		k.wrong(at, "a connection that is passed through unopened cannot be turned to TLS here; leave starttls out, or passthrough")
	case l.TLS == nil:
		k.wrong(at, "there is no TLS to turn to; add tls with a certificate")
	case l.Mode == ModeHTTP:
		k.wrong(at, "HTTP begins with TLS; leave starttls out, or mode: http")
	}
}

// dataConnections looks at what FTP's data connections could not be made with: they are
// TCP connections of their own between the addresses of the control connection.
func (k *checker) dataConnections(path string, l *Listener) {
	if l.StartTLS != "ftp" && l.StartTLS != "ftps" {
		return
	}
	if len(l.ProxyProtocol.From) > 0 {
		k.wrong(path+".proxy-protocol.from", "data connections of FTP come without a header, and would be refused as a stranger's; have clients connect here directly, and leave proxy-protocol out")
	}
	for i, address := range l.Listen {
		if isUnix(address) {
			k.wrong(fmt.Sprintf("%s.listen[%d]", path, i), "data connections of FTP need an IP address, and a unix socket has none; listen at one like \":21\"")
		}
	}
}

// ftp looks at how data connections are taken.
func (k *checker) ftp(at string, l *Listener) {
	if l.FTP == nil {
		return
	}
	address, err := netip.ParseAddr(l.FTP.Address)
	switch {
	case l.StartTLS != "ftp" && l.StartTLS != "ftps":
		k.wrong(at, "it is for starttls: ftp or ftps alone; add that, or leave ftp out")
	case l.FTP.Address != "" && (err != nil || !address.Is4()):
		k.wrong(at+".address", "%q is not an IPv4 address, and PASV can tell no other; write it like 192.0.2.7", l.FTP.Address)
	case l.FTP.FirstPort > l.FTP.LastPort, l.FTP.FirstPort <= 0 && l.FTP.LastPort != 0, l.FTP.LastPort > 65535:
		k.wrong(at+".first-port", "there are no ports from %d to %d; give both, the lower one first", l.FTP.FirstPort, l.FTP.LastPort)
	}
}

// allow looks at rules on clients.
func (k *checker) allow(path string, l *Listener, rules []string) {
	if len(rules) == 0 {
		return
	}
	byAddress := !slices.ContainsFunc(rules, func(rule string) bool { return !strings.HasPrefix(rule, "peer:") })
	switch {
	case l.TLS == nil && !byAddress:
		k.wrong(path, "in the clear no client shows who it is, so that rules about anything but peer: let nobody in; add tls with client-auth, or leave allow out")
	case l.TLS != nil && (l.TLS.ClientAuth == "" || l.TLS.ClientAuth == "none") && l.TLS.PSKFile == "":
		k.wrong(path, "clients are not asked who they are, so that no rule lets anybody in; %s",
			k.either("add client-auth: require to tls, or a psk-file", "add --client-ca FILE, or --psk-file FILE"))
	}
	for i := 0; i < len(rules) && k.rule != nil; i++ {
		if err := k.rule(rules[i]); err != nil {
			k.wrong(fmt.Sprintf("%s[%d]", path, i), "%s", withRemedy(err, "mend the rule"))
		}
	}
}

// withRemedy is the text of an error with something to do behind it.
func withRemedy(err error, remedy string) string {
	if text := err.Error(); strings.Contains(text, "; ") {
		return text
	}
	return err.Error() + "; " + remedy
}

// http looks at HTTP mode.
func (k *checker) http(path string, l *Listener) {
	h := l.HTTP
	if h == nil {
		return
	}
	at := path + ".http"
	if l.Mode != ModeHTTP {
		k.wrong(at, "these settings are for HTTP alone; add mode: http to the listener, or leave them out")
	}
	for i, network := range h.ForwardedFrom {
		at := fmt.Sprintf("%s.forwarded-from[%d]", at, i)
		switch prefix, err := parseNetwork(network); {
		case err != nil:
			k.wrong(at, "%q is not a network; write it like 10.0.0.0/8 or 192.0.2.7", network)
		case prefix.Bits() == 0:
			k.wrong(at, "headers would be believed from everywhere, so each client could give any address as its own; list the networks of your proxies")
		}
	}
	k.oneOf(at+".client-cert", h.ClientCert, "off", "leaf", "chain")
	if (h.ClientCert == "leaf" || h.ClientCert == "chain") && (l.TLS == nil || l.TLS.ClientAuth == "" || l.TLS.ClientAuth == "none") {
		k.wrong(at+".client-cert", "clients are not asked for certificates, so there is none to send on; add client-auth to tls")
	}
	switch {
	case h.EarlyData && l.TLS == nil:
		k.wrong(at+".early-data", "early data is a part of TLS; add tls, or leave early-data out")
	case h.EarlyData && l.TLS.Max != "" && l.TLS.Max != "tls1.3":
		k.wrong(at+".early-data", "early data is a part of TLS 1.3, and max is %s; leave max or early-data out", l.TLS.Max)
	}
	switch {
	case h.HSTS != 0 && l.TLS == nil:
		k.wrong(at+".hsts", "browsers heed it over TLS alone; add tls, or leave hsts out")
	case h.HSTS == 0 && (h.HSTSSubdomains || h.HSTSPreload):
		k.wrong(at+".hsts", "its further words do nothing without a time; give hsts, like 8760h")
	}
}

// targetName is what names of targets look like.
var targetName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$`)

// target looks at where a listener or route sends connections; empty is nowhere.
func (k *checker) target(path string, l *Listener, name string, passthrough bool) {
	if name == "" {
		return
	}
	t, ok := k.Targets[name]
	k.used[name] = true
	switch {
	case !ok:
		k.wrong(path, "there is no target %q; %s", name, k.likeTarget(name))
	case passthrough && t.TLS != nil:
		k.wrong(path, "the target %q has tls, and what is passed through is TLS already; send it to a target without tls", name)
	case l.Mode == ModeHTTP && t.ProxyProtocol != "":
		k.wrong(path, "the target %q has proxy-protocol, and requests of many clients share its connections, so no header could tell the client; leave proxy-protocol out, and let the target read X-Forwarded-For", name)
	case (l.StartTLS == "ftp" || l.StartTLS == "ftps") && slices.ContainsFunc(t.Addresses, isUnix):
		k.wrong(path, "the target %q is a unix socket, and data connections of FTP need an IP address; have the server listen at one like 127.0.0.1:21", name)
	case (l.StartTLS == "ftp" || l.StartTLS == "ftps") && t.ProxyProtocol != "":
		k.warn(path, "the target %q gets the client's address, and most servers refuse data connections from another, which is this proxy's; leave proxy-protocol out", name)
	case l.StartTLS != "" && t.TLS != nil:
		k.wrong(path, "the target %q has tls, and behind starttls a target is spoken to in the clear; send it to a target without tls", name)
	}
}

func isUnix(address string) bool { return strings.HasPrefix(address, "unix:") }

// likeTarget says which target was perhaps meant.
func (k *checker) likeTarget(name string) string {
	for _, other := range sortedNames(k.Targets) {
		if vocabulary.Distance(other, name) <= 2 {
			k.used[other] = true // as it will be
			return "did you mean " + other + "?"
		}
	}
	return "add it under targets"
}
