package keys

import (
	"crypto/hkdf"
	"crypto/hmac"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

func BenchmarkDeriveSecret(b *testing.B) {
	for _, h := range []*suite.Hash{suite.SHA256, suite.SHA384} {
		secret, out := make([]byte, h.Size), make([]byte, h.Size)
		b.Run(h.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				DeriveSecret(h, out[:0], secret, LabelDerived, EmptyHash(h))
			}
		})
		b.Run(h.Name+"-crypto-hkdf", func(b *testing.B) {
			b.ReportAllocs()
			info := label(h.Size, LabelDerived, EmptyHash(h))
			for b.Loop() {
				if _, err := hkdf.Expand(h.New, secret, info, h.Size); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkKeyBlock(b *testing.B) {
	s := suite.ByID(wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
	var master [48]byte
	var random [32]byte
	var block [128]byte
	b.Run("pooled", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			TLS12.KeyBlock(s, block[:0], master[:], random[:], random[:])
		}
	})
	b.Run("crypto-hmac", func(b *testing.B) {
		b.ReportAllocs()
		seed := append(append([]byte(LabelKeyExpansion), random[:]...), random[:]...)
		for b.Loop() {
			m := hmac.New(s.Hash.New, master[:])
			m.Write(seed)
			a := m.Sum(nil)
			for out := block[:0]; len(out) < TLS12.KeyBlockLen(s); {
				m.Reset()
				m.Write(a)
				m.Write(seed)
				out = m.Sum(out)
				m.Reset()
				m.Write(a)
				a = m.Sum(nil)
			}
		}
	})
}
