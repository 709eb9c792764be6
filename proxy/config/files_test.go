package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// inFolder moves to a folder with a certificate, its key, and what is wrong with others.
func inFolder(t *testing.T) {
	t.Helper()
	pair := func(until time.Time) (cert, key string) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"a.example.com"}, NotAfter: until}
		der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
		if err != nil {
			t.Fatal(err)
		}
		pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	}
	chain, key := pair(time.Now().Add(time.Hour))
	_, other := pair(time.Now().Add(time.Hour))
	old, oldKey := pair(time.Now().Add(-time.Hour))
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"chain.pem": chain, "key.pem": key, "other.pem": other, "both.pem": chain + key, "old.pem": old + oldKey, "text": "hello\n", "EMPTY": "\n",
		"comments": "# nothing\n", "damaged.pem": strings.Replace(chain, "\nMII", "\nMIA", 1),
		"fleet.key": "# the newest first\n" + strings.Repeat("0a", 32) + "\n", "psk": "client:1:" + strings.Repeat("0f", 16) + "\n",
	} {
		if err := os.WriteFile(filepath.Join(".", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A file that cannot be used is named, with the line that names it and the remedy.
func TestFilesThatCannotBeUsed(t *testing.T) {
	dir, err := filepath.Abs("testdata/files")
	if err != nil {
		t.Fatal(err)
	}
	inFolder(t)
	golden(t, dir, config.Files(), config.Rights())
}

func TestFilesThatCanBeUsed(t *testing.T) {
	inFolder(t)
	c := mustParse(t, `
listeners:
  - listen: [":443"]
    tls:
      certificates: [{cert: chain.pem, key: key.pem}, {cert: both.pem}]
      psk-file: psk
      client-auth: request
      client-ca: chain.pem
    allow: ["psk:client1"]
    target: web
targets:
  web: {addresses: ["127.0.0.1:80"], tls: {ca: chain.pem, cert: both.pem}}
sessions: {store: "file:store", key-file: fleet.key}
`)
	if problems := config.Check(c, config.Files()); problems != nil {
		t.Error(problems)
	}
	c.Listeners[0].TLS.Certificates[1].Cert = "old.pem"
	problems := config.Check(c, config.Files())
	if len(problems) != 1 || problems.Err() != nil || !strings.Contains(problems[0].String(), "warning: ") || problems[0].Line != 5 {
		t.Errorf("an expired one: %v", problems)
	}
}

// Keys of a process of their own are not read by this one.
func TestKeysOfAnotherProcess(t *testing.T) {
	inFolder(t)
	c := mustParse(t, "listeners: [{listen: [':443'], tls: {certificates: [{cert: chain.pem, key: not-for-us.pem}]}, target: web}]\ntargets: {web: {addresses: ['a:1']}}\nprocess: {keys: process}\n")
	if problems := config.Check(c, config.Files()); problems != nil {
		t.Error(problems)
	}
	c.Process.Keys = "locked"
	if config.Check(c, config.Files()).Err() == nil {
		t.Error("the key is missing, and nothing is said")
	}
}

// Without the option no file is looked at, so that a configuration for another machine can
// be checked.
func TestFilesAreLeftAlone(t *testing.T) {
	c := mustParse(t, "listeners: [{listen: [':443'], tls: {psk-file: no-such-file}, target: web}]\ntargets: {web: {addresses: ['a:1']}}\n")
	if problems := config.Check(c); problems != nil {
		t.Error(problems)
	}
}
