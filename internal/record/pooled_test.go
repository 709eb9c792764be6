package record

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// Cipher objects go from Half to Half without a trace of the keys that they had: whatever a
// Half takes over, it seals as one that was made for it, and opens what that has sealed.
func TestCiphersServeAnother(t *testing.T) {
	content := []byte("content")
	for range 3 {
		for _, c := range distinct() {
			fresh, used := keyed(c.p), keyed(c.p)
			want, err := fresh.protection().newSealer(fresh)
			if err != nil {
				t.Fatal(err)
			}
			fresh.ciphers = want // which stays with it
			for i := range 3 {
				rec := mustSeal(t, fresh, wire.ContentApplicationData, content, 0)
				got := mustSeal(t, used, wire.ContentApplicationData, content, 0)
				if used.Idle(); c.p.Suite.IsAEAD() && !bytes.Equal(got, rec) { // others draw an IV
					t.Errorf("%s: record %d is %x; want %x", c.name, i, got, rec)
				}
			}
			used.Wipe()
		}
	}
}

// Ciphers leave a Half once, however often it drops them: two connections with the same
// object would seal under each other's keys.
func TestCiphersLeaveOnce(t *testing.T) {
	for _, c := range distinct() {
		h := keyed(c.p)
		for range 3 {
			mustSeal(t, h, wire.ContentApplicationData, []byte("content"), 0)
			h.Idle()
			h.Idle()
			h.SetKeys(c.p)
			h.SetKeys(c.p)
		}
		a, b := keyed(c.p), keyed(c.p)
		for _, h := range []*Half{a, b} {
			mustSeal(t, h, wire.ContentApplicationData, []byte("content"), 0)
		}
		if _, pooled := a.ciphers.(wiper); pooled && a.ciphers == b.ciphers {
			t.Errorf("%s: two connections seal with one object", c.name)
		}
	}
}
