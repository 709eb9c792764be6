package record

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

var params13 = newCase(suite.ByID(wire.TLS_CHACHA20_POLY1305_SHA256), wire.TLS13, false).p

func TestPadding(t *testing.T) {
	for _, v := range []struct{ content, asked, got int }{
		{0, 0, 0}, {0, 1, 1}, {0, MaxPlaintext, MaxPlaintext}, {5, 100, 100}, {5, -1, 0},
		{5, 1 << 30, MaxPlaintext - 5}, {MaxPlaintext, 1, 0},
	} {
		content := make([]byte, v.content) // zeros: not to be mistaken for padding
		rec := mustSeal(t, keyed(params13), wire.ContentHandshake, content, v.asked)
		if want := HeaderLen + v.content + 1 + v.got + 16; len(rec) != want {
			t.Errorf("%+v: the record has %d bytes, want %d", v, len(rec), want)
		}
		typ, got, padding, err := keyed(params13).Open(rec)
		if err != nil || padding != v.got {
			t.Fatalf("%+v: padding %d, %v", v, padding, err)
		}
		wantContent(t, typ, wire.ContentHandshake, got, content)
	}
}

// Padding is TLS 1.3's: before, asking for it changes nothing.
func TestPaddingIgnoredBefore(t *testing.T) {
	for _, c := range append(distinct(), protectedCase{name: "clear"}) {
		if c.p.Version == wire.TLS13 {
			continue
		}
		h := new(Half)
		if c.p.Suite != nil {
			h = keyed(c.p)
		}
		a, b := mustSeal(t, h, wire.ContentAlert, []byte{1, 0}, 0), mustSeal(t, h, wire.ContentAlert, []byte{1, 0}, 1000)
		if len(a) != len(b) {
			t.Errorf("%s: %d bytes without padding, %d with", c.name, len(a), len(b))
		}
	}
}

// Bytes of dst that an earlier use left behind must not become padding.
func TestPaddingIsZero(t *testing.T) {
	dirty := bytes.Repeat([]byte{0xff}, 1000)
	rec, err := keyed(params13).Seal(dirty[:0], wire.ContentAlert, wire.TLS12, []byte{1, 0}, 100)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, padding, err := keyed(params13).Open(rec); err != nil || padding != 100 {
		t.Fatalf("padding %d, %v", padding, err)
	}
}

func TestOuterType(t *testing.T) {
	rec := mustSeal(t, keyed(params13), wire.ContentHandshake, []byte("abc"), 0)
	if typ := ParseHeader(rec).Type; typ != wire.ContentApplicationData {
		t.Errorf("a sealed record calls itself %v", typ)
	}
	for typ := range 256 {
		bad := bytes.Clone(rec)
		bad[0] = byte(typ)
		_, _, _, err := keyed(params13).Open(bad)
		if wire.ContentType(typ) != wire.ContentApplicationData {
			wantAlert(t, err, wire.AlertUnexpectedMessage)
		} else if err != nil {
			t.Error(err)
		}
	}
}

// sealInner seals an inner plaintext as it stands, whatever it breaks.
func sealInner(p Params, inner []byte) []byte {
	a, _ := p.Suite.Cipher.AEAD(p.Key)
	header := AppendHeader(nil, Header{wire.ContentApplicationData, wire.TLS12, len(inner) + a.Overhead()})
	return a.Seal(header, p.IV, inner, bytes.Clone(header))
}

func TestInnerPlaintext(t *testing.T) {
	for _, n := range []int{0, 1, 100, MaxPlaintext + 1} {
		_, _, _, err := keyed(params13).Open(sealInner(params13, make([]byte, n)))
		wantAlert(t, err, wire.AlertUnexpectedMessage)
	}
	for _, inner := range [][]byte{make([]byte, MaxPlaintext+2), bytes.Repeat([]byte{23}, MaxPlaintext+2)} {
		_, _, _, err := keyed(params13).Open(sealInner(params13, inner))
		wantAlert(t, err, wire.AlertRecordOverflow)
	}
	typ, content, _, err := keyed(params13).Open(sealInner(params13, bytes.Repeat([]byte{23}, MaxPlaintext+1)))
	if err != nil {
		t.Fatal(err)
	}
	wantContent(t, typ, wire.ContentApplicationData, content, bytes.Repeat([]byte{23}, MaxPlaintext))
}
