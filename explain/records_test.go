package explain

import (
	"testing"

	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A record that opens, and has more than its receiver takes, is no good one.
func TestRecordLimit(t *testing.T) {
	s := suite.ByName("TLS_AES_128_GCM_SHA256")
	ks := &recompute.Keys{Key: make([]byte, s.Cipher.KeyLen), IV: make([]byte, s.Cipher.FixedIVLen)}
	var half record.Half
	half.SetKeys(record.Params{Version: wire.TLS13, Suite: s, Key: ks.Key, IV: ks.IV})
	for seq, n := range []int{64, 65} {
		rec, err := half.Seal(nil, wire.ContentApplicationData, wire.TLS12, make([]byte, n-4), 4)
		if err != nil {
			t.Fatal(err)
		}
		o := newOpener(&Keys{Key: ks.Key, IV: ks.IV, raw: trace.Keys{Suite: s.ID, Version: wire.TLS13}, derived: ks}, new(handshake))
		o.limit = limit{bytes: 64, by: "record_size_limit"}
		r := &Record{Epoch: 1, Seq: uint64(seq), Wire: rec, Plain: make([]byte, n-4), Padding: 4, typ: wire.ContentApplicationData}
		if r.reopen(o, uint64(seq), false); (r.Check.Result == Agrees) != (n == 64) {
			t.Errorf("%d bytes: %s", n, r.Check.What)
		}
	}
}
