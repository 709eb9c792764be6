package handshake

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// What the versions have and have not, as their profiles say.
func TestProfiles(t *testing.T) {
	old := func(v wire.Version, schemes []wire.SignatureScheme) Profile {
		return Profile{Version: v, RecordVersion: v, schemes: schemes, WarningAlerts: true, Renegotiates: true, answers: inServerHello}
	}
	ssl30, tls10, tls11, tls12 := old(wire.SSL30, []wire.SignatureScheme{wire.RSAMD5SHA1, wire.DSASHA1}), old(wire.TLS10, oldSchemes), old(wire.TLS11, oldSchemes), old(wire.TLS12, nil)
	ssl30.bare, ssl30.NoCertificateAlert = true, true
	want := []Profile{ssl30, tls10, tls11, tls12, {Version: wire.TLS13, RecordVersion: wire.TLS12, answers: inEncryptedExtensions,
		PlainCCS: true, curveBound: true, signsContext: true, noCompression: true, innerType: true, Updates: true, TicketsLast: true}}
	if len(profiles) != len(want) {
		t.Fatalf("there are %d profiles", len(profiles))
	}
	for i, w := range want {
		p := profiles[i]
		if ProfileOf(w.Version) != p || p.RecordVersion != w.RecordVersion || !slices.Equal(p.schemes, w.schemes) || p.answers != w.answers ||
			p.bare != w.bare || p.NoCertificateAlert != w.NoCertificateAlert || p.PlainCCS != w.PlainCCS || p.WarningAlerts != w.WarningAlerts ||
			p.curveBound != w.curveBound || p.signsContext != w.signsContext || p.Renegotiates != w.Renegotiates ||
			p.noCompression != w.noCompression || p.innerType != w.innerType || p.Updates != w.Updates || p.TicketsLast != w.TicketsLast {
			t.Errorf("%v is not as it should be: %+v", w.Version, p)
		}
		if (p.schedule == nil) != w.Updates {
			t.Errorf("%v has the wrong kind of key schedule", w.Version)
		}
	}
	for _, v := range []wire.Version{0, wire.SSL20, wire.TLS13 + 1} {
		if ProfileOf(v) != nil {
			t.Errorf("%v has a profile", v)
		}
	}
}

// A flow has no row without both its handlers, but for what is no message.
func TestFlowsAreWhole(t *testing.T) {
	for _, flow := range [][]Step{flow12, flow13, flowAuthenticate} {
		for i, step := range flow {
			ticket := step.Msg == wire.TypeNewSessionTicket && step.Then != nil // of TLS 1.3, which clients take whenever they come
			if NoMessage(step.Msg) != (step.Send == nil) || step.Recv == nil && !NoMessage(step.Msg) && !ticket || step.When == nil {
				t.Errorf("row %d, %s, is not whole", i, stepName(step.Msg))
			}
		}
	}
}

func TestPickDHE(t *testing.T) {
	g := func(list ...wire.NamedGroup) []wire.NamedGroup { return list }
	for _, test := range []struct {
		ours, theirs []wire.NamedGroup
		want         wire.NamedGroup
	}{
		{g(wire.GroupX25519), g(wire.GroupX25519, wire.GroupFFDHE3072, wire.GroupFFDHE2048), wire.GroupFFDHE2048}, // none of ours: the cheapest
		{g(wire.GroupX25519), g(wire.GroupFFDHE4096), wire.GroupFFDHE4096},
		{g(wire.GroupX25519), g(wire.GroupFFDHE8192), 0}, // too dear for a peer that has not asked for it
		{g(wire.GroupFFDHE8192), g(wire.GroupFFDHE8192), wire.GroupFFDHE8192},
		{g(wire.GroupFFDHE3072, wire.GroupFFDHE2048), g(wire.GroupFFDHE2048, wire.GroupFFDHE3072), wire.GroupFFDHE3072},
		{g(wire.GroupFFDHE3072), g(wire.GroupFFDHE2048), 0},
		{g(wire.GroupX25519), g(wire.GroupX25519), 0},
		{g(wire.GroupX25519), nil, 0},
	} {
		if got := pickDHE(test.ours, test.theirs); got != test.want {
			t.Errorf("%v, %v: %v, want %v", test.ours, test.theirs, got, test.want)
		}
	}
}

func TestInOrderOf(t *testing.T) {
	a, b, c := suite.ByID(wire.TLS_AES_128_GCM_SHA256), suite.ByID(wire.TLS_AES_256_GCM_SHA384), suite.ByID(wire.TLS_CHACHA20_POLY1305_SHA256)
	got := inOrderOf([]wire.CipherSuite{0x1a1a, c.ID, a.ID, 0x00ff, c.ID}, []*suite.Suite{a, b, c})
	if len(got) < 2 || got[0] != c || slices.Contains(got, b) || !slices.Contains(got, a) {
		t.Errorf("%v", got)
	}
}

// Up to TLS 1.1 the key says what a signature is made with, whatever the message
// says; in TLS 1.2 the message does.
func TestNamedScheme(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		version wire.Version
		key     any
		want    wire.SignatureScheme
	}{
		{wire.SSL30, &rsaKey.PublicKey, wire.RSAMD5SHA1}, {wire.TLS10, &ec.PublicKey, wire.ECDSASHA1},
		{wire.TLS11, &rsaKey.PublicKey, wire.RSAMD5SHA1}, {wire.TLS12, &rsaKey.PublicKey, wire.RSAPSSRSAESHA256},
	} {
		s := &State{profile: ProfileOf(test.version), Result: &Result{Peer: &Peer{Certificates: []*x509.Certificate{{PublicKey: test.key}}, Stapled: new(Stapled)}}}
		if got := s.namedScheme(wire.RSAPSSRSAESHA256); got != test.want {
			t.Errorf("%v, %T: %v, want %v", test.version, test.key, got, test.want)
		}
	}
}
