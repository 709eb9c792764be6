package proxy

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
	vitrine "github.com/vitrine-tls/vitrine/tls"
)

// echFile writes a new key, and returns its file and the list for clients.
func echFile(t *testing.T, file string) (list []byte) {
	t.Helper()
	key, err := vitrine.GenerateECHKey("front.test", vitrine.ECHKeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := vitrine.MarshalECHKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err = vitrine.ECHConfigList(key); err != nil {
		t.Fatal(err)
	}
	return list
}

// hidden connects as crypto/tls's client does, and returns whether the hello was taken.
func hidden(t *testing.T, address string, list []byte) (bool, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: onePKI().roots, ServerName: "secret.test", EncryptedClientHelloConfigList: list})
	if err != nil {
		return false, err
	}
	defer conn.Close()
	return conn.ConnectionState().ECHAccepted, nil
}

// The proxy opens encrypted hellos, routes by the name inside, and takes new keys at a reload:
// clients with the key of before go on, or are told of the first.
func TestEncryptedHellos(t *testing.T) {
	first, second := filepath.Join(t.TempDir(), "first.pem"), filepath.Join(t.TempDir(), "second.pem")
	old, next := echFile(t, first), echFile(t, second)
	own := serverTLS(t, "front.test", "secret.test")
	own.ECHKeys = []string{first}
	c := config.Config{
		Listeners: []config.Listener{{Listen: []string{"127.0.0.1:0"}, TLS: own, Routes: []config.Route{{Names: []string{"secret.test"}, Target: "echo"}}}},
		Targets:   map[string]config.Target{"echo": {Addresses: []string{backend(t, nil, echo)}}},
	}
	p, address := begin(t, c)
	if taken, err := hidden(t, address, old); err != nil || !taken {
		t.Fatalf("the hello was taken: %v, %v", taken, err)
	}
	own.ECHKeys = []string{second, first}
	if err := p.Reload(c); err != nil {
		t.Fatal(err)
	}
	for name, list := range map[string][]byte{"the new key": next, "the old key": old} {
		if taken, err := hidden(t, address, list); err != nil || !taken {
			t.Errorf("%s after the reload: %v, %v", name, taken, err)
		}
	}
	own.ECHKeys = []string{second}
	if err := p.Reload(c); err != nil {
		t.Fatal(err)
	}
	_, err := hidden(t, address, old)
	rejected, is := errors.AsType[*tls.ECHRejectionError](err)
	if !is || !slices.Equal(rejected.RetryConfigList, next) {
		t.Errorf("a client with a key that is gone is told %v", err)
	}
	if err := os.WriteFile(second, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Reload(c); err == nil {
		t.Error("a file without a key was loaded")
	}
	if taken, err := hidden(t, address, next); err != nil || !taken {
		t.Errorf("the keys of before a reload that failed: %v, %v", taken, err)
	}
}
