package convert

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// Stunnel reads a stunnel.conf. Each service becomes a listener, and a target of its name.
func Stunnel(data []byte) (*Result, error) {
	m := newMaker()
	var global []option
	var services []*stunnelService
	for i, line := range bytes.Split(data, []byte("\n")) {
		text := strings.TrimSpace(strings.TrimPrefix(string(line), "\ufeff"))
		o := option{line: i + 1, text: text}
		switch {
		case text == "" || text[0] == ';' || text[0] == '#':
			continue
		case text[0] == '[' && text[len(text)-1] == ']':
			s := &stunnelService{called: text[1 : len(text)-1], title: o}
			s.name = m.freeName(s, services)
			services = append(services, s)
			continue
		}
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			return nil, fmt.Errorf("line %d, %.100q, is not a line of stunnel.conf; give a file with lines KEY = VALUE", i+1, text)
		}
		o.key, o.value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
		switch {
		case m.stunnelGlobal(o):
		case len(services) > 0:
			s := services[len(services)-1]
			s.options = append(s.options, o)
		default:
			global = append(global, o)
		}
	}
	if len(services) == 0 {
		return nil, fmt.Errorf("there is no service in it; a stunnel.conf has a line [NAME] for each")
	}
	for _, s := range services {
		own := s.options
		s.options = slices.DeleteFunc(slices.Clone(global), func(g option) bool { // what a service says itself counts
			return slices.ContainsFunc(own, func(o option) bool { return o.key == g.key })
		})
		s.options = append(s.options, own...)
		m.service(s)
	}
	for _, s := range services {
		m.behind(s, services)
	}
	return m.finish(), nil
}

// longestName is what config takes of a target's name.
const longestName = 63

// targetName is a name for a target out of one for people.
func targetName(s string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, strings.TrimSpace(s))
	if name = strings.TrimLeft(name, "-_."); name == "" {
		name = "service"
	}
	return name[:min(len(name), longestName)]
}

// freeName is a name that no other service has: two of one name would go to one target.
func (m *maker) freeName(s *stunnelService, others []*stunnelService) string {
	name := targetName(s.called)
	taken := func(name string) bool {
		return slices.ContainsFunc(others, func(o *stunnelService) bool { return o.name == name })
	}
	free := name
	for n := 2; taken(free); n++ {
		number := fmt.Sprintf("-%d", n)
		free = name[:min(len(name), longestName-len(number))] + number
	}
	switch {
	case free != name:
		m.note(s.title, fmt.Sprintf("has a name that another service has too, in the letters that targets may have, and its target is %q; rename it as you like", free))
	case name != strings.TrimSpace(s.called):
		m.note(s.title, fmt.Sprintf("has a name that no target may have, and its target is %q; rename it as you like", name))
	}
	return free
}

// stunnelLost are options without an equivalent.
var stunnelLost = map[string]string{
	"foreground": "is left out: vitrine proxy stays in the foreground; let systemd start it", "pid": "is left out: no file is written; let systemd keep the process",
	"output": "is left out: the log goes to standard error; send it to a file by the shell or systemd", "syslog": "is left out: the log goes to standard error; systemd takes it to the journal",
	"log": "is left out: the log goes to standard error; append it to a file by the shell", "service": "is left out: it names the program in logs; nothing needs it",
	"chroot": "has no equivalent; process.sandbox shuts the process off from files without it", "fips": "has no equivalent, and no FIPS module is used; use another program if you must have one",
	"engine": "has no equivalent; give the key in a file", "enginectrl": "has no equivalent; give the key in a file", "enginedefault": "has no equivalent; give the key in a file", "engineid": "has no equivalent; give the key in a file", "enginenum": "has no equivalent; give the key in a file",
	"compression": "has no equivalent, as compression leaks secrets; leave it off", "rndfile": "is left out: the system's random numbers are used; nothing needs it", "rndbytes": "is left out: the system's random numbers are used; nothing needs it", "rndoverwrite": "is left out: the system's random numbers are used; nothing needs it",
	"socket": "has no equivalent, and the usual options of sockets are set; nothing needs it", "include": "is not followed; convert the files that it names too",
	"exec": "has no equivalent, as no program is started; let it listen on a socket, and name that as target", "execargs": "has no equivalent, as no program is started; let it listen on a socket, and name that as target", "pty": "has no equivalent, as no program is started; let it listen on a socket",
	"capath":   "is a folder, and vitrine takes one file; put its certificates into one, and name it as ca or client-ca",
	"redirect": "has no equivalent: a client without a certificate is refused; leave it so, or write a listener for others", "transparent": "has no equivalent; use proxy-protocol on the target, to tell it the client's address",
	"local": "has no equivalent; let the system choose the address from which targets are reached", "delay": "is left out: names of targets are looked up for each connection; nothing needs it",
	"retry": "is left out: another address is tried by itself; nothing needs it", "reset": "is left out: a connection that breaks is broken on the other side too; nothing needs it",
	"timeoutbusy": "has no equivalent; limits.idle-timeout ends what is silent", "timeoutclose": "has no equivalent; process.grace bounds the end", "timeoutocsp": "has no equivalent; it is bounded by itself",
	"sessioncachesize": "is left out: the cache is bounded by itself; nothing needs it", "sessioncachetimeout": "is left out: sessions end by themselves; nothing needs it", "sessionresume": "is left out: clients resume; nothing needs it", "sessiond": "has no equivalent; use sessions.store", "ticketkeysecret": "has no equivalent, and keys are rotated; use sessions.store and sessions.key-file for several machines", "ticketmacsecret": "has no equivalent; use sessions.store and sessions.key-file",
	"securitylevel": "has no equivalent; the defaults are as strict as 2", "logid": "is left out: connections are numbered; nothing needs it", "dh": "has no equivalent; groups names those of RFC 7919", "config": "has no equivalent; name the setting of OpenSSL that it makes",
	"protocolhost": "has no equivalent; reach the server without another proxy", "protocolusername": "has no equivalent; reach the server without another proxy", "protocolpassword": "has no equivalent; reach the server without another proxy", "protocolauthentication": "has no equivalent; reach the server without another proxy", "protocoldomain": "has no equivalent; reach the server without another proxy", "protocolheader": "has no equivalent; reach the server without another proxy",
	"pskidentity": "has no equivalent, as no pre-shared key is shown to targets; use a certificate", "taskbar": "is left out: there is no window; nothing needs it", "iconactive": "is left out: there is no window; nothing needs it", "iconerror": "is left out: there is no window; nothing needs it", "iconidle": "is left out: there is no window; nothing needs it",
	"ocspflag": "has no equivalent; responses are verified in full", "ocspnonce": "has no equivalent; responses are taken while they hold",
}

// stunnelGlobal takes what holds for the process.
func (m *maker) stunnelGlobal(o option) bool {
	c := m.Config
	switch o.key {
	case "setuid":
		c.Process.User = o.value
	case "setgid":
		c.Process.Group = o.value
	case "debug":
		level := strings.ToLower(o.value[strings.LastIndexByte(o.value, '.')+1:])
		switch level {
		case "7", "debug":
			c.Log.Level = "debug"
		case "4", "warning", "3", "err", "2", "crit", "1", "alert", "0", "emerg":
			c.Log.Level = map[bool]string{true: "warn", false: "error"}[level == "4" || level == "warning"]
		}
	case "timeoutidle":
		c.Limits.IdleTimeout = max(c.Limits.IdleTimeout, m.seconds(o)) // one for all
		if c.Limits.IdleTimeout > 0 {
			m.note(o, "holds for all connections here, and not for one service; the longest is taken")
		}
	default:
		return false
	}
	return true
}

// A stunnelService is a section of the file.
type stunnelService struct {
	called  string // in the file
	name    string // of its target, which no other has
	title   option
	options []option
	index   int // of its listener; -1 where it has none

	client                        bool
	certs, keys, hosts, names     []string
	ca                            string
	verify, peer                  option // key is empty where it is not set
	accept                        []string
	target                        config.Target
	versions                      config.Versions
	ciphers, suites               *option
	revocation, protocol, pskFile string
	crl                           []string
	barred                        []string // stands in allow for what keeps clients out and has no equivalent
	front                         option   // sni = SERVICE:PATTERN
}

// service makes a listener and a target of a section.
func (m *maker) service(s *stunnelService) {
	s.index = -1
	for _, o := range s.options {
		if o.key == "client" {
			s.client = yes(o.value)
		}
	}
	for _, o := range s.options {
		if !s.set(m, o) && !s.setTLS(m, o) && !s.setTrust(m, o) && !s.setBarred(m, o) && !m.lost(stunnelLost, o) {
			m.unknown(o)
		}
	}
	m.bothSuites(s.ciphers, s.suites, &s.versions)
	s.setProtocol(m)
	if len(s.target.Addresses) == 0 {
		m.note(s.title, "has no address to connect to, so that the service is left out; name one as target")
		return
	}
	l := config.Listener{Listen: s.accept, Target: s.name}
	if s.client {
		s.target.TLS = s.clientTLS(m)
	} else {
		l.TLS, l.Allow = s.serverTLS(m)
		if slices.Contains([]string{"smtp", "imap", "pop3", "ldap", "postgres"}, s.protocol) {
			l.StartTLS = s.protocol
		}
	}
	l.Allow = append(l.Allow, s.barred...)
	m.Config.Targets[s.name] = s.target
	if s.front.key == "" {
		s.index = len(m.Config.Listeners)
		m.Config.Listeners = append(m.Config.Listeners, l)
	}
}

// set takes options on addresses and protocols.
func (s *stunnelService) set(m *maker, o option) bool {
	switch o.key {
	case "client":
	case "accept":
		s.accept = append(s.accept, address(o.value, ""))
	case "connect":
		s.target.Addresses = append(s.target.Addresses, address(o.value, "localhost"))
	case "failover":
		if o.value == "prio" {
			m.note(o, "tries addresses in their order, and here they take turns; leave one address alone, or let a balancer choose")
		}
	case "timeoutconnect":
		s.target.ConnectTimeout = m.seconds(o)
	case "protocol":
		s.protocol = strings.ToLower(o.value)
		if s.protocol == "pgsql" {
			s.protocol = "postgres"
		}
	case "sni":
		if s.client {
			s.names = append(s.names, o.value)
		} else {
			s.front = o
		}
	default:
		return false
	}
	return true
}

// setProtocol takes what is spoken before TLS.
func (s *stunnelService) setProtocol(m *maker) {
	for _, o := range s.options {
		if o.key != "protocol" {
			continue
		}
		switch {
		case s.protocol == "proxy" && !s.client:
			s.target.ProxyProtocol = "v1"
		case s.client && slices.Contains([]string{"smtp", "imap", "pop3", "ldap", "postgres", "nntp"}, s.protocol):
			s.target.StartTLS = s.protocol
		case !s.client && slices.Contains([]string{"smtp", "imap", "pop3", "ldap", "postgres"}, s.protocol):
		default:
			m.note(o, "has no equivalent on this side, so that the service speaks TLS at once; take it out, or keep stunnel for it")
		}
	}
}

// setTLS takes options on what is agreed on.
func (s *stunnelService) setTLS(m *maker, o option) bool {
	v := &s.versions
	switch o.key {
	case "sslversion":
		if !strings.EqualFold(o.value, "all") {
			v.Min = m.version(o, o.value)
			v.Max = v.Min
		}
	case "sslversionmin":
		if !strings.EqualFold(o.value, "all") {
			v.Min = m.version(o, o.value)
		}
	case "sslversionmax":
		if !strings.EqualFold(o.value, "all") {
			v.Max = m.version(o, o.value)
		}
	case "ciphers":
		s.ciphers = &o
	case "ciphersuites":
		s.suites = &o
	case "curve", "curves":
		m.groups(o, v)
	case "options":
		s.sslOption(m, o)
	case "renegotiation":
		if yes(o.value) {
			m.note(o, "is left out: clients may not renegotiate; nothing of today needs it")
		}
	default:
		return false
	}
	return true
}

// sslOption takes a switch of OpenSSL.
func (s *stunnelService) sslOption(m *maker, o option) {
	switch strings.TrimPrefix(strings.ToUpper(o.value), "SSL_OP_") {
	case "NO_SSLV2", "NO_SSLV3", "NO_TLSV1", "NO_TLSV1.1", "NO_TLSV1_1", "CIPHER_SERVER_PREFERENCE", "SINGLE_DH_USE", "SINGLE_ECDH_USE", "NO_COMPRESSION", "NO_RENEGOTIATION":
		// which is so
	case "NO_TLSV1.3", "NO_TLSV1_3":
		s.versions.Max = "tls1.2"
	case "NO_TLSV1.2", "NO_TLSV1_2":
		s.versions.Min = "tls1.3"
	case "NO_TICKET":
		m.note(o, "has no equivalent: clients may resume by tickets, whose keys are rotated; sessions.single-use lets each resume once")
	default:
		m.note(o, "has no equivalent; look up what it does, and see docs/proxy.md")
	}
}

// setTrust takes options on certificates.
func (s *stunnelService) setTrust(m *maker, o option) bool {
	switch o.key {
	case "cert":
		s.certs = append(s.certs, o.value)
	case "key":
		s.keys = append(s.keys, o.value)
	case "cafile":
		s.ca = o.value
	case "crlfile":
		s.crl = append(s.crl, o.value)
	case "verify":
		s.verify = o
		if o.value == "0" {
			s.verify = option{}
		}
		if o.value == "3" || o.value == "4" {
			s.peer = o
		}
	case "verifychain", "requirecert":
		if yes(o.value) {
			s.verify = o
		}
	case "verifypeer":
		if yes(o.value) {
			s.verify, s.peer = o, o
		}
	case "checkhost":
		s.hosts = append(s.hosts, "dns:"+o.value)
	case "checkip":
		s.hosts = append(s.hosts, "ip:"+o.value)
	case "checkemail":
		m.note(o, "has no equivalent, and REPLACE stands in its place; write another rule, as for a name or a key")
		s.hosts = append(s.hosts, placeholder)
	case "ocsp":
		m.note(o, "names a responder, and the one that a certificate names is asked; revocation: hard stands in its place")
		s.revocation = "hard"
	case "ocspaia":
		if yes(o.value) {
			s.revocation = "hard"
		}
	case "ocsprequire":
		if !yes(o.value) {
			m.note(o, "is as revocation: soft; set it so if responders may fail")
		}
	case "psksecrets":
		s.pskFile = o.value
		m.note(o, "has lines IDENTITY:KEY here too, but the key is in hex; check the file")
	default:
		return false
	}
	return true
}

// setBarred takes options that keep clients out and have no equivalent.
func (s *stunnelService) setBarred(m *maker, o option) bool {
	switch o.key {
	case "crlpath":
		m.note(o, "is a folder, and vitrine takes files; REPLACE stands in allow, so list them under crl, and take it out")
		s.barred = append(s.barred, placeholder)
	case "libwrap":
		if yes(o.value) {
			m.note(o, "has no equivalent, and REPLACE stands in allow; keep strangers out by the firewall, and take it out")
			s.barred = append(s.barred, placeholder)
		}
	case "ident":
		m.note(o, "has no equivalent, and REPLACE stands in allow; write which clients may come in")
		s.barred = append(s.barred, placeholder)
	default:
		return false
	}
	return true
}
