package wire

import "testing"

func FuzzEncryptedExtensions(f *testing.F) { fuzzMessage(f, TypeEncryptedExtensions) }

func TestEncryptedExtensionsFields(t *testing.T) {
	m := decode[*EncryptedExtensions](t, "EncryptedExtensions", "rfc8448-3")
	name, found := m.Extensions.Find(ExtServerName)
	if len(m.Extensions) != 3 || !found || len(name) != 0 {
		t.Errorf("%d extensions, server_name %v %x", len(m.Extensions), found, name)
	}
}
