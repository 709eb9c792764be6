package tls

import (
	"os"
	"path/filepath"
	"testing"
)

// Secrets are written where Config.KeyLogWriter says, and nowhere else: a variable
// that was set for a browser must not have them too.
func TestTheEnvironmentLogsNoKeys(t *testing.T) {
	name := filepath.Join(t.TempDir(), "keys")
	t.Setenv("SSLKEYLOGFILE", name)
	for _, version := range bothVersions {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		at(version, client, server)
		mustConnect(t, client, server)
	}
	if text, err := os.ReadFile(name); !os.IsNotExist(err) {
		t.Errorf("there is a key log: %q, %v", text, err)
	}
}
