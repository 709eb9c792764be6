package tls

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// A pair of files is read; one that is missing is named.
func TestKeyPairFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own := testPKI().certs["ecdsa-p256"]
	cert := file("cert.pem", "CERTIFICATE", own.Certificate[0])
	key := file("key.pem", "PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(own.PrivateKey)))
	pair, err := LoadX509KeyPair(cert, key)
	if err != nil || !pair.Leaf.Equal(own.Leaf) || !own.PrivateKey.(*ecdsa.PrivateKey).Equal(pair.PrivateKey) {
		t.Errorf("%+v, %v", pair, err)
	}
	gone := filepath.Join(dir, "gone.pem")
	for _, files := range [][2]string{{gone, key}, {cert, gone}} {
		if _, err := LoadX509KeyPair(files[0], files[1]); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), gone) {
			t.Errorf("%v: %v", files, err)
		}
	}
}

// A DSA pair is read from PEM and serves; what does not belong together is refused.
func TestDSAKeyPair(t *testing.T) {
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	first, second := dsaCertificate(), must(must(devca.New("example.test")).Issue(devca.Leaf{Names: []string{"example.test"}, Key: devca.DSA}))
	key := func(c Certificate) []byte {
		return append(block("DSA PARAMETERS", []byte{0x30, 0}), block("PRIVATE KEY", must(c.PrivateKey.(*devca.DSAKey).PKCS8()))...)
	}
	rsaKey := block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(testPKI().certs["rsa2048"].PrivateKey)))
	cert := block("CERTIFICATE", first.Certificate[0])

	pair, err := X509KeyPair(cert, key(first))
	if err != nil {
		t.Fatal(err)
	}
	client, server := forSuite(suite.ByID(wire.TLS_DHE_DSS_WITH_AES_128_CBC_SHA), wire.TLS12)
	server.Certificates = []Certificate{pair}
	c, s := mustConnect(t, client, server)
	exchange(t, c, s)

	for name, wrong := range map[string][2][]byte{
		"another key":           {cert, key(second)},
		"a key of another kind": {cert, rsaKey},
		"no key":                {cert, nil},
		"no certificate":        {nil, key(first)},
		"garbage":               {block("CERTIFICATE", []byte{1}), key(first)},
	} {
		if pair, err := X509KeyPair(wrong[0], wrong[1]); err == nil || pair.PrivateKey != nil {
			t.Errorf("%s: %v, %v", name, pair.PrivateKey, err)
		}
	}
}
