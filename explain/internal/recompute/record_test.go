package recompute

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

var everyVersion = []wire.Version{wire.SSL30, wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13}

// What the record layer seals in every way it has is opened by the code here,
// one record after the other, and nothing that was changed is.
func TestOpen(t *testing.T) {
	for _, s := range suite.All() {
		for _, v := range everyVersion {
			for _, etm := range []bool{false, true} {
				if !s.Allows(v) || etm && (s.Cipher.Block == nil || v == wire.SSL30) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%v/%v", s.Name, v, etm), func(t *testing.T) { testOpen(t, s, v, etm) })
			}
		}
	}
}

func testOpen(t *testing.T, s *suite.Suite, v wire.Version, etm bool) {
	key := func(n int) []byte { return bytes.Repeat([]byte{0x5a}, n) }
	ks := Keys{key(s.Cipher.KeyLen), key(IVLen(v, s)), key(MACLen(s))}
	o := NewOpener(Params{Version: v, Suite: s, Keys: ks, EncryptThenMAC: etm})
	var half record.Half
	half.SetKeys(record.Params{Version: v, Suite: s, Key: ks.Key, IV: ks.IV, MAC: ks.MAC, EncryptThenMAC: etm})
	header := min(v, wire.TLS12)
	for seq, content := range [][]byte{[]byte("one"), {}, bytes.Repeat([]byte("long "), 1000), {0}} {
		padding := 0
		if v == wire.TLS13 {
			padding = 7
		}
		rec, err := half.Seal(nil, wire.ContentApplicationData, header, content, padding)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Open(rec, uint64(seq)+1); err == nil && (s.MAC != nil || s.Cipher.ExplicitNonceLen == 0) {
			t.Errorf("record %d opens under another sequence number", seq)
		}
		for _, i := range []int{0, 5, len(rec) / 2, len(rec) - 1} {
			bad := bytes.Clone(rec)
			bad[i] ^= 0x80
			if x, err := o.Open(bad, uint64(seq)); err == nil && i > 0 {
				t.Errorf("record %d opens with byte %d of %d changed, to %d bytes", seq, i, len(rec), len(x.Content))
			}
		}
		for n := range min(len(rec), 60) {
			if _, err := o.Open(rec[:n], uint64(seq)); err == nil {
				t.Errorf("the first %d bytes of record %d open", n, seq)
			}
		}
		x, err := o.Open(rec, uint64(seq))
		if err != nil || x.Type != wire.ContentApplicationData || !bytes.Equal(x.Content, content) || x.Padding != padding {
			t.Fatalf("record %d opens to %v, %d bytes, padding %d, error %v", seq, x.Type, len(x.Content), x.Padding, err)
		}
	}
}

// What was compressed is decompressed, with what came before as its dictionary.
func TestInflate(t *testing.T) {
	squeeze := record.NewCompressor()
	z := new(inflater)
	long := bytes.Repeat([]byte("all work and no play. "), 700)
	var lengths []int
	for i, content := range [][]byte{[]byte("first"), nil, long, long, bytes.Repeat([]byte{0}, maxContent)} {
		squeezed := squeeze.Append(nil, content)
		for n := range min(len(squeezed), 30) {
			if _, got, err := z.record(squeezed[:n]); err == nil && bytes.Equal(got, content) && n > 0 {
				t.Errorf("%d of %d bytes of piece %d say it all", n, len(squeezed), i)
			}
		}
		next, got, err := z.record(squeezed)
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("piece %d: %d of %d bytes, %v", i, len(got), len(content), err)
		}
		z, lengths = next, append(lengths, len(squeezed))
	}
	if lengths[3] > lengths[2] {
		t.Errorf("what came before does not help: %d", lengths)
	}
	if _, _, err := z.record(record.NewCompressor().Append(nil, make([]byte, maxContent))); err == nil {
		t.Error("a second start of the stream is accepted")
	}
	if _, _, err := new(inflater).record([]byte{0x78, 0x9d, 1}); err == nil {
		t.Error("a wrong header is accepted")
	}
}
