package wire

import (
	"bytes"
	"encoding/base64"
	"errors"
	"reflect"
	"testing"
)

// A list as cloudflare-ech.com's HTTPS record has had it, with one config for X25519.
const publishedECH = "AEX+DQBBEQAgACAIYTGsUEeZQYoCuOVY93ZCQtDd9KbVTAzz78imv0VZeAAEAAEAAQASY2xvdWRmbGFyZS1lY2guY29tAAA="

func published(t testing.TB) []byte {
	b, err := base64.StdEncoding.DecodeString(publishedECH)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestECHConfigs(t *testing.T) {
	raw := published(t)
	list, err := ParseECHConfigs(raw)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	c := list[0]
	if !c.Known() || c.ConfigID != 0x11 || c.KEM != KEMX25519 || len(c.PublicKey) != 32 || string(c.PublicName) != "cloudflare-ech.com" || c.MaxNameLength != 0 ||
		!reflect.DeepEqual(c.Suites, []HPKESuite{{KDFSHA256, AEADAES128}}) || len(c.Extensions) != 0 {
		t.Errorf("%+v", c)
	}
	if !bytes.Equal(c.Append(nil), c.Raw) || !bytes.Equal(AppendECHConfigs(nil, list), raw) {
		t.Error("what was parsed is appended otherwise")
	}
}

// Configs of other versions are kept as they are, and the ones after them are read.
func TestECHConfigsOfOtherVersions(t *testing.T) {
	raw := published(t)
	other := append([]byte{0xfe, 0x0a, 0, 3, 1, 2, 3}, raw[2:]...)
	list, err := ParseECHConfigs(append([]byte{0, byte(len(other))}, other...))
	if err != nil || len(list) != 2 || list[0].Known() || !bytes.Equal(list[0].Unknown, []byte{1, 2, 3}) || !list[1].Known() {
		t.Fatalf("%+v, %v", list, err)
	}
	if !bytes.Equal(list[0].Append(nil), list[0].Raw) {
		t.Error("one of another version is appended otherwise")
	}
}

func TestECHConfigsThatAreNone(t *testing.T) {
	raw := published(t)
	for name, b := range map[string][]byte{
		"empty": nil, "no config": {0, 0}, "cut off": raw[:len(raw)-1], "one byte more": append(bytes.Clone(raw), 0),
		"a config that is too long": append([]byte{0, 4, 0xfe, 0x0d, 0, 9}, raw...),
		"no public name":            {0, 23, 0xfe, 0x0d, 0, 19, 1, 0, 0x20, 0, 1, 9, 0, 4, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0},
		"no public key":             {0, 20, 0xfe, 0x0d, 0, 16, 1, 0, 0x20, 0, 0, 0, 4, 0, 1, 0, 1, 0, 1, 'a', 0, 0},
	} {
		var broken *SyntaxError
		if _, err := ParseECHConfigs(b); !errors.As(err, &broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestECHClientHello(t *testing.T) {
	for _, e := range []ECHClientHello{
		{Type: ECHInner},
		{Suite: HPKESuite{KDFSHA256, AEADChaCha20}, ConfigID: 7, Enc: []byte{1, 2}, Payload: []byte{3}},
		{Suite: HPKESuite{KDFSHA384, AEADAES256}, Enc: []byte{}, Payload: []byte{3, 4}},
	} {
		raw := e.Append(nil)
		var got ECHClientHello
		r := NewReader(raw, nil)
		if got.Read(&r); r.Finish("") != nil || !bytes.Equal(got.Append(nil), raw) || got.Type != e.Type || got.Suite != e.Suite || got.ConfigID != e.ConfigID {
			t.Errorf("%+v is read as %+v, %v", e, got, r.Err())
		}
	}
	for name, b := range map[string][]byte{"empty": {}, "of type 2": {2}, "an inner one with more": {1, 0}, "no payload": {0, 0, 1, 0, 1, 7, 0, 0, 0, 0}} {
		r := NewReader(b, nil)
		new(ECHClientHello).Read(&r)
		var broken *SyntaxError
		if err := r.Finish("encrypted_client_hello"); !errors.As(err, &broken) || broken.Illegal != (name == "of type 2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEncodedInner(t *testing.T) {
	hello := ClientHello{LegacyVersion: TLS12, Random: make([]byte, 32), CipherSuites: []CipherSuite{TLS_AES_128_GCM_SHA256}, CompressionMethods: []CompressionMethod{0},
		Extensions: Extensions{{ExtEncryptedClientHello, []byte{1}}, {ExtECHOuterExtensions, AppendECHOuterExtensions(nil, []ExtensionType{ExtKeyShare, ExtALPN})}}}
	whole := EncodedInner{Hello: hello, Padding: 9}
	raw := whole.Append(nil)
	var got EncodedInner
	r := NewReader(raw, nil)
	if got.Read(&r); r.Finish("") != nil || got.Padding != 9 || !bytes.Equal(got.Append(nil), raw) {
		t.Fatalf("%+v, %v", got, r.Err())
	}
	for name, b := range map[string][]byte{
		"padding that is not zero": append(bytes.Clone(raw), 1),
		"a session ID":             (&EncodedInner{Hello: ClientHello{LegacyVersion: TLS12, Random: make([]byte, 32), SessionID: []byte{1}, CipherSuites: hello.CipherSuites, CompressionMethods: hello.CompressionMethods}}).Append(nil),
	} {
		r := NewReader(b, nil)
		got.Read(&r)
		var broken *SyntaxError
		if err := r.Finish(""); !errors.As(err, &broken) || !broken.Illegal {
			t.Errorf("%s: %v", name, err)
		}
	}
	var types []ExtensionType
	if found, err := hello.Extensions.Read(ExtECHOuterExtensions, func(r *Reader) { types = ReadECHOuterExtensions(r, nil) }); !found || err != nil || !reflect.DeepEqual(types, []ExtensionType{ExtKeyShare, ExtALPN}) {
		t.Errorf("%v, %v", types, err)
	}
}

func TestHPKENames(t *testing.T) {
	for got, want := range map[string]string{
		KEMX25519.String(): "DHKEM(X25519, HKDF-SHA256)", HPKEKEM(0x9999).String(): "kem(0x9999)", (HPKESuite{KDFSHA256, AEADAES128}).String(): "HKDF-SHA256, AES-128-GCM",
		HPKEKDF(9).String(): "kdf(0x09)", HPKEAEAD(9).String(): "aead(0x09)", ECHInner.String(): "inner", ECHType(9).String(): "ech_type(0x09)",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// whole reads b by read with a recorder: the leaves must tile it, whatever it is.
func whole(t testing.TB, b []byte, read func(*Reader)) error {
	rec := &Recorder{}
	r := NewReader(b, rec)
	read(&r)
	err := r.Finish("all")
	checkSpans(t, rec.Spans, 0, len(b))
	checkSyntaxError(t, err, len(b))
	return err
}

func FuzzECHConfigs(f *testing.F) {
	f.Add(published(f))
	f.Add([]byte{0, 4, 0xfe, 0x0a, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var list []ECHConfig
		if whole(t, b, func(r *Reader) { list = ReadECHConfigs(r, nil) }) != nil {
			return
		}
		if !bytes.Equal(AppendECHConfigs(nil, list), b) {
			t.Errorf("%x is appended otherwise", b)
		}
		for i := range list {
			if !bytes.Equal(list[i].Append(nil), list[i].Raw) {
				t.Errorf("config %d of %x is appended otherwise", i, b)
			}
		}
	})
}

func FuzzECHClientHello(f *testing.F) {
	f.Add([]byte{1})
	f.Add((&ECHClientHello{Suite: HPKESuite{KDFSHA256, AEADAES128}, Enc: make([]byte, 32), Payload: make([]byte, 40)}).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e ECHClientHello
		if whole(t, b, e.Read) == nil && !bytes.Equal(e.Append(nil), b) {
			t.Errorf("%x is appended otherwise", b)
		}
	})
}

func FuzzEncodedInner(f *testing.F) {
	for _, g := range goldens(f, "ClientHello") {
		f.Add(append(bytes.Clone(g.body()), 0, 0, 0))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e EncodedInner
		if whole(t, b, e.Read) == nil && !bytes.Equal(e.Append(nil), b) {
			t.Errorf("%x is appended otherwise", b)
		}
	})
}
