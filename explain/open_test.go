package explain

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
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
	ks := &keySet{key(s.Cipher.KeyLen), key(ivLen(s, v)), key(macLen(s))}
	o := newOpener(&Keys{raw: trace.Keys{Suite: s.ID, Version: v}, EncryptThenMAC: etm, derived: ks}, new(handshake))
	var half record.Half
	half.SetKeys(record.Params{Version: v, Suite: s, Key: ks.key, IV: ks.iv, MAC: ks.mac, EncryptThenMAC: etm})
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
		if _, err := o.open(rec, uint64(seq)+1); err == nil && (s.MAC != nil || s.Cipher.ExplicitNonceLen == 0) {
			t.Errorf("record %d opens under another sequence number", seq)
		}
		for _, i := range []int{0, 5, len(rec) / 2, len(rec) - 1} {
			bad := bytes.Clone(rec)
			bad[i] ^= 0x80
			if x, err := o.open(bad, uint64(seq)); err == nil && i > 0 {
				t.Errorf("record %d opens with byte %d of %d changed, to %d bytes", seq, i, len(rec), len(x.content))
			}
		}
		for n := range min(len(rec), 60) {
			if _, err := o.open(rec[:n], uint64(seq)); err == nil {
				t.Errorf("the first %d bytes of record %d open", n, seq)
			}
		}
		x, err := o.open(rec, uint64(seq))
		if err != nil || x.typ != wire.ContentApplicationData || !bytes.Equal(x.content, content) || x.padding != padding {
			t.Fatalf("record %d opens to %v, %d bytes, padding %d, error %v", seq, x.typ, len(x.content), x.padding, err)
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

// A record that opens, and has more than its receiver takes, is no good one.
func TestRecordLimit(t *testing.T) {
	s := suite.ByName("TLS_AES_128_GCM_SHA256")
	ks := &keySet{make([]byte, s.Cipher.KeyLen), make([]byte, s.Cipher.FixedIVLen), nil}
	var half record.Half
	half.SetKeys(record.Params{Version: wire.TLS13, Suite: s, Key: ks.key, IV: ks.iv})
	for seq, n := range []int{64, 65} {
		rec, err := half.Seal(nil, wire.ContentApplicationData, wire.TLS12, make([]byte, n-4), 4)
		if err != nil {
			t.Fatal(err)
		}
		o := newOpener(&Keys{raw: trace.Keys{Suite: s.ID, Version: wire.TLS13}, derived: ks}, new(handshake))
		o.limit = limit{bytes: 64, by: "record_size_limit"}
		r := &Record{Epoch: 1, Seq: uint64(seq), Wire: rec, Plain: make([]byte, n-4), Padding: 4, typ: wire.ContentApplicationData}
		if r.reopen(o, uint64(seq), false); (r.Check.Result == Agrees) != (n == 64) {
			t.Errorf("%d bytes: %s", n, r.Check.What)
		}
	}
}
