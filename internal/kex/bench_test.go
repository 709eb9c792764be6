package kex

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"testing"

	"filippo.io/edwards25519"
	circl25519 "github.com/cloudflare/circl/dh/x25519"
	circl768 "github.com/cloudflare/circl/kem/mlkem/mlkem768"

	"github.com/vitrine-tls/vitrine/wire"
)

// BenchmarkGroups is what a handshake pays for each group: run it with and
// without the build tag vitrine_std to see what the primitives are worth.
func BenchmarkGroups(b *testing.B) {
	for _, g := range Groups() {
		p := generate(b, g.ID)
		share, _, err := Respond(g.ID, p.Share())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(g.Name+"/generate", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Generate(g.ID)
			}
		})
		b.Run(g.Name+"/respond", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Respond(g.ID, p.Share())
			}
		})
		b.Run(g.Name+"/finish", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Finish(share)
			}
		})
	}
}

// BenchmarkPrimitives sets the candidates beside the standard library, whatever
// the build tag.
func BenchmarkPrimitives(b *testing.B) {
	stdKey, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	scalar, point := circl25519.Key(stdKey.Bytes()), circl25519.Key(stdKey.PublicKey().Bytes())
	mlkemKey, err := mlkem.GenerateKey768()
	if err != nil {
		b.Fatal(err)
	}
	ek := mlkemKey.EncapsulationKey().Bytes()
	_, ct := mlkemKey.EncapsulationKey().Encapsulate()
	_, circlKey, err := circl768.GenerateKeyPair(nil)
	if err != nil {
		b.Fatal(err)
	}
	var out circl25519.Key
	var seed [64]byte
	for _, c := range []struct {
		name string
		run  func()
	}{
		{"x25519-base/std", func() { ecdh.X25519().NewPrivateKey(scalar[:]) }},
		{"x25519-base/circl", func() { circl25519.KeyGen(&out, &scalar) }},
		{"x25519-base/edwards25519", func() {
			var s edwards25519.Scalar
			var p edwards25519.Point
			s.SetBytesWithClamping(scalar[:])
			copy(out[:], p.ScalarBaseMult(&s).BytesMontgomery())
		}},
		{"x25519-shared/std", func() { stdKey.ECDH(stdKey.PublicKey()) }},
		{"x25519-shared/circl", func() { circl25519.Shared(&out, &scalar, &point) }},
		{"mlkem768-generate/std", func() { mlkem.NewDecapsulationKey768(seed[:]) }},
		{"mlkem768-generate/circl", func() { circl768.NewKeyFromSeed(seed[:]) }},
		{"mlkem768-encapsulate/std", func() { k, _ := mlkem.NewEncapsulationKey768(ek); k.Encapsulate() }},
		{"mlkem768-encapsulate/circl", func() {
			var k circl768.PublicKey
			var c [circl768.CiphertextSize]byte
			k.Unpack(ek)
			k.EncapsulateTo(c[:], out[:], seed[:32])
		}},
		{"mlkem768-decapsulate/std", func() { mlkemKey.Decapsulate(ct) }},
		{"mlkem768-decapsulate/circl", func() { circlKey.DecapsulateTo(out[:], ct) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.run()
			}
		})
	}
}

// BenchmarkTwoShares is a client's first flight: the hybrid and X25519.
func BenchmarkTwoShares(b *testing.B) {
	b.Run("separate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Generate(wire.GroupX25519MLKEM768)
			Generate(wire.GroupX25519)
		}
	})
	b.Run("classical", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if p, err := Generate(wire.GroupX25519MLKEM768); err == nil {
				p.Classical()
			}
		}
	})
}
