package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A List is written with commas between its values, on the command line.
type List []string

// Flags are the values of the command's flags, for the common cases: one listener, one
// target or one for each route, and what holds for all of them. [Flags.Config] makes a Config of
// them, and [FlagsOf] the flags of a Config that they can say.
//
// Without Client, TLS is ended at Listen, and the flags on TLS are about that side. With
// Client, connections come in the clear, and those flags are about TLS to the target.
type Flags struct {
	Listen, Target []string
	Client         bool
	TargetTLS      bool
	Route          []string // NAMES=ADDRESSES, with commas between
	Passthrough    []string // as Route
	Mode           string
	StartTLS       string

	Cert, Key                  []string
	PKCS12, PasswordFile       string
	Development                List
	ACME                       List
	ACMEEmail, ACMEStorage     string
	ACMEDirectory, ACMECA      string
	ACMEChallenge, ACMEListen  string
	AgreeTerms, NoStapling     bool
	Min, Max                   string
	Suites, Groups, SigAlgs    List
	Legacy, ALPN               List
	ClientAuth, ClientCA       string
	Revocation, PSKFile        string
	CRL, Allow, ECHKeys        []string
	CA, SNI                    string
	Pins                       []string
	Insecure                   bool
	TargetCert, TargetKey      string
	AcceptProxy                List
	ProxyProtocol, Balance     string
	Health, HealthTimeout      Duration
	HealthPath                 string
	ConnectTimeout             Duration
	ForwardedFrom              List
	ClientCertHeader           string
	HSTS                       Duration
	HSTSSubdomains             bool
	HSTSPreload, TargetHost    bool
	EarlyData                  bool
	Connections, PerAddress    int
	Handshakes                 int
	HandshakeTimeout           Duration
	IdleTimeout                Duration
	Memory, BodyRate           Size
	SessionStore, SessionKeys  string
	SessionTimeout             Duration
	TicketRotation             Duration
	SingleUse, SessionIDs      bool
	Metrics, OTLP              string
	PProf                      bool
	LogFormat, LogLevel        string
	LogConnections             bool
	TraceSample                float64
	TraceFailures              bool
	TraceDir                   string
	User, Group, Sandbox, Keys string
	Grace                      Duration
	Handover                   string
}

// A Flag is one of Flags: Value points to its field.
type Flag struct {
	Name, Usage string
	Value       any
	path        string // of what it sets, without what is in brackets; several with spaces between
}

// All are the flags, in the order in which help shows them. A word of Usage in backquotes
// says what the value is.
func (f *Flags) All() []Flag {
	return slices.Concat(f.ways(), f.certificates(), f.agreement(), f.clients(), f.toTarget(), f.inHTTP(), f.further())
}

func (f *Flags) ways() []Flag {
	return []Flag{
		{"listen", "take connections at this `address`: HOST:PORT, :PORT, unix:PATH or systemd:NAME; may be given again", &f.Listen, "listeners.listen listeners"},
		{"target", "send them to this `address`: HOST:PORT or unix:PATH; given again, one service at several addresses", &f.Target, "targets.addresses listeners.target"},
		{"client", "take connections in the clear, and speak TLS to the target; the flags on TLS are about that side then", &f.Client, "targets.tls"},
		{"target-tls", "speak TLS to the target too, as a client does", &f.TargetTLS, "targets.tls"},
		{"route", "send connections for names to addresses of their own, by `NAMES=ADDRESSES` with commas between, like a.example.com,*.b.test=10.0.0.1:80; may be given again", &f.Route, "listeners.routes listeners.routes.names"},
		{"passthrough", "send connections for names on without opening their TLS, by `NAMES=ADDRESSES`; may be given again", &f.Passthrough, "listeners.routes"},
		{"mode", "pass on bytes (tcp) or requests (http): the `mode` (default tcp)", &f.Mode, "listeners.mode"},
		{"starttls", "turn to TLS by this `protocol`: smtp, imap, pop3, ftp, ftps, ldap or postgres; with --client it is the target that is asked to", &f.StartTLS, "listeners.starttls targets.starttls"},
	}
}

func (f *Flags) certificates() []Flag {
	acme := "listeners.tls.certificates.acme"
	return []Flag{
		{"cert", "our certificate chain, a PEM `file`; given again, with its --key, one more", &f.Cert, "listeners.tls.certificates.cert targets.tls.cert listeners.tls.certificates"},
		{"key", "its private key, a PEM `file` (default: in the file of --cert)", &f.Key, "listeners.tls.certificates.key targets.tls.key"},
		{"pkcs12", "our certificate and key, a PKCS#12 `file`", &f.PKCS12, "listeners.tls.certificates.pkcs12"},
		{"password-file", "the `file` with the password of --pkcs12", &f.PasswordFile, "listeners.tls.certificates.password-file"},
		{"development", "have the development authority make a certificate for these `names`", &f.Development, "listeners.tls.certificates.development"},
		{"acme", "get a certificate for these `names` from an ACME authority, and renew it", &f.ACME, acme + ".names"},
		{"acme-storage", "the `folder` for what --acme gets", &f.ACMEStorage, acme + ".storage"},
		{"acme-email", "the `address` by which the authority can reach you", &f.ACMEEmail, acme + ".email"},
		{"acme-directory", "the authority's directory, a `URL` (default: that of Let's Encrypt)", &f.ACMEDirectory, acme + ".directory"},
		{"acme-ca", "trust the directory by this authority, a PEM `file` (default: the system's)", &f.ACMECA, acme + ".ca"},
		{"acme-challenge", "show that the names are ours by this `challenge`: tls-alpn-01 or http-01 (default tls-alpn-01)", &f.ACMEChallenge, acme + ".challenge"},
		{"acme-listen", "answer http-01 at this `address` (default :80)", &f.ACMEListen, acme + ".http-listen"},
		{"agree-terms", "you have read the authority's terms, and agree", &f.AgreeTerms, acme + ".agree-terms"},
		{"no-stapling", "staple no OCSP responses", &f.NoStapling, "listeners.tls.no-stapling"},
	}
}

// both is the path of a setting of TLS: of the listener, and with Client of the target.
func both(key string) string { return "listeners.tls." + key + " targets.tls." + key }

func (f *Flags) agreement() []Flag {
	return []Flag{
		{"min", "lowest `version`: ssl3.0, tls1.0, tls1.1, tls1.2 or tls1.3 (default tls1.2)", &f.Min, both("min")},
		{"max", "highest `version` (default tls1.3)", &f.Max, both("max")},
		{"suites", "cipher suites by IANA or OpenSSL `names`, best first (default: the safe ones)", &f.Suites, both("suites")},
		{"groups", "key-exchange groups by `names`, best first (default: all but ffdhe)", &f.Groups, both("groups")},
		{"sigalgs", "signature schemes that the peer may sign with, by `names`, best first", &f.SigAlgs, both("sigalgs")},
		{"legacy", "allow dangerous things that are off, by `words` like ssl30,rc4", &f.Legacy, both("legacy")},
		{"alpn", "application `protocols`, best first", &f.ALPN, both("alpn")},
		{"revocation", "refuse revoked certificates of the other side by this `mode`: off, soft or hard", &f.Revocation, both("revocation")},
	}
}

func (f *Flags) clients() []Flag {
	return []Flag{
		{"client-auth", "ask clients for certificates: the `mode` none, request or require (default require with --client-ca, else none)", &f.ClientAuth, "listeners.tls.client-auth"},
		{"client-ca", "the authorities of clients' certificates, a PEM `file`", &f.ClientCA, "listeners.tls.client-ca"},
		{"crl", "a `file` with a revocation list for clients' certificates; may be given again", &f.CRL, "listeners.tls.crl"},
		{"psk-file", "a `file` with pre-shared keys of clients, a line identity:hex each", &f.PSKFile, "listeners.tls.psk-file"},
		{"ech-key", "open encrypted hellos by the key in this `file`, which 'vitrine cert ech' makes; may be given again, the newest first", &f.ECHKeys, "listeners.tls.ech-keys"},
		{"allow", "let in a client that meets this `rule`, like dns:api.example.com or uri:spiffe://example.com/*; given again, one of them is enough", &f.Allow, "listeners.allow"},
		{"accept-proxy", "take the client's address from a PROXY header, which must come first from these `networks`", &f.AcceptProxy, "listeners.proxy-protocol.from"},
	}
}

func (f *Flags) toTarget() []Flag {
	return []Flag{
		{"ca", "verify the target by these authorities, a PEM `file` (default: the system's)", &f.CA, "targets.tls.ca"},
		{"sni", "the `name` in the target's certificate (default: the host of its address)", &f.SNI, "targets.tls.name"},
		{"pin", "a public key that the target must have, `sha256/BASE64`; given again, one of them is enough", &f.Pins, "targets.tls.pins"},
		{"insecure", "verify nothing of the target: anybody on the way can read and change all", &f.Insecure, "targets.tls.insecure"},
		{"target-cert", "our certificate for the target, a PEM `file`, with --target-tls", &f.TargetCert, "targets.tls.cert"},
		{"target-key", "its private key, a PEM `file`", &f.TargetKey, "targets.tls.key"},
		{"proxy-protocol", "tell the target the client's address by a header of this `version`: v1, v2 or v2-tls", &f.ProxyProtocol, "targets.proxy-protocol"},
		{"balance", "choose among the addresses in this `way`: round-robin or least-connections (default round-robin)", &f.Balance, "targets.balance"},
		{"health", "check each address at this `interval`, like 5s", &f.Health, "targets.health.interval"},
		{"health-timeout", "give a check this much `time` (default 2s)", &f.HealthTimeout, "targets.health.timeout"},
		{"health-path", "check by a GET of this `path`, to be answered below 400 (default: a connection is enough)", &f.HealthPath, "targets.health.http"},
		{"connect-timeout", "try each address for this `time` (default 5s)", &f.ConnectTimeout, "targets.connect-timeout"},
	}
}

func (f *Flags) inHTTP() []Flag {
	return []Flag{
		{"forwarded-from", "keep X-Forwarded headers that come from these `networks`", &f.ForwardedFrom, "listeners.http.forwarded-from"},
		{"client-cert-header", "send the client's certificate on by RFC 9440: `what`, leaf or chain", &f.ClientCertHeader, "listeners.http.client-cert"},
		{"hsts", "have browsers insist on TLS for this `time`, like 8760h", &f.HSTS, "listeners.http.hsts"},
		{"hsts-subdomains", "for all names below too", &f.HSTSSubdomains, "listeners.http.hsts-subdomains"},
		{"early-data", "take requests as early data (0-RTT), each ticket once, and send safe ones on with Early-Data: 1", &f.EarlyData, "listeners.http.early-data"},
		{"hsts-preload", "agree to be on browsers' lists", &f.HSTSPreload, "listeners.http.hsts-preload"},
		{"target-host", "send the target's address as Host, and not what the client sent", &f.TargetHost, "listeners.http.keep-host"},
	}
}

func (f *Flags) further() []Flag {
	return []Flag{
		{"max-connections", "take at most this `number` of connections at once (default 100000)", &f.Connections, "limits.connections"},
		{"max-per-address", "and this `number` of one address", &f.PerAddress, "limits.per-address"},
		{"max-handshakes", "run at most this `number` of handshakes at once (default: 4 for each processor)", &f.Handshakes, "limits.handshakes"},
		{"handshake-timeout", "give a handshake this much `time` (default 10s)", &f.HandshakeTimeout, "limits.handshake-timeout"},
		{"idle-timeout", "end a connection on which nothing came or went for this `time`", &f.IdleTimeout, "limits.idle-timeout"},
		{"memory", "take no connection beyond this much `memory`, like 2GiB", &f.Memory, "limits.memory"},
		{"body-rate", "have a request's body bring this many `bytes` a second in HTTP mode (default 240, while room runs short)", &f.BodyRate, "limits.body-rate"},
		{"session-store", "share sessions and ticket keys with a fleet by this store, a `URL`: redis://, rediss://, memcached://, nats://, tls:// (NATS with TLS) or file:FOLDER", &f.SessionStore, "sessions.store"},
		{"session-key-file", "the fleet's keys, a `file` with a line of 64 hex digits each", &f.SessionKeys, "sessions.key-file"},
		{"session-timeout", "wait this `time` for the store (default 20ms)", &f.SessionTimeout, "sessions.timeout"},
		{"single-use", "let each ticket resume once", &f.SingleUse, "sessions.single-use"},
		{"session-ids", "keep sessions for clients without tickets too", &f.SessionIDs, "sessions.session-ids"},
		{"ticket-rotation", "seal with another ticket key after this `time`, 30m to 24h (default 24h)", &f.TicketRotation, "sessions.rotation"},
		{"metrics", "show /metrics, /healthz and /readyz at this `address`", &f.Metrics, "admin.listen"},
		{"pprof", "show /debug/pprof at the address of --metrics", &f.PProf, "admin.pprof"},
		{"otlp", "send spans to this OpenTelemetry collector, a `URL`", &f.OTLP, "admin.otlp"},
		{"log-format", "write the log in this `format`: text or json (default text)", &f.LogFormat, "log.format"},
		{"log-level", "write messages of this `level` and above: debug, info, warn or error (default info)", &f.LogLevel, "log.level"},
		{"log-connections", "write a line for each connection", &f.LogConnections, "log.connections"},
		{"trace-sample", "keep traces of this `share` of connections, 0 to 1, for vitrine explain", &f.TraceSample, "traces.sample"},
		{"trace-failures", "keep traces of failed handshakes", &f.TraceFailures, "traces.failures"},
		{"trace-dir", "the `folder` for traces", &f.TraceDir, "traces.folder"},
		{"user", "become this `user` once all is open", &f.User, "process.user"},
		{"group", "become a member of this `group` once all is open", &f.Group, "process.group"},
		{"sandbox", "shut this process off by landlock and seccomp: `how`, auto, require or off (default auto)", &f.Sandbox, "process.sandbox"},
		{"keys", "keep private keys `where`: memory, locked or process (default memory)", &f.Keys, "process.keys"},
		{"grace", "let connections go on for this `time` after a stop (default 30s)", &f.Grace, "process.grace"},
		{"handover", "hand the listeners to a new process by this unix `socket`", &f.Handover, "process.handover"},
	}
}

// Config makes a configuration of the flags. The error names a flag that does nothing beside
// the others, or has not the right form; what the values mean is for [Check].
func (f *Flags) Config() (*Config, error) {
	c, err := f.expand()
	if err != nil {
		return nil, err
	}
	kept := flatten(c)
	if len(f.Key) > 0 && len(kept.Key) == 0 && slices.Equal(f.Key, f.Cert) {
		kept.Key = f.Key // which says what is so without it
	}
	if t := c.Listeners[0].TLS; t != nil {
		kept.ClientAuth = t.ClientAuth
	}
	for i, flag := range f.All() {
		given, back := reflect.ValueOf(flag.Value).Elem(), reflect.ValueOf(kept.All()[i].Value).Elem()
		if !given.IsZero() && len(differences(given, back, flag.Name)) > 0 {
			return nil, fmt.Errorf("--%s does nothing beside the other flags; %s", flag.Name, needs(flag.Name))
		}
	}
	c.typed = true
	return c, nil
}

// needs says what a flag wants beside it, where it does nothing.
func needs(name string) string {
	for _, row := range []struct{ prefix, what string }{
		{"target-cert", "add --target-tls, or show a certificate with --client by --cert"}, {"target-key", "add --target-cert"},
		{"target-tls", "leave it out, as --client says the same"},
		{"ca", "add --target-tls or --client"}, {"sni", "add --target-tls or --client"}, {"pin", "add --target-tls or --client"}, {"insecure", "add --target-tls or --client"},
		{"acme", "add --acme NAMES"}, {"agree-terms", "add --acme NAMES"}, {"password-file", "add --pkcs12 FILE"}, {"key", "give one --cert with each --key"},
		{"health", "add --health TIME"}, {"forwarded-from", "add --mode http"}, {"hsts", "add --mode http"}, {"target-host", "add --mode http"}, {"client-cert-header", "add --mode http"},
		{"client-a", "leave it out, or --client"}, {"client-ca", "leave it out, or --client"},
	} {
		if strings.HasPrefix(name, row.prefix) {
			return row.what
		}
	}
	return "leave it out, or say all of it in a file: vitrine proxy --config FILE"
}

// FlagsOf returns the arguments of vitrine proxy that say what c does. The names of targets
// become others. The error names what no flag can say.
func FlagsOf(c *Config) ([]string, error) {
	if len(c.Listeners) == 0 {
		return nil, errors.New("there is no listener; flags describe one")
	}
	if i := slices.IndexFunc(c.Listeners[0].Routes, func(r Route) bool { return len(r.Names) == 0 }); i >= 0 {
		return nil, fmt.Errorf("flags cannot say listeners[0].routes[%d], a route without names; keep the YAML file, which can", i)
	}
	f := flatten(c)
	back, err := f.expand()
	if err != nil {
		return nil, err
	}
	used, unused := renamed(c)
	if lost := append(differences(reflect.ValueOf(used), reflect.ValueOf(*back), ""), unused...); len(lost) > 0 {
		return nil, fmt.Errorf("flags cannot say %s; keep the YAML file, which can", strings.Join(lost[:min(len(lost), 4)], ", "))
	}
	var args []string
	for _, flag := range f.All() {
		more, err := arguments(flag)
		if err != nil {
			return nil, err
		}
		args = append(args, more...)
	}
	return args, nil
}

// arguments write one flag; none where it is not set.
func arguments(flag Flag) (args []string, err error) {
	name := "--" + flag.Name
	switch v := flag.Value.(type) {
	case *[]string:
		for _, one := range *v {
			args = append(args, name, one)
		}
	case *List:
		if slices.ContainsFunc(*v, func(s string) bool { return s == "" || strings.Contains(s, ",") }) {
			return nil, fmt.Errorf("%s cannot say a value with a comma in it, or an empty one; keep the YAML file, which can", name)
		}
		if len(*v) > 0 {
			args = []string{name, strings.Join(*v, ",")}
		}
	case *bool:
		if *v {
			args = []string{name}
		}
	default:
		if value := textOf(reflect.ValueOf(v).Elem()); value != "" {
			args = []string{name, value}
		}
	}
	return args, nil
}

// FlagOf is the flag that a path of a Config of flags comes from, as --min; the path itself
// where there is none.
func (c *Config) FlagOf(path string) string {
	if flag := c.routeFlag(path); flag != "" {
		return flag
	}
	bare := strings.Join(indexes.Split(path, -1), "")
	keys := strings.Split(bare, ".")
	if len(keys) > 2 && keys[0] == "targets" {
		bare = "targets." + strings.Join(keys[2:], ".")
	}
	for _, flag := range new(Flags).All() {
		if slices.Contains(strings.Fields(flag.path), bare) {
			return "--" + flag.Name
		}
	}
	return path
}

// routeFlag is the flag of a path that speaks of a route, or of its target; empty for others.
func (c *Config) routeFlag(path string) string {
	for _, l := range c.Listeners {
		for i, r := range l.Routes {
			flag := "--route"
			if r.Passthrough {
				flag = "--passthrough"
			}
			if strings.HasPrefix(path, fmt.Sprintf("listeners[0].routes[%d]", i)) || strings.HasPrefix(path, "targets."+r.Target+".addresses") {
				return flag
			}
		}
	}
	return ""
}

// textOf is a scalar as it is written; empty for the zero value.
func textOf(v reflect.Value) string {
	if v.IsZero() {
		return ""
	}
	switch v := v.Interface().(type) {
	case Duration:
		text, _ := v.MarshalText() // which cannot fail
		return string(text)
	case Size:
		text, _ := v.MarshalText()
		return string(text)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v.Interface())
}
