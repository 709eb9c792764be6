package config

import "strings"

// A Config says what one proxy does. The zero value does nothing.
type Config struct {
	Listeners []Listener `yaml:"listeners"`
	// Targets are the places connections go to, by the names that listeners and routes use.
	Targets map[string]Target `yaml:"targets"`

	Limits   Limits   `yaml:"limits,omitempty"`
	Sessions Sessions `yaml:"sessions,omitempty"`
	Admin    Admin    `yaml:"admin,omitempty"`
	Log      Log      `yaml:"log,omitempty"`
	Traces   Traces   `yaml:"traces,omitempty"`
	Process  Process  `yaml:"process,omitempty"`

	source source // where Parse found what
	typed  bool   // it is made of flags
}

// Modes of a Listener.
const (
	ModeTCP  = "tcp"  // bytes are passed on as they are
	ModeHTTP = "http" // requests are read and passed on one by one
)

// A Listener takes connections under one set of rules.
type Listener struct {
	// Listen are addresses: HOST:PORT, :PORT, unix:PATH, or systemd:NAME for a socket that
	// systemd opened (FileDescriptorName of the socket unit).
	Listen []string `yaml:"listen"`
	// Mode is ModeTCP, which is the default, or ModeHTTP.
	Mode string `yaml:"mode,omitempty"`
	// ProxyProtocol reads the address of the client from a header in front.
	ProxyProtocol ProxyProtocol `yaml:"proxy-protocol,omitempty"`
	// StartTLS is the protocol that turns to TLS by a command: smtp, imap, pop3, ftp, ldap or
	// postgres; or ftps, which is FTP with TLS first. The target speaks the same protocol in the clear.
	StartTLS string `yaml:"starttls,omitempty"`
	// FTP is about data connections where StartTLS is ftp or ftps.
	FTP *FTP `yaml:"ftp,omitempty"`
	// TLS ends TLS here; nil takes connections in the clear, or passes TLS on unopened
	// where all routes are Passthrough.
	TLS *ServerTLS `yaml:"tls,omitempty"`
	// Allow are rules of which a client's identity must meet one; empty allows everybody that
	// TLS.ClientAuth lets in. See package access.
	Allow []string `yaml:"allow,omitempty"`
	HTTP  *HTTP    `yaml:"http,omitempty"`
	// Routes are tried in their order; the first that fits decides.
	Routes []Route `yaml:"routes,omitempty"`
	// Target is where a connection goes that no route fits; empty refuses it.
	Target string `yaml:"target,omitempty"`
}

// ProxyProtocol says from whom a PROXY protocol header is taken (version 1 or 2). From one
// of these networks it is required; from elsewhere it is not looked for.
type ProxyProtocol struct {
	From []string `yaml:"from,omitempty"` // CIDR networks or addresses; unix for unix sockets
}

// A Route sends connections for some names to a target of their own.
type Route struct {
	// Names are server names (SNI; in HTTP mode the Host too): exact ones, or *.example.com for one label
	// before it. Empty fits every name, and none.
	Names []string `yaml:"names,omitempty"`
	// ALPN are application protocols, of which the client must offer one. Empty fits all.
	ALPN []string `yaml:"alpn,omitempty"`
	// Passthrough sends the connection on unopened, ClientHello first.
	Passthrough bool `yaml:"passthrough,omitempty"`
	// Allow replaces the listener's Allow where it is not empty.
	Allow  []string `yaml:"allow,omitempty"`
	Target string   `yaml:"target"`
}

// FTP says how clients' data connections are taken.
type FTP struct {
	// Address is the IPv4 address that PASV tells clients; empty: the one that they have connected to.
	Address string `yaml:"address,omitempty"`
	// FirstPort and LastPort bound the ports of passive mode; 0: the system's choice.
	FirstPort int `yaml:"first-port,omitempty"`
	LastPort  int `yaml:"last-port,omitempty"`
	// ClearData lets clients ask for data in the clear (PROT C).
	ClearData bool `yaml:"clear-data,omitempty"`
	// AnySession takes data connections that do not resume the control connection's session.
	AnySession bool `yaml:"any-session,omitempty"`
}

// ServerTLS is how TLS is spoken with clients.
type ServerTLS struct {
	Certificates []Certificate `yaml:"certificates,omitempty"`
	Versions     `yaml:",inline"`
	// ALPN are the application protocols, best first. Empty: in HTTP mode h2 and http/1.1, else none.
	ALPN []string `yaml:"alpn,omitempty"`
	// ClientAuth is none (the default), request (verified if there is one) or require.
	ClientAuth string `yaml:"client-auth,omitempty"`
	// ClientCA is a PEM file of the authorities of clients' certificates.
	ClientCA string `yaml:"client-ca,omitempty"`
	// Revocation of clients' certificates: off, soft or hard. Empty looks at stapled responses and CRL alone.
	Revocation string `yaml:"revocation,omitempty"`
	// CRL are files with revocation lists for clients' certificates.
	CRL []string `yaml:"crl,omitempty"`
	// PSKFile holds a line "identity:hex" for each pre-shared key. In TLS 1.3 they
	// are used as they are, with SHA-256.
	PSKFile string `yaml:"psk-file,omitempty"`
	// ECHKeys are PEM files with keys for Encrypted Client Hello, which vitrine cert ech makes,
	// the newest first: clients with an old config are told of that.
	ECHKeys []string `yaml:"ech-keys,omitempty"`
	// NoStapling leaves OCSP responses out.
	NoStapling bool `yaml:"no-stapling,omitempty"`
}

// Versions are what a side agrees to, in the words of the command's flags.
type Versions struct {
	Min     string   `yaml:"min,omitempty"` // tls1.2 by default
	Max     string   `yaml:"max,omitempty"`
	Suites  []string `yaml:"suites,omitempty"`
	Groups  []string `yaml:"groups,omitempty"`
	SigAlgs []string `yaml:"sigalgs,omitempty"`
	Legacy  []string `yaml:"legacy,omitempty"`
}

// A Certificate is one of: files in PEM, a PKCS#12 file, names to get from an ACME authority, or
// the development authority.
type Certificate struct {
	Cert string `yaml:"cert,omitempty"` // PEM, leaf first
	Key  string `yaml:"key,omitempty"`  // PEM; empty: in Cert

	PKCS12       string `yaml:"pkcs12,omitempty"`
	PasswordFile string `yaml:"password-file,omitempty"`

	ACME *ACME `yaml:"acme,omitempty"`

	// Development are names for which the development authority makes a certificate.
	Development []string `yaml:"development,omitempty"`
}

// Sources are what reports call the certificate by: its file, or where it comes from.
func (c *Certificate) Sources() (names []string) {
	switch {
	case c.Cert != "":
		return []string{c.Cert}
	case c.PKCS12 != "":
		return []string{c.PKCS12}
	case len(c.Development) > 0:
		return []string{"development " + strings.Join(c.Development, ",")}
	case c.ACME != nil:
		for _, name := range c.ACME.Names {
			names = append(names, acmeSource+strings.ToLower(strings.TrimSuffix(name, ".")))
		}
		names = append(names, acmeSource+"storage "+c.ACME.Storage)
	}
	return names
}

const acmeSource = "acme "

// ACME gets and renews certificates (RFC 8555).
type ACME struct {
	Names     []string `yaml:"names"`
	Email     string   `yaml:"email,omitempty"`
	Directory string   `yaml:"directory,omitempty"` // Let's Encrypt by default
	CA        string   `yaml:"ca,omitempty"`        // PEM file to trust the directory by; the system's by default
	// Challenge is tls-alpn-01 (the default), which the listener answers, or http-01.
	Challenge string `yaml:"challenge,omitempty"`
	// HTTPListen is where http-01 is answered; :80 by default.
	HTTPListen string `yaml:"http-listen,omitempty"`
	Storage    string `yaml:"storage"`               // folder
	AgreeToS   bool   `yaml:"agree-terms,omitempty"` // you have read the authority's terms
}

// HTTP is what HTTP mode adds to requests and responses.
type HTTP struct {
	// ForwardedFrom are networks whose X-Forwarded-* headers are kept and added to; from elsewhere they are replaced.
	ForwardedFrom []string `yaml:"forwarded-from,omitempty"`
	// ClientCert sends the client's certificate on (RFC 9440): off (the default), leaf or chain.
	ClientCert string `yaml:"client-cert,omitempty"`
	// HSTS is the max-age of Strict-Transport-Security; 0 for none.
	HSTS Duration `yaml:"hsts,omitempty"`
	// HSTSSubdomains and HSTSPreload are its further words.
	HSTSSubdomains bool `yaml:"hsts-subdomains,omitempty"`
	HSTSPreload    bool `yaml:"hsts-preload,omitempty"`
	// KeepHost sends the client's Host; else the target's address is sent.
	KeepHost *bool `yaml:"keep-host,omitempty"` // nil: true
	// EarlyData takes requests as early data (0-RTT), each ticket once, and sends safe ones on with Early-Data: 1.
	EarlyData bool `yaml:"early-data,omitempty"`
}

// Ways to choose among the addresses of a Target.
const (
	RoundRobin       = "round-robin" // the default
	LeastConnections = "least-connections"
)

// A Target is a service at one or more addresses.
type Target struct {
	// Addresses are HOST:PORT or unix:PATH.
	Addresses []string `yaml:"addresses"`
	Balance   string   `yaml:"balance,omitempty"`
	Health    *Health  `yaml:"health,omitempty"`
	// TLS is spoken with the target where it is not nil.
	TLS *ClientTLS `yaml:"tls,omitempty"`
	// StartTLS is the protocol by which the target is asked to turn to TLS.
	StartTLS string `yaml:"starttls,omitempty"`
	// ProxyProtocol writes a header in front: v1, v2, or v2-tls, which has what TLS found out too.
	// In TCP mode only: requests of many clients share connections.
	ProxyProtocol string `yaml:"proxy-protocol,omitempty"`
	// ConnectTimeout is for each address; 5 s by default.
	ConnectTimeout Duration `yaml:"connect-timeout,omitempty"`
}

// Health says how the addresses of a target are checked.
type Health struct {
	Interval Duration `yaml:"interval,omitempty"` // 5 s by default
	Timeout  Duration `yaml:"timeout,omitempty"`  // 2 s by default
	// HTTP is a path to GET, for which an answer below 400 is good; empty: connecting is enough, TLS included.
	HTTP string `yaml:"http,omitempty"`
	// Fall and Rise are how many results in a row change the state; 2 and 1 by default.
	Fall int `yaml:"fall,omitempty"`
	Rise int `yaml:"rise,omitempty"`
}

// ClientTLS is how TLS is spoken with a target.
type ClientTLS struct {
	Versions `yaml:",inline"`
	// Name is the name in the target's certificate; empty: the host of its address.
	Name string `yaml:"name,omitempty"`
	// CA is a PEM file of authorities; empty: the system's.
	CA   string `yaml:"ca,omitempty"`
	Cert string `yaml:"cert,omitempty"`
	Key  string `yaml:"key,omitempty"`
	// Pins are public keys, "sha256/BASE64" over the SubjectPublicKeyInfo, of which the leaf must have one.
	Pins       []string `yaml:"pins,omitempty"`
	ALPN       []string `yaml:"alpn,omitempty"`
	Revocation string   `yaml:"revocation,omitempty"`
	// Insecure verifies nothing: anybody on the way can read and change everything.
	Insecure bool `yaml:"insecure,omitempty"`
}

// Limits hold off floods. 0 is the default of each.
type Limits struct {
	Connections int `yaml:"connections,omitempty"` // in all; 100,000
	PerAddress  int `yaml:"per-address,omitempty"` // of one IPv4 address or IPv6 /64; none
	// Handshakes run at once; the rest wait for a turn. 4 for each processor.
	Handshakes       int      `yaml:"handshakes,omitempty"`
	HandshakeTimeout Duration `yaml:"handshake-timeout,omitempty"` // 10 s
	IdleTimeout      Duration `yaml:"idle-timeout,omitempty"`      // without a byte either way; none
	Memory           Size     `yaml:"memory,omitempty"`            // beyond which no connection is taken; none
	// BodyRate is how many bytes a second must come of a request's body in HTTP mode; 240 where room runs short.
	BodyRate Size `yaml:"body-rate,omitempty"`
}

// Sessions say how clients resume, on this proxy and on others of a fleet.
type Sessions struct {
	// Store is where sessions and ticket keys are: redis://, rediss://, memcached://, nats://, tls:// (NATS with TLS), file:FOLDER;
	// empty keeps them in this process.
	Store string `yaml:"store,omitempty"`
	// KeyFile has the fleet's keys, by which everything in the store is sealed: a line of 64 hex digits each,
	// the first of which seals.
	KeyFile string   `yaml:"key-file,omitempty"`
	Timeout Duration `yaml:"timeout,omitempty"` // of one look-up; 20 ms
	// SingleUse lets each ticket resume once.
	SingleUse bool `yaml:"single-use,omitempty"`
	// SessionIDs keeps sessions up to TLS 1.2 for clients without tickets.
	SessionIDs bool `yaml:"session-ids,omitempty"`
	// Rotation is how long a ticket key seals, and so how much is read with one that is stolen; 24 h.
	Rotation Duration `yaml:"rotation,omitempty"`
}

// Admin is the listener for operators.
type Admin struct {
	// Listen is HOST:PORT or unix:PATH of /metrics, /healthz, /readyz; empty for none.
	Listen string `yaml:"listen,omitempty"`
	PProf  bool   `yaml:"pprof,omitempty"` // /debug/pprof too
	// OTLP is the URL of an OpenTelemetry collector for spans of connections; empty for none.
	OTLP string `yaml:"otlp,omitempty"`
}

// Log is what is written to standard error.
type Log struct {
	Format string `yaml:"format,omitempty"` // text (the default) or json
	Level  string `yaml:"level,omitempty"`  // debug, info (the default), warn or error
	// Connections writes a line for each connection too.
	Connections bool `yaml:"connections,omitempty"`
}

// Traces are kept of some handshakes, redacted, for vitrine explain.
type Traces struct {
	// Sample is the share of connections, 0 to 1. Failed handshakes are kept if Failures is set.
	Sample   float64 `yaml:"sample,omitempty"`
	Failures bool    `yaml:"failures,omitempty"`
	Folder   string  `yaml:"folder,omitempty"`
}

// Process is how the process protects itself and stops.
type Process struct {
	// User and Group are taken on once listeners and files are open.
	User  string `yaml:"user,omitempty"`
	Group string `yaml:"group,omitempty"`
	// Sandbox is auto (the default: landlock and seccomp where the kernel has them), require or off.
	Sandbox string `yaml:"sandbox,omitempty"`
	// Keys are in this process (memory, the default), in memory that is never swapped (locked), or in a process of their own (process).
	Keys string `yaml:"keys,omitempty"`
	// Grace is how long connections may go on after a stop; 30 s by default.
	Grace Duration `yaml:"grace,omitempty"`
	// Handover is a unix socket by which a new process takes over the listeners; empty for none.
	Handover string `yaml:"handover,omitempty"`
}
