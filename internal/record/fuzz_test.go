package record

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

func FuzzHeader(f *testing.F) {
	f.Add([]byte{22, 3, 1, 0, 5})
	f.Add([]byte("GET / HTTP/1.1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < HeaderLen {
			return
		}
		h := ParseHeader(b)
		if got := AppendHeader(nil, h); !bytes.Equal(got, b[:HeaderLen]) {
			t.Fatalf("%x became %x", b[:HeaderLen], got)
		}
	})
}

// FuzzOpen gives a fragment to an opener of every kind: as it stands, and as the
// plaintext of a record that is sealed well.
func FuzzOpen(f *testing.F) {
	all := distinct()
	for i, c := range all {
		f.Add(uint8(i), uint8(wire.ContentApplicationData), mustSeal(f, keyed(c.p), wire.ContentHandshake, []byte("content"), 3)[HeaderLen:])
	}
	f.Add(uint8(0), uint8(0), make([]byte, MaxCiphertext12+1))
	f.Fuzz(func(t *testing.T, kind, typ uint8, fragment []byte) {
		if len(fragment) > MaxCiphertext12+1 {
			return
		}
		c := all[int(kind)%len(all)]
		rec := append(AppendHeader(nil, Header{wire.ContentType(typ), wire.TLS12, len(fragment)}), fragment...)
		openAny(t, c.p, rec)
		switch {
		case c.p.Version == wire.TLS13:
			openAny(t, c.p, sealInner(c.p, fragment))
		case c.p.Suite.Cipher.Block != nil && len(fragment) >= 16:
			openAny(t, c.p, sealPlain(c.p, fragment[:len(fragment)&^15]))
		}
	})
}

// openAny checks what holds for every record, and that OpenInto agrees with Open.
func openAny(t *testing.T, p Params, rec []byte) {
	in, into := keyed(p), keyed(p)
	typ, content, padding, err := in.Open(bytes.Clone(rec))
	typ2, content2, padding2, _, err2 := into.OpenInto(make([]byte, MaxCiphertext12), rec)
	if typ != typ2 || !bytes.Equal(content, content2) || padding != padding2 || err != err2 {
		t.Fatalf("Open: %v, %d bytes, %d, %v; OpenInto: %v, %d bytes, %d, %v", typ, len(content), padding, err, typ2, len(content2), padding2, err2)
	}
	if len(content)+padding > MaxPlaintext {
		t.Fatalf("%d bytes and %d of padding", len(content), padding)
	}
	if _, ok := err.(*Error); err != nil && !ok {
		t.Fatalf("an error of another type: %v", err)
	}
}
