package convert

import (
	"bytes"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/vocabulary"
	"github.com/vitrine-tls/vitrine/proxy/config"
)

// hitchLost are options without an equivalent.
var hitchLost = map[string]string{
	"workers": "is left out: all processors are used; GOMAXPROCS in the environment bounds them", "daemon": "is left out: vitrine proxy stays in the foreground; let systemd start it",
	"backlog": "is left out: the system's is used; nothing needs it", "keepalive": "is left out: dead connections are found by themselves; limits.idle-timeout ends silent ones",
	"chroot": "has no equivalent; process.sandbox shuts the process off from files without it", "pidfile": "is left out: no file is written; let systemd keep the process",
	"syslog": "is left out: the log goes to standard error; systemd takes it to the journal", "syslog-facility": "is left out: the log goes to standard error; systemd takes it to the journal", "log-filename": "is left out: the log goes to standard error; append it to a file by the shell",
	"pem-dir": "is a folder, and vitrine takes files; list them under certificates", "pem-dir-glob": "is for a folder; list the files under certificates",
	"ocsp-dir": "is left out: responses are fetched and stapled by themselves; nothing needs it", "ocsp-verify-staple": "is left out: responses are verified; nothing needs it", "ocsp-connect-tmo": "has no equivalent; it is bounded by itself", "ocsp-resp-tmo": "has no equivalent; it is bounded by itself", "ocsp-refresh-interval": "has no equivalent; responses are renewed before they end",
	"tcp-fastopen": "has no equivalent; leave it off", "ssl-engine": "has no equivalent; give the key in a file", "write-ip": "has no equivalent; use proxy-protocol: v2 on the target, which has the address too",
	"proxy-proxy":     "has no equivalent in one word; list the networks of your balancers in proxy-protocol.from of the listener, and set proxy-protocol: v1 on the target",
	"backend-refresh": "is left out: names of targets are looked up for each connection; nothing needs it", "recv-bufsize": "is left out; nothing needs it", "send-bufsize": "is left out; nothing needs it",
	"ring-slots": "is left out; nothing needs it", "ring-data-len": "is left out; nothing needs it", "shared-cache": "has no equivalent; use sessions.store", "session-cache": "is left out: clients resume by tickets; sessions.session-ids is for those without",
	"engine": "has no equivalent; give the key in a file", "debug": "is left out; set log.level", "log-level": "is left out; set log.level", "dynamic-backend-address": "is left out; nothing needs it",
}

// Hitch reads a hitch.conf. Its frontends become one listener with one target.
func Hitch(data []byte) (*Result, error) {
	h := &hitch{maker: newMaker(), tls: &config.ServerTLS{}, verify: "none"}
	block := ""
	var inBlock []option
	for i, line := range bytes.Split(data, []byte("\n")) {
		text := strings.TrimSpace(stripComment(string(line)))
		parts, ok := hitchParts(text, block != "")
		for _, part := range parts {
			if part == "}" && block != "" {
				h.block(block, inBlock)
				block, inBlock = "", nil
				continue
			}
			key, value, found := strings.Cut(part, "=")
			if ok = ok && found; !ok {
				break
			}
			o := option{i + 1, text, strings.TrimSpace(key), strings.Trim(strings.TrimSpace(value), `"`)}
			switch {
			case o.value == "{" && block == "":
				block, inBlock = o.key, []option{o}
			case block != "":
				inBlock = append(inBlock, o)
			default:
				h.set(o)
			}
		}
		if !ok {
			return nil, fmt.Errorf("line %d, %.100q, is not a line of hitch.conf; give a file with lines KEY = \"VALUE\"", i+1, text)
		}
	}
	if block != "" {
		return nil, fmt.Errorf("the block %s = { in line %d has no end; add a line with }", block, inBlock[0].line)
	}
	h.end()
	return h.finish(), nil
}

// hitchSetting is one setting where several stand in a line of a block.
var hitchSetting = regexp.MustCompile(`^\s*([\w-]+\s*=\s*(?:"[^"]*"|[^\s"{}]+))`)

// hitchParts are what a line has: a setting, or the beginning, the settings and the end of a block. It
// reports whether that is all.
func hitchParts(text string, inBlock bool) (parts []string, ok bool) {
	head, rest, begins := strings.Cut(text, "{")
	begins = begins && !strings.Contains(head, `"`)
	switch {
	case begins:
		parts = append(parts, head+"{")
	case inBlock:
		rest = text
	case text == "":
		return nil, true
	default:
		return []string{text}, true
	}
	for {
		found := hitchSetting.FindStringSubmatchIndex(rest)
		if found == nil {
			break
		}
		parts, rest = append(parts, rest[found[2]:found[3]]), rest[found[1]:]
	}
	rest = strings.TrimSpace(rest)
	if rest == "}" {
		return append(parts, rest), true
	}
	return parts, rest == ""
}

// stripComment cuts a comment off that is not inside quotes.
func stripComment(line string) string {
	quoted := false
	for i, r := range line {
		switch {
		case r == '"':
			quoted = !quoted
		case r == '#' && !quoted:
			return line[:i]
		}
	}
	return line
}

// hitch collects what a file says.
type hitch struct {
	*maker
	listen          []string
	target          config.Target
	tls             *config.ServerTLS
	client          bool
	verify          string
	ciphers, suites *option
	noMatch         *option             // sni-nomatch-abort
	blocks          []map[string]string // what each address says of blockOptions
	global          map[string]string   // and the file
	inBlock         []option
	differs         *option
}

// blockOptions may stand in a block of one address, and are taken for all.
var blockOptions = []string{"client-verify", "client-verify-ca", "client-verify-crl", "sni-nomatch-abort", "tls-protos"}

// compare finds an address that verifies or agrees otherwise than another.
func (h *hitch) compare() {
	for _, b := range h.blocks {
		for _, key := range blockOptions {
			value := func(of map[string]string) string {
				if v, ok := of[key]; ok {
					return v
				}
				return h.global[key]
			}
			if value(b) != value(h.blocks[0]) && h.differs == nil {
				h.differs = &option{text: key}
			}
		}
	}
}

// frontend is [HOST]:PORT, with + and a certificate behind it.
func (h *hitch) frontend(o option, value string, own map[string]string) {
	at, cert, _ := strings.Cut(value, "+")
	at = strings.Replace(at, "[*]", "*", 1)
	if host, port, err := net.SplitHostPort(at); err == nil {
		at = net.JoinHostPort(strings.Trim(host, "[]"), port)
	}
	h.listen = append(h.listen, address(at, ""))
	h.blocks = append(h.blocks, own)
	if cert != "" {
		h.tls.Certificates = append(h.tls.Certificates, config.Certificate{Cert: cert})
		h.note(o, "has a certificate of its own, which is for all addresses here; make a listener for each if they must not share")
	}
}

// block takes frontend = { ... } and pem-file = { ... }.
func (h *hitch) block(name string, options []option) {
	fields, own := map[string]string{}, map[string]string{}
	var cert config.Certificate
	for _, o := range options[1:] {
		switch name + " " + o.key {
		case "frontend host", "frontend port":
			fields[o.key] = o.value
		case "frontend pem-file":
			h.tls.Certificates = append(h.tls.Certificates, config.Certificate{Cert: o.value})
			h.note(o, "is for this address alone, and here for all; make a listener for each if they must not share")
		case "frontend client-verify", "frontend client-verify-ca", "frontend client-verify-crl", "frontend sni-nomatch-abort", "frontend tls-protos":
			own[o.key] = o.value
			h.inBlock = append(h.inBlock, o)
			h.note(o, "is for this address alone, and holds for all addresses here; make a listener for each if they differ")
		case "pem-file cert":
			cert.Cert = o.value
		case "pem-file private-key":
			cert.Key = o.value
		case "pem-file ocsp-resp-file":
			h.note(o, "is left out: responses are fetched and stapled by themselves; nothing needs it")
		default:
			h.note(o, "is for one address or file, and left out; write it for a listener of its own")
		}
	}
	switch {
	case name == "frontend":
		h.frontend(options[0], net.JoinHostPort(strings.Trim(fields["host"], "[]"), fields["port"]), own)
	case cert.Cert != "":
		h.tls.Certificates = append(h.tls.Certificates, cert)
	}
}

func (h *hitch) set(o option) {
	if slices.Contains(blockOptions, o.key) {
		if h.global == nil {
			h.global = map[string]string{}
		}
		h.global[o.key] = o.value
	}
	switch o.key {
	case "frontend":
		h.frontend(o, o.value, nil)
	case "backend":
		value := o.value
		if host, port, err := net.SplitHostPort(value); err == nil {
			value = net.JoinHostPort(host, port)
		}
		h.target.Addresses = append(h.target.Addresses, address(value, "localhost"))
	case "pem-file":
		h.tls.Certificates = append(h.tls.Certificates, config.Certificate{Cert: o.value})
	case "client":
		h.client = yes(o.value)
	case "ssl", "tls":
		h.note(o, "turns versions on or off; set min and max if the defaults, TLS 1.2 and 1.3, are not right")
	case "tls-protos":
		h.protocols(o)
	case "ciphers":
		h.ciphers = &o
	case "ciphersuites":
		h.suites = &o
	case "ecdh-curve":
		h.groups(o, &h.tls.Versions)
	case "prefer-server-ciphers":
		if !yes(o.value) {
			h.note(o, "has no equivalent: our order of suites counts; nothing needs it")
		}
	case "alpn-protos":
		h.tls.ALPN = strings.FieldsFunc(o.value, func(r rune) bool { return r == ',' || r == ' ' })
	case "write-proxy", "write-proxy-v2":
		h.header(o, "v2")
	case "write-proxy-v1":
		h.header(o, "v1")
	case "proxy-tlv":
		if yes(o.value) && h.target.ProxyProtocol != "v1" {
			h.target.ProxyProtocol = "v2-tls"
		}
	case "client-verify":
		h.verify = o.value
	case "client-verify-ca":
		h.tls.ClientCA = o.value
	case "client-verify-crl":
		h.tls.CRL = []string{o.value}
	case "sni-nomatch-abort":
		h.noMatch = &o
	default:
		h.ofProcess(o)
	}
}

// header takes a PROXY header for the backend.
func (h *hitch) header(o option, version string) {
	if yes(o.value) && h.target.ProxyProtocol == "" {
		h.target.ProxyProtocol = version
	}
}

// protocols takes a list of versions, of which the lowest and the highest count.
func (h *hitch) protocols(o option) {
	var have []int
	for _, name := range strings.Fields(o.value) {
		if word := h.version(o, name); word != "" {
			have = append(have, slices.Index(vocabulary.VersionNames(), word))
		}
	}
	if len(have) == 0 {
		return
	}
	slices.Sort(have)
	low, high := have[0], have[len(have)-1]
	h.tls.Min, h.tls.Max = vocabulary.VersionNames()[low], vocabulary.VersionNames()[high]
	if high-low+1 != len(slices.Compact(have)) {
		h.tls.Min = h.tls.Max
		h.note(o, "leaves a version out in between, and the highest alone is taken; set min if others are to be on")
	}
}

// ofProcess takes what holds for the process.
func (h *hitch) ofProcess(o option) {
	c := h.Config
	switch o.key {
	case "user":
		c.Process.User = o.value
	case "group":
		c.Process.Group = o.value
	case "quiet":
		if yes(o.value) {
			c.Log.Level = "error"
		}
	case "backend-connect-timeout":
		h.target.ConnectTimeout = h.seconds(o)
	case "ssl-handshake-timeout":
		c.Limits.HandshakeTimeout = h.seconds(o)
	default:
		if !h.lost(hitchLost, o) {
			h.unknown(o)
		}
	}
}

// end puts the parts together.
func (h *hitch) end() {
	h.compare()
	for _, o := range h.inBlock { // what an address says itself counts
		h.set(o)
	}
	h.bothSuites(h.ciphers, h.suites, &h.tls.Versions)
	l := config.Listener{Listen: h.listen, Target: "backend"}
	if h.noMatch != nil && yes(h.noMatch.value) {
		h.note(*h.noMatch, "refuses names that no certificate has; REPLACE stands for them in routes, so list the names there")
		l.Routes, l.Target = []config.Route{{Names: []string{placeholder + "*"}, Target: "backend"}}, ""
	}
	switch h.verify {
	case "required":
		h.tls.ClientAuth = "require"
	case "optional":
		h.tls.ClientAuth = "request"
	default:
		if h.tls.ClientCA != "" {
			h.note(option{text: "client-verify-ca"}, "does nothing without client-verify, and is left out; add client-auth: require and client-ca if clients are to be verified")
		}
		h.tls.ClientCA = ""
		if len(h.tls.CRL) > 0 {
			h.note(option{text: "client-verify-crl"}, "does nothing without client-verify, and is left out; add client-auth: require and crl if clients are to be verified")
		}
		h.tls.CRL = nil
	}
	if h.tls.ClientAuth != "" && h.tls.ClientCA == "" {
		h.note(option{text: "client-verify"}, "has no client-verify-ca beside it; name the authorities with client-ca")
	}
	if h.client {
		l.TLS = nil
		t := &config.ClientTLS{Versions: h.tls.Versions, ALPN: h.tls.ALPN}
		if len(h.tls.Certificates) > 0 {
			t.Cert, t.Key = h.tls.Certificates[0].Cert, h.tls.Certificates[0].Key
			h.note(option{text: "pem-file"}, "is shown to the backend where that asks for it, the first of them; leave cert out if it is not to be")
		}
		h.target.TLS = t
		h.note(option{text: "client"}, "verifies nothing of the backend, and vitrine does: the chain and the name; give its authority with ca, and its name with name")
	} else {
		l.TLS = h.tls
	}
	if h.differs != nil {
		h.note(*h.differs, "is not the same for all addresses, and REPLACE stands in allow; make a listener for each, and take it out")
		l.Allow = append(l.Allow, placeholder)
	}
	h.Config.Listeners = []config.Listener{l}
	h.Config.Targets["backend"] = h.target
}
