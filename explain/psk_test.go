package explain

import (
	"crypto"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
)

// What is made of external pre-shared keys is computed again: each binder, the import, and
// the secrets without a key exchange.
func TestLiveExternalPSKs(t *testing.T) {
	key := []byte("one key for this test, of no use.")
	plain := tls.ExternalPSK{Identity: []byte("alice"), Key: key, Hash: crypto.SHA256}
	other := tls.ExternalPSK{Identity: []byte("bob"), Key: key, Hash: crypto.SHA384}
	imported := tls.ExternalPSK{Identity: []byte("carol"), Key: key, Hash: crypto.SHA256, Import: true, Context: []byte("a test")}
	for name, test := range map[string]struct {
		offered []tls.ExternalPSK
		known   tls.ExternalPSK
		alone   bool
	}{
		"as it is": {[]tls.ExternalPSK{plain}, plain, false},
		"second":   {[]tls.ExternalPSK{other, plain}, plain, false},
		"imported": {[]tls.ExternalPSK{plain, imported}, imported, false},
		"alone":    {[]tls.ExternalPSK{plain}, plain, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			p.client.PSK = tls.PSK{External: test.offered, WithoutDH: test.alone}
			p.server.PSK.ExternalServer = func(identity []byte) (*tls.ExternalPSK, error) {
				if string(identity) != string(test.known.Identity) {
					return nil, nil
				}
				return &test.known, nil
			}
			p.client.Legacy.PSKWithoutDH, p.server.Legacy.PSKWithoutDH = test.alone, test.alone
			client, server := p.connect(t, nil)
			for _, c := range []*Connection{client.Connection(About{}), server.Connection(About{})} {
				c.mustAgree(t)
				if c.Summary.PSKIdentity != string(test.known.Identity) || c.Summary.Resumed != "" {
					t.Errorf("%+v", c.Summary)
				}
			}
		})
	}
}
