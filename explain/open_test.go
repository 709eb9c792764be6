package explain

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// What the record layer seals in every way it has is opened by the code here,
// and nothing that was changed is.
func TestOpen(t *testing.T) {
	key := func(n int) []byte { return bytes.Repeat([]byte{0x5a}, n) }
	for _, s := range suite.All() {
		for _, etm := range []bool{false, true} {
			if etm && s.IsAEAD() {
				continue
			}
			t.Run(s.Name, func(t *testing.T) {
				ks := keySet{key(s.Cipher.KeyLen), key(s.Cipher.FixedIVLen), key(macLen(s))}
				k := &Keys{raw: trace.Keys{Suite: s.ID, Version: s.Max}, EncryptThenMAC: etm, derived: ks}
				var half record.Half
				half.SetKeys(record.Params{Version: s.Max, Suite: s, Key: ks.key, IV: ks.iv, MAC: ks.mac, EncryptThenMAC: etm})
				for seq, content := range [][]byte{[]byte("one"), {}, bytes.Repeat([]byte("long "), 1000)} {
					padding := 0
					if s.Max == wire.TLS13 {
						padding = 7
					}
					rec, err := half.Seal(nil, wire.ContentApplicationData, wire.TLS12, content, padding)
					if err != nil {
						t.Fatal(err)
					}
					o, err := open(k, rec, uint64(seq))
					if err != nil || o.typ != wire.ContentApplicationData || !bytes.Equal(o.content, content) || o.padding != padding {
						t.Fatalf("record %d opens to %v, %d bytes, padding %d, error %v", seq, o.typ, len(o.content), o.padding, err)
					}
					if _, err := open(k, rec, uint64(seq)+1); err == nil && (!s.IsAEAD() || s.Cipher.ExplicitNonceLen == 0) {
						t.Errorf("record %d opens under another sequence number", seq)
					}
					for _, i := range []int{0, 5, len(rec) / 2, len(rec) - 1} {
						bad := bytes.Clone(rec)
						bad[i] ^= 0x80
						if o, err := open(k, bad, uint64(seq)); err == nil && i > 0 {
							t.Errorf("record %d opens with byte %d changed, to %d bytes", seq, i, len(o.content))
						}
					}
					for n := range min(len(rec), 60) {
						if _, err := open(k, rec[:n], uint64(seq)); err == nil {
							t.Errorf("the first %d bytes of record %d open", n, seq)
						}
					}
				}
			})
		}
	}
}
