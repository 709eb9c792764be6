package convert

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// ghostunnelLost are flags without an equivalent.
var ghostunnelLost = map[string]string{
	"storepass": "has a password on the command line; write it into a file, and name that with password-file", "timed-reload": "is left out: files are watched; nothing needs it",
	"close-timeout": "has no equivalent; limits.idle-timeout ends what is silent", "max-conn-lifetime": "has no equivalent; limits.idle-timeout ends what is silent",
	"cipher-suites": "has no equivalent in families; name the suites with suites", "allow-unsafe-cipher-suites": "has no equivalent; name the suites with suites, and what they need with legacy",
	"unsafe-target": "is left out: targets may be anywhere; nothing needs it", "unsafe-listen": "is left out: listeners may be anywhere; nothing needs it", "skip-resolve": "is left out: names of targets are looked up for each connection; nothing needs it",
	"quiet": "is left out; set log.level, and log.connections for lines of connections", "use-landlock": "is left out: the sandbox is on; process.sandbox: off takes it away", "syslog": "is left out: the log goes to standard error; systemd takes it to the journal", "eventlog": "is left out: the log goes to standard error; send it on by the shell",
	"metrics-graphite": "has no equivalent; let Prometheus read admin.listen", "metrics-url": "has no equivalent; let Prometheus read admin.listen", "metrics-prefix": "is left out: the names are vitrine's; mend the queries", "metrics-interval": "is left out: Prometheus asks; nothing needs it", "enable-shutdown": "has no equivalent; stop the process by a signal",
	"use-workload-api": "has no equivalent; let an agent write the certificates into files, which are watched", "use-workload-api-addr": "has no equivalent; let an agent write the certificates into files",
	"pkcs11-module": "has no equivalent; give the key in a file", "pkcs11-token-label": "has no equivalent; give the key in a file", "pkcs11-pin": "has no equivalent; give the key in a file", "keychain-identity": "has no equivalent; give the key in a file", "keychain-issuer": "has no equivalent; give the key in a file", "keychain-require-token": "has no equivalent; give the key in a file",
	"connect-proxy": "has no equivalent; reach the target without another proxy", "target-status": "has no equivalent of its own; health.http checks the target", "status-cert": "has no equivalent: the listener of admin is in the clear; let it listen on 127.0.0.1",
	"auto-acme-testca": "is left out; name a directory for tests with acme.directory",
}

// ghostunnelSwitches are flags without a value.
var ghostunnelSwitches = map[string]bool{
	"allow-all": true, "disable-authentication": true, "auto-acme-agree-to-tos": true, "enable-pprof": true, "enable-shutdown": true, "proxy-protocol": true, "unsafe-target": true, "unsafe-listen": true,
	"skip-resolve": true, "use-landlock": true, "syslog": true, "eventlog": true, "use-workload-api": true, "allow-unsafe-cipher-suites": true, "keychain-require-token": true, "disable-landlock": true,
}

// Ghostunnel reads ghostunnel's command line: "server --listen ..." or "client --listen ...".
func Ghostunnel(args []string) (*Result, error) {
	if len(args) > 0 && args[0] == "ghostunnel" {
		args = args[1:]
	}
	g := &ghostunnel{maker: newMaker(), listener: config.Listener{Target: "target"}, client: &config.ClientTLS{}, auth: "require"}
	mode := ""
	for i := 0; i < len(args); i++ {
		name, isFlag := strings.CutPrefix(args[i], "--")
		switch {
		case !isFlag && mode == "" && (args[i] == "server" || args[i] == "client"):
			mode = args[i]
			continue
		case !isFlag:
			return nil, fmt.Errorf("%.100q is not a flag of ghostunnel; give all of its arguments, as in: server --listen ADDRESS --target ADDRESS", args[i])
		}
		key, value, ok := strings.Cut(name, "=")
		o := option{text: args[i], key: key, value: value}
		if !ok && !ghostunnelSwitches[key] {
			if i++; i >= len(args) {
				return nil, fmt.Errorf("--%s has no value; give one", key)
			}
			o.value = args[i]
			if key != "storepass" && key != "pkcs11-pin" { // secrets are not repeated
				o.text += " " + args[i]
			}
		} else if key == "storepass" || key == "pkcs11-pin" {
			o.text = "--" + key
		}
		g.set(o)
	}
	if mode == "" {
		return nil, fmt.Errorf("neither server nor client is there; give all of ghostunnel's arguments, as in: server --listen ADDRESS --target ADDRESS")
	}
	g.end(mode == "client")
	return g.finish(), nil
}

// ghostunnel collects what the flags say.
type ghostunnel struct {
	*maker
	listener config.Listener
	target   config.Target
	client   *config.ClientTLS
	cert     config.Certificate
	acme     *config.ACME
	ca, auth string
	allow    []string
	versions config.Versions
	mustBe   []option // rules on the server that have no equivalent
}

func (g *ghostunnel) set(o option) {
	switch o.key {
	case "listen":
		g.listener.Listen = append(g.listener.Listen, o.value)
	case "target":
		g.target.Addresses = append(g.target.Addresses, o.value)
	case "keystore":
		if lower := strings.ToLower(o.value); strings.HasSuffix(lower, ".p12") || strings.HasSuffix(lower, ".pfx") {
			g.cert.PKCS12 = o.value
		} else {
			g.cert.Cert = o.value
		}
	case "cert":
		g.cert.Cert = o.value
	case "key":
		g.cert.Key = o.value
	case "cacert":
		g.ca = o.value
	case "disable-authentication":
		g.auth = ""
	case "override-server-name":
		g.client.Name = o.value
	case "max-tls-version":
		g.versions.Max = g.version(o, o.value)
	case "min-tls-version":
		g.versions.Min = g.version(o, o.value)
	default:
		if !g.rule(o) && !g.further(o) && !g.lost(ghostunnelLost, o) {
			g.unknown(o)
		}
	}
}

// rule takes rules on the other side.
func (g *ghostunnel) rule(o option) bool {
	kind, name, _ := strings.Cut(o.key, "-")
	switch {
	case kind == "allow" && (name == "cn" || name == "ou" || name == "dns" || name == "uri"):
		g.allow = append(g.allow, name+":"+o.value)
	case o.key == "allow-ip":
		g.allow = append(g.allow, "ip:"+o.value)
	case o.key == "allow-dns-san", o.key == "allow-uri-san", o.key == "allow-ip-san":
		g.allow = append(g.allow, strings.TrimSuffix(name, "-san")+":"+o.value)
	case o.key == "allow-all":
		g.allow = append(g.allow, "all")
	case o.key == "verify-dns", o.key == "verify-dns-san":
		if g.client.Name != "" && g.client.Name != o.value {
			g.mustBe = append(g.mustBe, o)
		} else {
			g.client.Name = o.value
		}
	case kind == "verify":
		g.mustBe = append(g.mustBe, o)
	case o.key == "allow-policy", o.key == "allow-query":
		g.note(o, "is a policy of OPA, and REPLACE stands in its place; write it in allow as cel:EXPRESSION")
		g.allow = append(g.allow, placeholder)
	default:
		return false
	}
	return true
}

// further takes flags on the process, ACME and the target.
func (g *ghostunnel) further(o option) bool {
	c := g.Config
	switch o.key {
	case "auto-acme-cert":
		g.authority().Names = append(g.authority().Names, o.value)
	case "auto-acme-email":
		g.authority().Email = o.value
	case "auto-acme-agree-to-tos":
		g.authority().AgreeToS = true
	case "auto-acme-ca":
		g.authority().Directory = o.value
	case "status":
		c.Admin.Listen = strings.TrimPrefix(o.value, "http://")
		g.note(o, "may be https there, and is in the clear here, with other paths; ask for /healthz, /readyz and /metrics")
	case "enable-pprof":
		c.Admin.PProf = true
	case "shutdown-timeout":
		c.Process.Grace = g.seconds(o)
	case "connect-timeout":
		g.target.ConnectTimeout = g.seconds(o)
	case "max-concurrent-conns":
		if _, err := fmt.Sscan(o.value, &c.Limits.Connections); err != nil {
			g.note(o, "is not a number, and left out; write limits.connections")
		}
	case "proxy-protocol":
		g.target.ProxyProtocol = "v2"
	case "proxy-protocol-mode":
		g.target.ProxyProtocol = "v2"
		if strings.HasPrefix(o.value, "tls") {
			g.target.ProxyProtocol = "v2-tls"
		}
	case "disable-landlock":
		c.Process.Sandbox = "off"
	default:
		return false
	}
	return true
}

// authority is the certificate of ACME, with a folder that has to be named.
func (g *ghostunnel) authority() *config.ACME {
	if g.acme == nil {
		g.acme = &config.ACME{Storage: "/var/lib/vitrine/acme"}
		g.note(option{text: "--auto-acme-cert"}, "has a folder of its own choice, and here it is /var/lib/vitrine/acme; name another with acme.storage if that is not right")
	}
	return g.acme
}

// end puts the parts together.
func (g *ghostunnel) end(client bool) {
	l := &g.listener
	if client {
		t := g.client
		t.Versions, t.CA = g.versions, g.ca
		if g.auth != "" {
			t.Cert, t.Key = g.cert.Cert, g.cert.Key
		}
		if g.cert.PKCS12 != "" && g.auth != "" {
			g.note(option{text: "--keystore"}, "is in PKCS#12, and vitrine shows a certificate in PEM to a target; convert it with 'openssl pkcs12'")
		}
		for _, o := range g.mustBe {
			g.note(o, "has no equivalent for a target, and REPLACE stands in pins for it; list the target's key there as sha256/BASE64, or leave pins out if its name is enough")
			t.Pins = append(t.Pins, placeholder)
		}
		g.target.TLS = t
	} else {
		g.server(l)
	}
	g.Config.Listeners = []config.Listener{*l}
	g.Config.Targets["target"] = g.target
}

// server ends TLS at the listener.
func (g *ghostunnel) server(l *config.Listener) {
	t := &config.ServerTLS{Versions: g.versions, ClientAuth: g.auth}
	if g.cert.Cert+g.cert.Key+g.cert.PKCS12 != "" {
		t.Certificates = append(t.Certificates, g.cert)
	}
	if g.acme != nil {
		t.Certificates = append(t.Certificates, config.Certificate{ACME: g.acme})
	}
	if g.auth != "" {
		t.ClientCA, l.Allow = g.ca, g.allow
		if g.ca == "" {
			g.note(option{text: "--cacert"}, "is not there, so that every authority of the system lets clients in; name yours with client-ca")
		}
		if len(l.Allow) == 0 {
			g.note(option{text: "--allow-..."}, "is not there, and REPLACE stands in its place; write which clients may come in")
			l.Allow = []string{placeholder}
		}
	} else if len(g.allow) > 0 {
		g.note(option{text: "--disable-authentication"}, "lets everybody in, so that the rules do nothing, and they are left out; add client-auth: require and allow if clients are to be verified")
	}
	l.TLS = t
}
