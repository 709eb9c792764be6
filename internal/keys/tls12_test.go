package keys

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// The vectors posted to the TLS working group's list,
// https://mailarchive.ietf.org/arch/msg/tls/fzVCzk-z3FShgGJ6DOXqM1ydxms
func TestPRFVectors(t *testing.T) {
	for _, v := range []struct {
		hash               *suite.Hash
		secret, seed, want string
	}{
		{suite.SHA256, "9bbe436ba940f017b17652849a71db35", "a0ba9f936cda311827a6f796ffd5198c",
			"e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af" +
				"0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66"},
		{suite.SHA384, "b80b733d6ceefcdc71566ea48e5567df", "cd665cf6a8447dd6ff8b27555edb7465",
			"7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0" +
				"e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d918425" +
				"9b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e099070" +
				"3d73e56f"},
	} {
		want, seed := unhex(v.want), unhex(v.seed)
		for _, n := range []int{len(want), 1, 12, v.hash.Size, v.hash.Size + 1} { // a short output is a prefix
			got := make([]byte, n)
			PRF(v.hash, got, unhex(v.secret), "test label", seed[:5], seed[5:])
			if !bytes.Equal(got, want[:n]) {
				t.Errorf("%s, %d bytes: got %x, want %x", v.hash.Name, n, got, want[:n])
			}
		}
	}
}

// prf12 is RFC 5246 §5 as it is written.
func prf12(h *suite.Hash, n int, secret []byte, label string, seed []byte) []byte {
	seed = append([]byte(label), seed...)
	var out []byte
	for a := seed; len(out) < n; {
		a = stdHMAC(h, secret, a)
		out = append(out, stdHMAC(h, secret, a, seed)...)
	}
	return out[:n]
}

func TestPRFEqualsDefinition(t *testing.T) {
	forEachHash(t, func(t *testing.T, h *suite.Hash, r *rand.Rand) {
		for n := 1; n < 300; n++ {
			secret, seed, label := random(r, n%150), random(r, (n*3)%500), strings.Repeat("l", n%300)
			got := make([]byte, n)
			PRF(h, got, secret, label, seed)
			if want := prf12(h, n, secret, label, seed); !bytes.Equal(got, want) {
				t.Fatalf("%d bytes: got %x, want %x", n, got, want)
			}
		}
	})
}

// The self-test vector of Go's FIPS 140-3 module for "extended master secret".
func TestExtendedMasterSecretVector(t *testing.T) {
	got := TLS12.ExtendedMaster(suite.SHA256, nil, unhex("0102030405060708090a0b0c0d0e0f10"), unhex("1112131415161718191a1b1c1d1e1f20"))
	want := unhex("8c3eeda71c1b4cc0a0449075a88ebc7c5e1c4b1e4fe3c106ebdcc05dc0c8ecf3e2b9d1035eb2605d12684f49dfa99dcc")
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestMasterSecretAndFinished(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	premaster, cr, sr, messages := random(r, 48), random(r, 32), random(r, 32), random(r, 1000)
	transcript := suite.SHA384.New()
	transcript.Write(messages)
	sum := transcript.Sum(nil)
	for _, c := range []struct {
		name      string
		got, want []byte
	}{
		{"master secret", TLS12.Master(suite.SHA384, nil, premaster, cr, sr),
			prf12(suite.SHA384, 48, premaster, "master secret", append(cr[:32:32], sr...))},
		{"client finished", TLS12.Finished(suite.SHA384, []byte{1, 2}, premaster, wire.Client, transcript),
			append([]byte{1, 2}, prf12(suite.SHA384, 12, premaster, "client finished", sum)...)},
		{"server finished", TLS12.Finished(suite.SHA384, make([]byte, 0, 64), premaster, wire.Server, transcript),
			prf12(suite.SHA384, 12, premaster, "server finished", sum)},
		{"the transcript, left as it was", transcript.Sum(nil), sum},
	} {
		if !bytes.Equal(c.got, c.want) {
			t.Errorf("%s: got %x, want %x", c.name, c.got, c.want)
		}
	}
}

func TestExporter(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	master, cr, sr := random(r, 48), random(r, 32), random(r, 32)
	randoms := append(cr[:32:32], sr...)
	got := make([]byte, 40)
	for _, c := range []struct {
		name          string
		context, seed []byte
	}{
		{"without context", nil, randoms},
		{"with an empty context", []byte{}, append(randoms[:64:64], 0, 0)},
		{"with context", []byte("context"), append(randoms[:64:64], "\x00\x07context"...)},
	} {
		if err := TLS12.Exporter(suite.SHA256, got, master, "EXPORTER-test", cr, sr, c.context); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if want := prf12(suite.SHA256, 40, master, "EXPORTER-test", c.seed); !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, want %x", c.name, got, want)
		}
	}
	for _, label := range []string{"client finished", "server finished", "master secret", "key expansion", "extended master secret"} {
		if err := TLS12.Exporter(suite.SHA256, got, master, label, cr, sr, nil); err == nil {
			t.Errorf("the label %q was exported", label)
		}
	}
	if err := TLS12.Exporter(suite.SHA256, got, master, "EXPORTER-test", cr, sr, make([]byte, 1<<16)); err == nil {
		t.Error("a context of 65536 bytes was accepted")
	}
}
