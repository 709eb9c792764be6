package wire

import "testing"

func FuzzFinished(f *testing.F) { fuzzMessage(f, TypeFinished) }

func TestFinishedFields(t *testing.T) {
	for name, size := range map[string]int{
		"rfc8448-3-server":          32, // SHA-256
		"openssl-tls13-client":      48, // SHA-384
		"openssl-tls12-null-server": 12,
		"openssl-tls11-null-client": 12,
		"nss-ssl30-client":          36, // MD5 and SHA-1
	} {
		if m := decode[*Finished](t, "Finished", name); len(m.VerifyData) != size {
			t.Errorf("%s: %d bytes", name, len(m.VerifyData))
		}
	}
}
