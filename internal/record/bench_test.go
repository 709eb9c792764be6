package record

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

func BenchmarkSeal(b *testing.B) {
	for _, c := range distinct() {
		b.Run(c.name, func(b *testing.B) {
			out := keyed(c.p)
			content, buf := make([]byte, MaxPlaintext), make([]byte, 0, MaxPlaintext+out.Overhead())
			b.SetBytes(MaxPlaintext)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := out.Seal(buf, wire.ContentApplicationData, wire.TLS12, content, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The copy of the record that Open spends is a few percent of the time.
func BenchmarkOpen(b *testing.B) {
	for _, c := range distinct() {
		b.Run(c.name, func(b *testing.B) {
			// A stream cipher opens a record only once; what it does with it again is the same work.
			good := c.p.Suite.Cipher.Stream == nil
			benchmarkOpen(b, c.p, mustSeal(b, keyed(c.p), wire.ContentApplicationData, make([]byte, MaxPlaintext), 0), good)
		})
	}
}

func benchmarkOpen(b *testing.B, p Params, rec []byte, good bool) {
	in, spent := keyed(p), bytes.Clone(rec)
	in.Open(spent) // builds the cipher objects
	b.SetBytes(int64(len(rec)))
	b.ReportAllocs()
	for b.Loop() {
		copy(spent, rec)
		in.seq = 0
		copy(in.iv[:], p.IV)
		if _, _, _, err := in.Open(spent); (err == nil) != good {
			b.Fatal(err)
		}
	}
}

// BenchmarkCBCTiming is for the eye, not for a verdict: the times of the rows of
// one suite must not differ by more than the noise. It opens records of one length
// whose secrets ask for the least and the most work.
func BenchmarkCBCTiming(b *testing.B) {
	const size = 512
	for _, c := range cbcCases() {
		most, longest := size-c.p.Suite.MAC.Len-1, 255
		if c.p.Version == wire.SSL30 {
			longest = c.p.Suite.Cipher.BlockLen - 1
		}
		wrongMAC := plainOf(c.p, make([]byte, most), 0)
		wrongMAC[most] ^= 1
		for _, v := range []struct {
			name  string
			plain []byte
			good  bool
		}{
			{"padding 0", plainOf(c.p, make([]byte, most), 0), true},
			{"most padding", plainOf(c.p, make([]byte, most-longest), longest), true},
			{"wrong MAC", wrongMAC, false},
			{"wrong padding", append(make([]byte, size-1), 255), false},
			{"all 255", bytes.Repeat([]byte{255}, size), false},
		} {
			b.Run(c.name+"/"+v.name, func(b *testing.B) { benchmarkOpen(b, c.p, sealPlain(c.p, v.plain), v.good) })
		}
	}
}
