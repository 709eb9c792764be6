//go:build !race

// The race detector makes sync.Pool drop values at random.

package keys

import (
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Every derivation works on arrays of the stack without allocating: dozens of
// them run in each handshake, and the collector is what stops handshakes from
// scaling over cores.
func TestNoAllocations(t *testing.T) {
	gcm := suite.ByID(wire.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)
	aes13 := suite.ByID(wire.TLS_AES_256_GCM_SHA384)
	h := suite.SHA384
	cases := []struct {
		name string
		run  func()
	}{
		{"HMAC", func() { var k, d, out [48]byte; HMAC(h, out[:0], k[:], d[:], d[:]) }},
		{"PRF", func() { var s, d [48]byte; var out [200]byte; PRF(h, out[:], s[:], "label", d[:], d[:]) }},
		{"Extract", func() { var s, out [48]byte; Extract(h, out[:0], s[:], nil) }},
		{"ExpandLabel", func() { var s [48]byte; var out [100]byte; ExpandLabel(h, out[:], s[:], LabelKey, s[:]) }},
		{"DeriveSecret", func() { var s, r, out [48]byte; DeriveSecret(h, out[:0], s[:], LabelDerived, r[:]) }},
		{"BinderKey", func() { var s, out [48]byte; BinderKey(h, out[:0], s[:], false) }},
		{"TrafficKeys", func() { var s [48]byte; var k [32]byte; var iv [12]byte; TrafficKeys(aes13, s[:], k[:], iv[:]) }},
		{"Finished13", func() { var s, r, out [48]byte; Finished13(h, out[:0], s[:], r[:]) }},
		{"NextTrafficSecret", func() { var s [48]byte; NextTrafficSecret(h, s[:0], s[:]) }},
		{"ResumptionPSK", func() { var s, out [48]byte; ResumptionPSK(h, out[:0], s[:], out[:8]) }},
		{"Exporter13", func() { var s, out [48]byte; Exporter13(h, out[:], s[:], "label", out[:]) }},
	}
	old := []struct {
		name     string
		schedule *Schedule
		suite    *suite.Suite
	}{
		{"TLS 1.2", TLS12, gcm},
		{"TLS 1.0", TLS10, suite.ByID(wire.TLS_RSA_WITH_AES_256_CBC_SHA)},
		{"SSL 3.0", SSL30, suite.ByID(wire.TLS_RSA_WITH_AES_256_CBC_SHA)},
	}
	// The fields of a Schedule are called through pointers, so what they are
	// given is on the heap; in a handshake it is anyway.
	var (
		secret, r = make([]byte, 48), make([]byte, 32)
		out       = make([]byte, 0, 256)
	)
	for _, o := range old {
		x, h := o.schedule, o.schedule.Hash(o.suite)
		transcript := h.New()
		runs := map[string]func(){
			"Master":   func() { x.Master(h, out, secret, r, r) },
			"Finished": func() { x.Finished(h, out, secret, wire.Server, transcript) },
			"KeyBlock": func() { x.KeyBlock(o.suite, out, secret, r, r) },
		}
		if x.ExtendedMaster != nil {
			runs["ExtendedMaster"] = func() { x.ExtendedMaster(h, out, secret, r) }
			runs["Exporter"] = func() { x.Exporter(h, out[:48], secret, "label", r, r, r[:7]) }
		}
		if x.CertificateVerify != nil {
			runs["CertificateVerify"] = func() { x.CertificateVerify(out, secret, transcript) }
		}
		for name, run := range runs {
			cases = append(cases, struct {
				name string
				run  func()
			}{o.name + " " + name, run})
		}
	}
	for _, c := range cases {
		if n := testing.AllocsPerRun(200, c.run); n != 0 {
			t.Errorf("%s allocates %v times", c.name, n)
		}
	}
}
