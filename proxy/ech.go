package proxy

import (
	"fmt"
	"os"
	"strings"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
)

// openHellos has own open encrypted hellos by the keys in the files of t: a reload reads them
// again. Clients with another key are told of those in the first file. RFC 9849 §7.1.
func openHellos(t *config.ServerTLS, own *tls.Config) error {
	for i, name := range t.ECHKeys {
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("ech-keys[%d]: %w", i, err)
		}
		keys, err := tls.ParseECHKeys(text)
		if err != nil {
			return fmt.Errorf("ech-keys[%d]: %s: %w", i, name, err)
		}
		for j := range keys {
			keys[j].SendAsRetry = i == 0
		}
		own.EncryptedClientHelloKeys = append(own.EncryptedClientHelloKeys, keys...)
	}
	return nil
}

// publicNames are those that clients show in place of the one they mean. One with a key that
// is gone is told of the new one in a handshake for such a name, whether a route has it or not.
func publicNames(own *tls.Config) map[string]bool {
	names := map[string]bool{}
	for _, key := range own.EncryptedClientHelloKeys {
		list, err := tls.ECHConfigList(key)
		if err != nil {
			continue // the handshake will say so
		}
		if name, err := tls.CheckECHConfigList(list); err == nil {
			names[strings.ToLower(name)] = true
		}
	}
	return names
}
