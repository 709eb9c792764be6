package wire

import (
	"bytes"
	"testing"
)

// An identity is what RFC 9258 §5.1 draws: each part after its length, and nothing behind.
func TestImportedIdentity(t *testing.T) {
	want := []byte("\x00\x06client\x00\x03lab\x03\x04\x00\x02")
	i := ImportedIdentity{ExternalIdentity: []byte("client"), Context: []byte("lab"), TargetProtocol: TLS13, TargetKDF: HKDFSHA384}
	if got := i.Append(nil); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	got, ok := ParseImportedIdentity(want)
	if !ok || string(got.ExternalIdentity) != "client" || string(got.Context) != "lab" || got.TargetKDF.String() != "HKDF_SHA384" {
		t.Errorf("%+v, %v", got, ok)
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "no identity": []byte("\x00\x00\x00\x00\x03\x04\x00\x01"), "cut": want[:len(want)-1],
		"more": append(bytes.Clone(want), 0), "TLS 1.2": bytes.Replace(want, []byte{3, 4}, []byte{3, 3}, 1),
	} {
		if _, ok := ParseImportedIdentity(bad); ok {
			t.Errorf("%s: %x is one", name, bad)
		}
	}
}

func FuzzImportedIdentity(f *testing.F) {
	f.Add([]byte("\x00\x06client\x00\x03lab\x03\x04\x00\x02"))
	f.Add([]byte("alice"))
	f.Fuzz(func(t *testing.T, identity []byte) {
		if i, ok := ParseImportedIdentity(identity); ok && !bytes.Equal(i.Append(nil), identity) {
			t.Errorf("%x is written as %x", identity, i.Append(nil))
		}
	})
}
