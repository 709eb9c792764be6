package attacks

import (
	"bytes"
	"crypto/hmac"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/wire"
)

// Lucky Thirteen (CVE-2013-0169), and Vaudenay's padding oracle before it
// (CVE-2002-20001, CVE-2003-0078): if wrong padding and a wrong MAC differ in the
// alert, or in the time until it, the plaintext can be found byte by byte. Here
// is what can be seen on the wire. That the hash function does the same work for
// every padding, counted by its calls, is shown by TestCBCFailuresAreAlike and
// TestHMACCTWorkIsPublic of internal/record, for every hash and for the MAC of
// SSL 3.0.

func TestLucky13RepliesAreAlike(t *testing.T) {
	oracle(t, func(t *testing.T, p record.Params, ask func(func(record.Params) []byte) string) {
		block, mac := p.Suite.Cipher.BlockLen, p.Suite.MAC.Len
		content := make([]byte, 64)
		n := len(content) + mac
		total := n + whole(p, n, 0) + 1
		want := ""
		for name, plain := range map[string]func(p record.Params) []byte{
			"a wrong MAC": func(p record.Params) []byte {
				b := plaintext(p, content, total-n-1)
				b[len(content)] ^= 1
				return b
			},
			"other content": func(p record.Params) []byte {
				b := plaintext(p, content, total-n-1)
				b[0] ^= 1
				return b
			},
			"padding that is longer than the record": func(p record.Params) []byte { return append(make([]byte, total-1), 255) },
			"padding that leaves no room for a MAC": func(p record.Params) []byte {
				return bytes.Repeat([]byte{byte(min(total-1, 255))}, total)
			},
			"padding of one byte, and no MAC":  func(p record.Params) []byte { return make([]byte, total) },
			"padding of a block, and no MAC":   func(p record.Params) []byte { return bytes.Repeat([]byte{byte(block - 1)}, total) },
			"the last byte of the padding":     func(p record.Params) []byte { return flipLast(plaintext(p, content, total-n-1), 0x80) },
			"garbage":                          func(p record.Params) []byte { return append(bytes.Repeat([]byte{0xa5}, total-1), 7) },
			"as the right one, but all is MAC": func(p record.Params) []byte { return append(plaintext(p, content, total-n-1)[1:], 0) },
		} {
			got := ask(plain)
			if want == "" {
				want = got
			}
			if got != want || !strings.HasSuffix(got, "[bad_record_mac]") {
				t.Errorf("%s: %s; others: %s", name, got, want)
			}
		}
	})
}

func flipLast(b []byte, mask byte) []byte {
	b[len(b)-1] ^= mask
	return b
}

// macOf is the MAC of application data in the record number 1, whose header says
// p's version.
func macOf(p record.Params, content []byte) []byte {
	h := p.Suite.MAC.Hash
	seq, length := []byte{0, 0, 0, 0, 0, 0, 0, 1}, []byte{byte(len(content) >> 8), byte(len(content))}
	if p.Version == wire.SSL30 {
		const pads = 40 // of SHA-1
		inner, outer := h.New(), h.New()
		for _, part := range [][]byte{p.MAC, bytes.Repeat([]byte{0x36}, pads), seq, {23}, length, content} {
			inner.Write(part)
		}
		for _, part := range [][]byte{p.MAC, bytes.Repeat([]byte{0x5c}, pads), inner.Sum(nil)} {
			outer.Write(part)
		}
		return outer.Sum(nil)
	}
	m := hmac.New(h.New, p.MAC)
	for _, part := range [][]byte{seq, {23, byte(p.Version >> 8), byte(p.Version)}, length, content} {
		m.Write(part)
	}
	return m.Sum(nil)
}
