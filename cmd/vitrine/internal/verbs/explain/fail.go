package explain

import (
	"crypto/rand"
	"maps"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// failures are the values of --fail: what to change so that our own client and
// server do not agree, each with the alert that it ends in, and what it needs so
// that it can happen at all.
var failures = map[string]struct {
	needs  string
	shown  bool // the server must show a certificate
	change func(client *tls.Config, s *stage)
}{
	"version": {"a server with a certificate, which TLS 1.3 wants", true, func(client *tls.Config, s *stage) { // protocol_version
		client.MinVersion, client.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		s.server.MinVersion, s.server.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
	}},
	"suite": {"a server with a certificate, which TLS 1.3 wants", true, func(client *tls.Config, s *stage) { // handshake_failure
		for _, c := range []*tls.Config{client, s.server} {
			c.MinVersion, c.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
		}
		client.CipherSuites = []uint16{tls.TLS_AES_128_GCM_SHA256}
		s.server.CipherSuites = []uint16{tls.TLS_CHACHA20_POLY1305_SHA256}
	}},
	"group": {"a key exchange on an elliptic curve", false, func(client *tls.Config, s *stage) { // handshake_failure
		client.CurvePreferences = []tls.CurveID{tls.X25519}
		s.server.CurvePreferences = []tls.CurveID{tls.CurveP384}
	}},
	"protocol": {"a protocol in --alpn, and a version that has ALPN", false, func(_ *tls.Config, s *stage) { // no_application_protocol
		s.server.NextProtos = []string{"another"}
	}},
	"name": {"a server with a certificate", true, func(_ *tls.Config, s *stage) { // bad_certificate
		s.leaf.Names = []string{"elsewhere.localhost"}
	}},
	"expired": {"a server with a certificate", true, func(_ *tls.Config, s *stage) { // certificate_expired
		s.leaf.NotBefore, s.leaf.NotAfter = time.Now().AddDate(0, 0, -9), time.Now().AddDate(0, 0, -2)
	}},
	"authority": {"a server with a certificate", true, func(_ *tls.Config, s *stage) { // unknown_ca
		if other, err := devca.New(s.leaf.Names...); err == nil {
			s.ca = other
		}
	}},
	"client-certificate": {"a server with a certificate", true, func(client *tls.Config, s *stage) { // certificate_required
		client.Certificates, client.GetClientCertificate = nil, nil
		s.server.ClientAuth, s.server.ClientCAs = tls.RequireAndVerifyClientCert, s.ca.Pool()
	}},
	"psk": {"suites with a pre-shared key", false, func(_ *tls.Config, s *stage) { // bad_record_mac: neither side learns that the key is wrong
		s.server.PSK.Server = func(string) ([]byte, error) {
			other := make([]byte, 16)
			rand.Read(other)
			return other, nil
		}
	}},
}

func failureNames() []string { return slices.Sorted(maps.Keys(failures)) }
