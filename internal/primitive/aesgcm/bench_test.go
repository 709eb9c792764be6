package aesgcm

import (
	"crypto/cipher"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/primitive/cpu"
)

// BenchmarkSeal and BenchmarkOpen have each path beside crypto/cipher, with as much
// additional data as TLS 1.3 has. One seals in place, the other opens apart.
func BenchmarkSeal(b *testing.B) {
	benchmark(b, func(b *testing.B, a cipher.AEAD, nonce, buf, data []byte) {
		for b.Loop() {
			a.Seal(buf[:0], nonce, buf, data)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	benchmark(b, func(b *testing.B, a cipher.AEAD, nonce, buf, data []byte) {
		sealed, out := a.Seal(nil, nonce, buf, data), make([]byte, len(buf))
		for b.Loop() {
			if _, err := a.Open(out[:0], nonce, sealed, data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchmark(b *testing.B, f func(b *testing.B, a cipher.AEAD, nonce, buf, data []byte)) {
	for _, keyLen := range []int{16, 32} {
		for _, n := range []int{16, 64, 256, 1024, 16384} {
			for _, way := range forced {
				b.Run(fmt.Sprintf("%d bits/%d bytes/%s", 8*keyLen, n, way.name), func(b *testing.B) {
					defer cpu.Without(way.without)()
					if !way.has() {
						b.Skip("this processor, or this build, has no such path")
					}
					b.SetBytes(int64(n))
					f(b, ours(b, make([]byte, keyLen)), make([]byte, nonceSize), make([]byte, n, n+tagSize), make([]byte, 5))
				})
			}
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for _, keyLen := range []int{16, 32} {
		for _, way := range forced {
			b.Run(fmt.Sprintf("%d bits/%s", 8*keyLen, way.name), func(b *testing.B) {
				defer cpu.Without(way.without)()
				key := make([]byte, keyLen)
				b.ReportAllocs()
				for b.Loop() {
					ours(b, key)
				}
			})
		}
	}
}
