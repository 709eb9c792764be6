package scan

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/wire"
)

// What the configuration tells has a connection that shows it, and the bytes of its ServerHello.
func TestFindingsHaveAConnection(t *testing.T) {
	config := whole(t)
	config.PreferClientCipherSuites = true
	r := audited(t, serveTLS(t, config), Options{ConfigurationOnly: true})
	for _, id := range []string{"ssl3", "tls10", "tls11", "suites-null", "suites-anon", "suites-rc4", "suites-64bit",
		"suites-no-forward-secrecy", "suites-cbc", "suites-order", "beast"} {
		i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == id })
		if i < 0 {
			t.Errorf("%s is not found", id)
			continue
		}
		if a := r.Answer(id); a == nil || a.Server == nil {
			t.Errorf("%s has no connection", id)
		}
		if !strings.Contains(strings.Join(r.Findings[i].Evidence, "\n"), "its ServerHello: 02") {
			t.Errorf("%s has no bytes: %q", id, r.Findings[i].Evidence)
		}
	}
	old := config.Clone()
	old.MaxVersion = uint16(wire.TLS12)
	if r := audited(t, serveTLS(t, old), Options{ConfigurationOnly: true}); r.Answer("no-tls13") == nil {
		t.Error("no-tls13 has no connection")
	}
}

// A server that has nothing for a hello, with reserved values in it or without, is not said to break at them.
func TestToleranceHasAControl(t *testing.T) {
	cert := certificate(t, devca.RSA)
	f := flawed{suites: []wire.CipherSuite{wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}}
	at := serve(t, func(conn net.Conn) {
		c := &brokenConn{broken: &broken{}, Conn: conn, cert: cert}
		_, raw, err := c.raw()
		var hello wire.ClientHello
		if err != nil || len(raw) < 9 || wire.Decode(&hello, raw[9:], wire.Context{}, nil) != nil {
			return
		}
		if hello.Extensions.Has(wire.ExtSupportedVersions) {
			c.alert(wire.AlertHandshakeFailure)
			return
		}
		f.answer(c, &hello)
	})
	if r := audited(t, at, Options{ConfigurationOnly: true}); r.has("tls13-intolerant") {
		t.Error("it is said to break at what it does not know, and fails without that too")
	}
}

// The software is known by the greeting before TLS, and by the protocol.
func TestSoftwareByGreeting(t *testing.T) {
	for _, c := range []struct{ protocol, said, program string }{
		{"smtp", "220 mx.test ESMTP Postfix (Debian/GNU)", "postfix"},
		{"imap", "* OK [CAPABILITY IMAP4rev1] Dovecot (Debian) ready.", "dovecot"},
		{"postgres", "S", "postgresql"},
		{"smtp", "220 mx.test ESMTP", ""},
	} {
		if got := programOf(greeterOf(c.protocol, []string{c.said})); got != c.program {
			t.Errorf("%s, %q: %q, want %q", c.protocol, c.said, got, c.program)
		}
	}
}

// A server that has no site of the name speaks TLS all the same.
func TestUnknownNameIsNoLackOfTLS(t *testing.T) {
	at := serve(t, func(conn net.Conn) {
		c := &brokenConn{broken: &broken{}, Conn: conn}
		if _, _, err := c.raw(); err == nil {
			c.alert(wire.AlertUnrecognizedName)
		}
	})
	at.Name = "a.test"
	r, err := (&Prober{}).Scan(t.Context(), at, Options{ConfigurationOnly: true})
	if err != nil || !strings.Contains(r.Failure, `no site of the name "a.test"`) {
		t.Errorf("%q, %v", r.Failure, err)
	}
}
