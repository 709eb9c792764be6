package diagnose_test

import (
	"io"
	"net"
	"slices"

	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

func init() { calls = append(calls, widerCalls...) }

// takes is a server that answers a hello that it likes with a ServerHello of TLS 1.2, and others with
// handshake_failure: those too of TLS 1.3, which it would pick.
func takes(suite wire.CipherSuite, likes func(*heard) bool) func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string {
	return func(s *street, _ *pki, _, _ *tls.Config, _ *diagnose.Way) string {
		return s.open(func(conn net.Conn) {
			h, _, err := listen(conn)
			if err != nil {
				return
			}
			if h.offers13() || !likes(h) || !slices.Contains(h.CipherSuites, suite) {
				alerts(wire.AlertHandshakeFailure)(conn, s)
				return
			}
			hello := &wire.ServerHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32), CipherSuite: suite, NoExtensions: true}
			m := wire.AppendMessage(nil, hello, wire.Context{Version: wire.TLS12, From: wire.Server})
			conn.Write(append([]byte{22, 3, 3, byte(len(m) >> 8), byte(len(m))}, m...))
			io.Copy(io.Discard, conn)
		})
	}
}

const (
	brainpoolP256r1 wire.NamedGroup  = 26
	camellia256     wire.CipherSuite = 0x0084 // TLS_RSA_WITH_CAMELLIA_256_CBC_SHA
)

// withPSK gives the client a key and its suite alone.
func withPSK(build func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string) func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string {
	return func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		pskOnly(&scene{client, &tls.Config{}}, nil)
		return build(s, p, client, server, way)
	}
}

var widerCalls = []call{
	{"a group that only a scan offers, up to TLS 1.2", takes(wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, func(h *heard) bool { return h.offers(brainpoolP256r1) }), "no-common-group", diagnose.Likely, ""},
	{"a suite that only a scan offers, up to TLS 1.2", takes(camellia256, always), "no-common-suite", diagnose.Likely, ""},
	{"pre-shared keys alone, up to TLS 1.2, at a server of TLS 1.3", takes(wire.TLS_PSK_WITH_AES_128_GCM_SHA256, always), "psk-missing", diagnose.Likely, diagnose.Client},
	{"a client with a pre-shared key, at a server of certificates", withPSK(takes(wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, always)), "no-common-suite", diagnose.Likely, ""},
}
