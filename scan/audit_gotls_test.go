package scan

import (
	stdtls "crypto/tls"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/wire"
)

// serveStd runs a server of crypto/tls.
func serveStd(t *testing.T, change func(*stdtls.Config)) Target {
	config := &stdtls.Config{Certificates: []stdtls.Certificate{certificate(t, devca.RSA)}, MinVersion: stdtls.VersionTLS12}
	if change != nil {
		change(config)
	}
	return serve(t, func(raw net.Conn) {
		conn := stdtls.Server(raw, config)
		conn.Handshake()
		conn.Read(make([]byte, 1))
	})
}

// crypto/tls takes a second hello in records of TLS 1.2 alone.
func TestHelloRetryOfCryptoTLS(t *testing.T) {
	at := serveStd(t, func(c *stdtls.Config) { c.CurvePreferences = []stdtls.CurveID{stdtls.CurveP384} })
	h := Offer(wire.TLS13)
	h.Shares = []wire.NamedGroup{wire.GroupX25519}
	if a := probe(t, &Prober{}, at, Probe{Hello: h, Until: Complete}); a.Retry == nil || !a.Done {
		t.Errorf("%v: %v", a.End, a.Err)
	}
}

// A server that takes ChaCha20 first from clients that name it first has an order all the
// same: no client gets a weak suite for it.
func TestOrderBesideChaCha20(t *testing.T) {
	r := audited(t, serveStd(t, nil), Options{ConfigurationOnly: true})
	for _, v := range r.Versions {
		if v.Offered && v.Order != "server, in part" && v.Order != "server" {
			t.Errorf("%s: the order of the %s", v.Version, v.Order)
		}
	}
	if r.has("suites-order") {
		t.Error("the order is said to be the client's")
	}
	// OpenSSL's server without an order of its own is told from that.
	at := opensslServer(t, certificate(t, devca.RSA), "-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA")
	if r := audited(t, at, Options{ConfigurationOnly: true}); !r.has("suites-order") {
		t.Errorf("the client's order is not found: %+v", r.Versions)
	}
}
