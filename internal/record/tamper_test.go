package record

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// wantBadMAC fails unless opening rec gives the one error that all failed
// openings share, by identity: the same alert with another text is an oracle too.
func wantBadMAC(t *testing.T, p Params, rec []byte, what string, args ...any) {
	t.Helper()
	in := keyed(p)
	typ, content, _, err := in.Open(rec)
	if err != errBadMAC || typ != 0 || content != nil {
		t.Fatalf(what+": got %v, %d bytes, %v; want %v", append(args, typ, len(content), err, errBadMAC)...)
	}
	if in.Seq() != 0 {
		t.Fatalf(what+": the sequence number moved", args...)
	}
}

func TestEveryBitFlip(t *testing.T) {
	for _, c := range distinct() {
		for _, n := range []int{0, 3, 40} {
			rec := mustSeal(t, keyed(c.p), wire.ContentApplicationData, bytesOf("content", n), 0)
			first := 0
			if c.p.Version == wire.TLS13 {
				first = 1 // the outer type is judged before the keys
			}
			for i := first; i < len(rec); i++ {
				if i == 3 || i == 4 {
					continue // the length: no longer one whole record
				}
				for bit := range 8 {
					bad := bytes.Clone(rec)
					bad[i] ^= 1 << bit
					if c.unminded(rec, n, i) {
						if _, content, _, err := keyed(c.p).Open(bad); err != errBadMAC && string(content) != string(bytesOf("content", n)) {
							t.Fatalf("%s: %d bytes, bit %d of byte %d: %x, %v", c.name, n, bit, i, content, err)
						}
						continue
					}
					wantBadMAC(t, c.p, bad, "%s: %d bytes, bit %d of byte %d", c.name, n, bit, i)
				}
			}
		}
	}
}

// unminded reports that byte i of rec is one that SSL 3.0 may take when it is
// changed: the header's version, which its MAC leaves out, and a last block that is
// padding alone. RFC 6101 §5.2.3.1, §5.2.3.2.
func (c protectedCase) unminded(rec []byte, n, i int) bool {
	if c.p.Version != wire.SSL30 {
		return false
	}
	blockLen := c.p.Suite.Cipher.BlockLen
	return i == 1 || i == 2 || blockLen > 0 && (n+c.p.Suite.MAC.Len)%blockLen == 0 && i >= len(rec)-blockLen
}

func TestEveryCut(t *testing.T) {
	for _, c := range distinct() {
		rec := mustSeal(t, keyed(c.p), wire.ContentApplicationData, bytesOf("content", 40), 0)
		fragment := rec[HeaderLen:]
		for n := range fragment {
			for _, part := range [][]byte{fragment[:n], fragment[n+1:], append(bytes.Clone(fragment), fragment[:n+1]...)} {
				bad := AppendHeader(nil, Header{wire.ContentApplicationData, wire.TLS12, len(part)})
				wantBadMAC(t, c.p, append(bad, part...), "%s: %d bytes of fragment", c.name, len(part))
			}
		}
	}
}

func TestReplayAndReorder(t *testing.T) {
	for _, c := range distinct() {
		out, in := keyed(c.p), keyed(c.p)
		first := mustSeal(t, out, wire.ContentApplicationData, []byte("1"), 0)
		second := mustSeal(t, out, wire.ContentApplicationData, []byte("2"), 0)
		wantBadMAC(t, c.p, bytes.Clone(second), "%s: the second record first", c.name)
		if _, _, _, err := in.Open(bytes.Clone(first)); err != nil {
			t.Fatal(c.name, err)
		}
		if _, _, _, err := in.Open(first); err != errBadMAC {
			t.Fatalf("%s: a replayed record: %v", c.name, err)
		}
		_, _, _, err := in.Open(second)
		if c.p.Suite.Cipher.Stream != nil { // its key stream has moved on
			if err != errBadMAC {
				t.Fatalf("%s: after a failed opening: %v", c.name, err)
			}
		} else if err != nil {
			t.Fatalf("%s: after a failed opening: %v", c.name, err)
		}
	}
}

// Two records of the same content differ: no nonce and no IV comes twice.
func TestNoTwoRecordsAlike(t *testing.T) {
	for _, c := range distinct() {
		out := keyed(c.p)
		seen := map[string]bool{}
		for range 100 {
			rec := mustSeal(t, out, wire.ContentApplicationData, make([]byte, 32), 0)
			parts := []string{string(rec[HeaderLen : HeaderLen+8]), string(rec[HeaderLen+16 : HeaderLen+32])}
			if !c.hides() {
				parts = []string{string(rec)}
			}
			for _, part := range parts {
				if seen[part] {
					t.Fatalf("%s: %x comes twice", c.name, part)
				}
				seen[part] = true
			}
		}
	}
}
