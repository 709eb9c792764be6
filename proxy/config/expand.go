package config

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Names of the targets that flags make.
const (
	mainTarget  = "target"
	routeTarget = "route-%d" // by the number of the route, from 1
)

var indexes = regexp.MustCompile(`\[\d+\]`)

// expand makes a configuration of flags, without a look at whether all of them count.
func (f *Flags) expand() (*Config, error) {
	l := Listener{
		Listen: f.Listen, Mode: f.Mode, Allow: f.Allow,
		ProxyProtocol: ProxyProtocol{From: f.AcceptProxy},
	}
	base := Target{Balance: f.Balance, ProxyProtocol: f.ProxyProtocol, ConnectTimeout: f.ConnectTimeout}
	if f.Health != 0 {
		base.Health = &Health{Interval: f.Health, Timeout: f.HealthTimeout, HTTP: f.HealthPath}
	}
	if len(f.Key) > 0 && len(f.Key) != len(f.Cert) {
		return nil, fmt.Errorf("there are %d of --cert and %d of --key; give one --key for each --cert, in their order", len(f.Cert), len(f.Key))
	}
	if f.Client || f.TargetTLS {
		base.TLS = f.clientTLS()
	}
	if f.Client {
		base.StartTLS = f.StartTLS
	} else {
		l.StartTLS = f.StartTLS
		l.TLS = f.serverTLS()
	}
	if f.Mode == ModeHTTP {
		l.HTTP = f.http()
	}
	c := &Config{
		Listeners: []Listener{l}, Targets: map[string]Target{},
		Limits:   Limits{f.Connections, f.PerAddress, f.Handshakes, f.HandshakeTimeout, f.IdleTimeout, f.Memory, f.BodyRate},
		Sessions: Sessions{f.SessionStore, f.SessionKeys, f.SessionTimeout, f.SingleUse, f.SessionIDs, f.TicketRotation},
		Admin:    Admin{f.Metrics, f.PProf, f.OTLP},
		Log:      Log{f.LogFormat, f.LogLevel, f.LogConnections},
		Traces:   Traces{f.TraceSample, f.TraceFailures, f.TraceDir},
		Process:  Process{f.User, f.Group, f.Sandbox, f.Keys, f.Grace, f.Handover},
	}
	return c, f.addTargets(c, base)
}

// addTargets adds the targets of --target, --passthrough and --route, each as base.
func (f *Flags) addTargets(c *Config, base Target) error {
	l := &c.Listeners[0]
	if len(f.Target) > 0 {
		l.Target = mainTarget
		main := base
		main.Addresses = f.Target
		c.Targets[mainTarget] = main
	}
	for i, route := range slices.Concat(f.Passthrough, f.Route) {
		flag := "route"
		if i < len(f.Passthrough) {
			flag = "passthrough"
		}
		names, addresses, ok := strings.Cut(route, "=")
		if !ok || names == "" || addresses == "" {
			return fmt.Errorf("--%s %q is not NAMES=ADDRESSES; write it like a.example.com=10.0.0.1:443", flag, route)
		}
		one := base
		if flag == "passthrough" && !f.Client { // TLS is not opened, so that no other can be spoken
			one.TLS = nil
		}
		one.Addresses = strings.Split(addresses, ",")
		name := fmt.Sprintf(routeTarget, i+1)
		c.Targets[name] = one
		l.Routes = append(l.Routes, Route{Names: strings.Split(names, ","), Passthrough: i < len(f.Passthrough), Target: name})
	}
	return nil
}

// serverTLS is nil where the flags leave nothing to open.
func (f *Flags) serverTLS() *ServerTLS {
	t := &ServerTLS{
		Certificates: f.certificateList(), Versions: f.versions(), ALPN: f.ALPN,
		ClientAuth: f.ClientAuth, ClientCA: f.ClientCA, Revocation: f.Revocation, CRL: f.CRL, PSKFile: f.PSKFile, ECHKeys: f.ECHKeys, NoStapling: f.NoStapling,
	}
	if t.ClientAuth == "" && t.ClientCA != "" {
		t.ClientAuth = "require"
	}
	if len(f.Passthrough) > 0 && len(f.Route) == 0 && reflect.ValueOf(*t).IsZero() {
		return nil
	}
	return t
}

func (f *Flags) versions() Versions {
	return Versions{Min: f.Min, Max: f.Max, Suites: f.Suites, Groups: f.Groups, SigAlgs: f.SigAlgs, Legacy: f.Legacy}
}

func (f *Flags) certificateList() (list []Certificate) {
	for i, cert := range f.Cert {
		list = append(list, Certificate{Cert: cert, Key: f.keyOf(i)})
	}
	if f.PKCS12 != "" {
		list = append(list, Certificate{PKCS12: f.PKCS12, PasswordFile: f.PasswordFile})
	}
	if len(f.ACME) > 0 {
		list = append(list, Certificate{ACME: &ACME{
			Names: f.ACME, Email: f.ACMEEmail, Directory: f.ACMEDirectory, CA: f.ACMECA, Challenge: f.ACMEChallenge,
			HTTPListen: f.ACMEListen, Storage: f.ACMEStorage, AgreeToS: f.AgreeTerms,
		}})
	}
	if len(f.Development) > 0 {
		list = append(list, Certificate{Development: f.Development})
	}
	return list
}

// keyOf is the key for a certificate; empty for that in its own file.
func (f *Flags) keyOf(i int) string {
	if i < len(f.Key) && f.Key[i] != f.Cert[i] {
		return f.Key[i]
	}
	return ""
}

func (f *Flags) clientTLS() *ClientTLS {
	t := &ClientTLS{Name: f.SNI, CA: f.CA, Pins: f.Pins, Insecure: f.Insecure, Cert: f.TargetCert, Key: f.TargetKey}
	if f.Client {
		t.Versions, t.ALPN, t.Revocation = f.versions(), f.ALPN, f.Revocation
		t.Cert, t.Key = "", ""
		if len(f.Cert) > 0 {
			t.Cert, t.Key = f.Cert[0], f.keyOf(0)
		}
	}
	return t
}

// http is nil where the flags say nothing of it.
func (f *Flags) http() *HTTP {
	h := &HTTP{ForwardedFrom: f.ForwardedFrom, ClientCert: f.ClientCertHeader, HSTS: f.HSTS, HSTSSubdomains: f.HSTSSubdomains, HSTSPreload: f.HSTSPreload, EarlyData: f.EarlyData}
	if f.TargetHost {
		h.KeepHost = new(bool)
	}
	if reflect.ValueOf(*h).IsZero() {
		return nil
	}
	return h
}

// renamed is c with the names that flags give to targets, and the paths of those that
// nothing uses. A target that several use becomes several.
func renamed(c *Config) (r Config, unused []string) {
	r = *c
	r.Listeners, r.Targets = slices.Clone(c.Listeners), map[string]Target{}
	l := &r.Listeners[0]
	l.Routes = slices.Clone(l.Routes)
	used := map[string]bool{l.Target: true}
	if l.Target != "" {
		r.Targets[mainTarget] = c.Targets[l.Target]
		l.Target = mainTarget
	}
	for i, route := range l.Routes {
		used[route.Target] = true
		l.Routes[i].Target = fmt.Sprintf(routeTarget, i+1)
		r.Targets[l.Routes[i].Target] = c.Targets[route.Target]
	}
	for _, name := range sortedNames(c.Targets) {
		if !used[name] {
			unused = append(unused, "targets."+name)
		}
	}
	return r, unused
}

// flatten is what flags can say of c.
func flatten(c *Config) *Flags {
	l := c.Listeners[0]
	f := &Flags{
		Listen: l.Listen, Mode: l.Mode, StartTLS: l.StartTLS, Allow: l.Allow, AcceptProxy: l.ProxyProtocol.From, Target: c.Targets[l.Target].Addresses,
		Connections: c.Limits.Connections, PerAddress: c.Limits.PerAddress, Handshakes: c.Limits.Handshakes,
		HandshakeTimeout: c.Limits.HandshakeTimeout, IdleTimeout: c.Limits.IdleTimeout, Memory: c.Limits.Memory, BodyRate: c.Limits.BodyRate,
		SessionStore: c.Sessions.Store, SessionKeys: c.Sessions.KeyFile, SessionTimeout: c.Sessions.Timeout, SingleUse: c.Sessions.SingleUse, SessionIDs: c.Sessions.SessionIDs, TicketRotation: c.Sessions.Rotation,
		Metrics: c.Admin.Listen, PProf: c.Admin.PProf, OTLP: c.Admin.OTLP,
		LogFormat: c.Log.Format, LogLevel: c.Log.Level, LogConnections: c.Log.Connections,
		TraceSample: c.Traces.Sample, TraceFailures: c.Traces.Failures, TraceDir: c.Traces.Folder,
		User: c.Process.User, Group: c.Process.Group, Sandbox: c.Process.Sandbox, Keys: c.Process.Keys, Grace: c.Process.Grace, Handover: c.Process.Handover,
	}
	base, some := c.Targets[l.Target]
	unopened := false // base is of a route that passes TLS on, and does not say whether others speak it
	for _, r := range l.Routes {
		if !some || unopened && !r.Passthrough {
			base, some = c.Targets[r.Target]
			unopened = r.Passthrough
		}
		route := strings.Join(r.Names, ",") + "=" + strings.Join(c.Targets[r.Target].Addresses, ",")
		if r.Passthrough {
			f.Passthrough = append(f.Passthrough, route)
		} else {
			f.Route = append(f.Route, route)
		}
	}
	f.setTarget(&base, l.TLS == nil && base.TLS != nil)
	f.setServerTLS(l.TLS)
	if h := l.HTTP; h != nil {
		f.ForwardedFrom, f.ClientCertHeader, f.HSTS, f.HSTSSubdomains, f.HSTSPreload = h.ForwardedFrom, h.ClientCert, h.HSTS, h.HSTSSubdomains, h.HSTSPreload
		f.EarlyData = h.EarlyData
		f.TargetHost = h.KeepHost != nil && !*h.KeepHost
	}
	return f
}

// setTarget sets what flags say of targets.
func (f *Flags) setTarget(t *Target, client bool) {
	f.Balance, f.ProxyProtocol, f.ConnectTimeout = t.Balance, t.ProxyProtocol, t.ConnectTimeout
	if h := t.Health; h != nil {
		f.Health, f.HealthTimeout, f.HealthPath = cmp.Or(h.Interval, defaultInterval), h.Timeout, h.HTTP
	}
	f.Client, f.TargetTLS = client, !client && t.TLS != nil
	if client {
		f.StartTLS = t.StartTLS
	}
	if t.TLS == nil {
		return
	}
	f.SNI, f.CA, f.Pins, f.Insecure = t.TLS.Name, t.TLS.CA, t.TLS.Pins, t.TLS.Insecure
	if !client {
		f.TargetCert, f.TargetKey = t.TLS.Cert, t.TLS.Key
		return
	}
	f.setVersions(t.TLS.Versions)
	f.ALPN, f.Revocation = t.TLS.ALPN, t.TLS.Revocation
	if t.TLS.Cert != "" {
		f.Cert = []string{t.TLS.Cert}
		f.setKeys([]string{t.TLS.Key})
	}
}

func (f *Flags) setVersions(v Versions) {
	f.Min, f.Max, f.Suites, f.Groups, f.SigAlgs, f.Legacy = v.Min, v.Max, v.Suites, v.Groups, v.SigAlgs, v.Legacy
}

// setKeys sets the keys of Cert; none where each is in the file of its certificate.
func (f *Flags) setKeys(keys []string) {
	if slices.ContainsFunc(keys, func(k string) bool { return k != "" }) {
		f.Key = nil
		for i, key := range keys {
			f.Key = append(f.Key, cmp.Or(key, f.Cert[i]))
		}
	}
}

// setServerTLS sets what flags say of TLS with clients.
func (f *Flags) setServerTLS(t *ServerTLS) {
	if t == nil {
		return
	}
	f.setVersions(t.Versions)
	f.ALPN, f.ClientAuth, f.ClientCA, f.Revocation, f.CRL, f.PSKFile, f.ECHKeys, f.NoStapling = t.ALPN, t.ClientAuth, t.ClientCA, t.Revocation, t.CRL, t.PSKFile, t.ECHKeys, t.NoStapling
	if f.ClientCA != "" && f.ClientAuth == "require" {
		f.ClientAuth = "" // which is the default then
	}
	var keys []string
	for _, c := range t.Certificates {
		switch {
		case c.Cert != "":
			f.Cert, keys = append(f.Cert, c.Cert), append(keys, c.Key)
		case c.PKCS12 != "":
			f.PKCS12, f.PasswordFile = c.PKCS12, c.PasswordFile
		case c.ACME != nil:
			a := c.ACME
			f.ACME, f.ACMEEmail, f.ACMEDirectory, f.ACMECA, f.ACMEChallenge = a.Names, a.Email, a.Directory, a.CA, a.Challenge
			f.ACMEListen, f.ACMEStorage, f.AgreeTerms = a.HTTPListen, a.Storage, a.AgreeToS
		default:
			f.Development = c.Development
		}
	}
	f.setKeys(keys)
}
