package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// conn is what the jobs need of a TLS connection; crypto/tls's Conn has it.
type conn interface {
	net.Conn
	Handshake() error
	ConnectionState() tls.ConnectionState
	NetConn() net.Conn
}

// ends makes the two ends of connections that share one configuration each.
type ends struct {
	client, server func(net.Conn) conn
	// serve runs an http.Server over what l accepts, until stop.
	serve func(l net.Listener, handler http.HandlerFunc) (stop func())
}

func (e ends) end(server bool) func(net.Conn) conn {
	if server {
		return e.server
	}
	return e.client
}

// A stack builds both ends from the same pair of crypto/tls configurations,
// plus what crypto/tls.Config has no field for.
type stack func(p params) (ends, error)

// goStacks are the contenders that run in this program.
var goStacks = map[string]stack{vitrineName: vitrine, stdName: standard}

// params are the connection settings of a job, the same for every stack:
// one version, one group, one suite, and no choice left to the stacks.
type params struct {
	client, server *tls.Config
	suite          uint16 // the TLS 1.3 or TLS 1.2 suite
	group          tls.CurveID
	// tickets is what becomes of sessions: none: the client asks for no ticket;
	// forget: asks, keeps none; use: resumes; id: resumes by session ID.
	tickets string
	psk     []byte // pre-shared key; nil for none
	mldsa   bool   // the server's chain is of ML-DSA-44

	early, compressed, hidden bool // early data, compressed certificates, Encrypted Client Hello
}

const pskIdentity = "bench"

var versions = map[string]uint16{"1.0": tls.VersionTLS10, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

var groups = map[string]tls.CurveID{
	"X25519":         tls.X25519,
	"P-256":          tls.CurveP256,
	"X25519MLKEM768": tls.X25519MLKEM768,
	"ffdhe2048":      tls.CurveID(wire.GroupFFDHE2048),
	"none":           0, // a key exchange without Diffie-Hellman
}

// suites are found by version, certificate (or key exchange and certificate)
// and cipher; TLS 1.3 has no certificate in the name.
var suites = map[string]uint16{
	"1.3 aes128gcm":         tls.TLS_AES_128_GCM_SHA256,
	"1.3 aes256gcm":         tls.TLS_AES_256_GCM_SHA384,
	"1.3 chacha20":          tls.TLS_CHACHA20_POLY1305_SHA256,
	"1.2 ecdsa aes128gcm":   tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	"1.2 rsa2048 aes128gcm": tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,

	"1.2 dhe rsa2048 aes128gcm": uint16(wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256),
	"1.2 psk aes128gcm":         uint16(wire.TLS_PSK_WITH_AES_128_GCM_SHA256),
	"1.2 dhe psk aes128gcm":     uint16(wire.TLS_DHE_PSK_WITH_AES_128_GCM_SHA256),
	"1.2 ecdhe psk chacha20":    uint16(wire.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256),
	"1.0 ecdsa aes128cbc":       tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
}

func newParams(j job, k *keys) (params, error) {
	version, ok := versions[j.text("version")]
	if !ok {
		return params{}, fmt.Errorf("unknown version %q", j.text("version"))
	}
	group, ok := groups[j.text("group")]
	if !ok {
		return params{}, fmt.Errorf("unknown group %q", j.text("group"))
	}
	name := strings.Join(strings.Fields(j.text("version")+" "+j.text("kx")+" "+j.text("cert")+" "+j.text("suite")), " ")
	if version == tls.VersionTLS13 {
		name = j.text("version") + " " + j.text("suite")
	}
	suite, ok := suites[name]
	if !ok {
		return params{}, fmt.Errorf("unknown suite %q", name)
	}
	server, client := k.certs[j.text("cert")], k.certs["client"]

	common := tls.Config{
		MinVersion:       version,
		MaxVersion:       version,
		CurvePreferences: []tls.CurveID{group},
	}
	if version < tls.VersionTLS13 {
		common.CipherSuites = []uint16{suite}
		// Before TLS 1.3 the list also says which ECDSA keys are accepted.
		common.CurvePreferences = append(common.CurvePreferences, tls.CurveP256)
		if group == 0 {
			common.CurvePreferences = nil
		}
	}
	p := params{client: common.Clone(), server: common.Clone(), suite: suite, group: group, tickets: j.text("tickets"), mldsa: j.text("cert") == "mldsa44",
		early: j.flag("early"), compressed: j.flag("compressed"), hidden: j.flag("ech")}
	if j.text("cert") == "psk" {
		p.psk = k.psk
	} else {
		p.server.Certificates = []tls.Certificate{server}
	}
	p.client.RootCAs, p.client.ServerName = k.roots, serverName
	if j.flag("mutual") {
		p.server.ClientAuth, p.server.ClientCAs = tls.RequireAndVerifyClientCert, k.roots
		p.client.Certificates = []tls.Certificate{client}
	}
	if p.hidden {
		return p, p.hideName()
	}
	return p, nil
}

// resumes says that every connection but the first continues a session.
func (p params) resumes() bool { return p.tickets == "use" || p.tickets == "id" }

// check compares what a connection agreed on with what the row asked for, so
// that no stack is measured doing something else.
func (p params) check(c conn, resumed bool) error {
	s := c.ConnectionState()
	if s.DidResume != resumed {
		return fmt.Errorf("resumed is %v, the row wants %v", s.DidResume, resumed)
	}
	if s.CipherSuite != p.suite {
		return fmt.Errorf("agreed on %s, the row wants %s", wire.CipherSuite(s.CipherSuite), wire.CipherSuite(p.suite))
	}
	if s.ECHAccepted != p.hidden {
		return fmt.Errorf("the encrypted hello is taken: %v, the row wants %v", s.ECHAccepted, p.hidden)
	}
	if !s.DidResume && s.CurveID != p.group {
		return fmt.Errorf("agreed on group %v, the row wants %v", s.CurveID, p.group)
	}
	return nil
}
