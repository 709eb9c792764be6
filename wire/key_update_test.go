package wire

import "testing"

func FuzzKeyUpdate(f *testing.F) { fuzzMessage(f, TypeKeyUpdate) }

func TestKeyUpdateFields(t *testing.T) {
	for name, want := range map[string]KeyUpdateRequest{
		"rfc8446-not-requested": UpdateNotRequested, "openssl-tls13": UpdateRequested,
	} {
		if m := decode[*KeyUpdate](t, "KeyUpdate", name); m.Request != want {
			t.Errorf("%s: %v", name, m.Request)
		}
	}
}
