package scan

import (
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// A server with keys for encrypted hellos tells their configs, and one without says nothing.
func TestEncryptedHellosAreFound(t *testing.T) {
	id := uint8(7)
	key, err := tls.GenerateECHKey("public.test", tls.ECHKeyOptions{ConfigID: &id})
	if err != nil {
		t.Fatal(err)
	}
	for want, keys := range map[string][]tls.EncryptedClientHelloKey{
		`yes: config 7, behind the name "public.test"`: {key},
		"no configs are offered":                       nil,
	} {
		config := &tls.Config{Certificates: []tls.Certificate{certificate(t, devca.ECDSA)}, EncryptedClientHelloKeys: keys}
		r := audited(t, serveTLS(t, config), Options{ConfigurationOnly: true})
		if got := r.Feature("Encrypted Client Hello"); got != want {
			t.Errorf("%q, wanted %q", got, want)
		}
	}
}
