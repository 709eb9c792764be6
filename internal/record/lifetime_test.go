package record

import (
	"bytes"
	"math/bits"
	"os"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Sweet32: a cipher with 64-bit blocks is due at 1 GiB, gets a few records more to
// be replaced or to say goodbye, and then nothing, in either direction.
func TestSweet32(t *testing.T) {
	for _, c := range distinct() {
		out, in := keyed(c.p), keyed(c.p)
		out.seq, in.seq = limit64-1, limit64-1
		if out.Limit() {
			t.Errorf("%s: the limit is too early", c.name)
		}
		var last []byte
		for range 1 + reserve64 {
			if out.Spent() || in.Spent() {
				t.Fatalf("%s: spent after %d records", c.name, out.Seq())
			}
			rec := mustSeal(t, out, wire.ContentApplicationData, []byte("x"), 0)
			last = bytes.Clone(rec)
			if _, _, _, err := in.Open(rec); err != nil {
				t.Fatal(c.name, err)
			}
		}
		small := c.p.Suite.Cipher.BlockLen == 8
		if out.Limit() != small || in.Limit() != small || out.Spent() != small || in.Spent() != small {
			t.Errorf("%s: after %d records Limit %v and %v, Spent %v and %v", c.name, out.Seq(), out.Limit(), in.Limit(), out.Spent(), in.Spent())
		}
		if !small {
			continue
		}
		rec, err := out.Seal([]byte("dst"), wire.ContentAlert, wire.TLS12, []byte{1, 0}, 0)
		if err != errSpent || string(rec) != "dst" {
			t.Errorf("%s: Seal past the limit: %q, %v", c.name, rec, err)
		}
		if _, _, _, err := in.Open(last); err != errSpent {
			t.Errorf("%s: Open past the limit: %v", c.name, err)
		}
		out.SetKeys(c.p)
		if out.Limit() || out.Spent() {
			t.Errorf("%s: new keys do not help", c.name)
		}
	}
	if most := limit64 * MaxPlaintext; most > 1<<30 {
		t.Errorf("the limit is %d bytes", most)
	}
}

// What SECURITY.md says of the bounds is what the code has.
func TestBoundsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	power := func(n uint64) string {
		if bits.OnesCount64(n) != 1 {
			t.Fatalf("%d is no power of 2", n)
		}
		digits := []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")
		e := bits.TrailingZeros64(n)
		return "2" + string([]rune{digits[e/10], digits[e%10]}) + " records"
	}
	for _, want := range []string{
		"| Keys are updated by themselves after " + power(limit13) + " (TLS 1.3) |",
		"| Keys with blocks of 64 bits protect " + power(limit64) + " |",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("SECURITY.md does not say %q", want)
		}
	}
}

// BEAST: where IVs are chained, and only there, a fragment begins with a record of
// one byte.
func TestFirst(t *testing.T) {
	for _, c := range append(distinct(), protectedCase{name: "clear"}) {
		h, chained := new(Half), false
		if c.p.Suite != nil {
			h = keyed(c.p)
			chained = c.p.Version <= wire.TLS10 && c.p.Suite.Cipher.Block != nil
		}
		for _, n := range []int{0, 1, 2, 100, MaxPlaintext} {
			want := n
			if chained && n > 1 {
				want = 1
			}
			if got := h.First(n); got != want {
				t.Errorf("%s: First(%d) is %d, want %d", c.name, n, got, want)
			}
		}
	}
}

// The first block of a record that is chained is encrypted with the last block of
// the record before, across Idle as well; and no explicit IV is that block.
func TestChain(t *testing.T) {
	for _, c := range distinct() {
		if c.p.Suite.Cipher.Block == nil || c.p.EncryptThenMAC {
			continue
		}
		blockLen := c.p.Suite.Cipher.BlockLen
		block, _ := c.p.Suite.Cipher.Block(c.p.Key)
		out, iv := keyed(c.p), c.p.IV
		for i := range 4 {
			rec := mustSeal(t, out, wire.ContentApplicationData, make([]byte, blockLen), 0)
			if i%2 == 1 {
				out.Idle()
			}
			first := make([]byte, blockLen)
			block.Decrypt(first, rec[HeaderLen:][:blockLen])
			if chained := bytes.Equal(first, iv); chained != (c.p.Version <= wire.TLS10) {
				t.Fatalf("%s, record %d: chained is %v", c.name, i, chained)
			}
			iv = bytes.Clone(rec[len(rec)-blockLen:])
		}
	}
}

// NULL and NULL is no protection, and there is none that has CBC and no MAC.
func TestNothingProtectsNothing(t *testing.T) {
	for _, cipher := range []*suite.Cipher{cipherNull, cipherRC4, cipherAES} {
		for _, v := range versions {
			s := suite.Suite{Cipher: cipher}
			p := Params{Version: v, Suite: &s, Key: make([]byte, cipher.KeyLen)}
			if v <= wire.TLS10 {
				p.IV = make([]byte, cipher.BlockLen)
			}
			_, err := keyed(p).Seal(nil, wire.ContentAlert, v, []byte{1, 0}, 0)
			if err != errUnknown {
				t.Errorf("%v, %s without a MAC: %v", v, cipher.Name, err)
			}
		}
	}
	for row := range protections {
		if row.how == encryptThenMAC && row.version == wire.SSL30 || row.how == aead && row.version < wire.TLS12 ||
			row.how != aead && row.version == wire.TLS13 || row.how == unknown {
			t.Errorf("%+v is a row", row)
		}
	}
	if len(protections) != 17 {
		t.Errorf("%d rows", len(protections))
	}
}
