package handshake

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// wycheproofFiles are the test vectors of github.com/C2SP/wycheproof for what a handshake
// verifies.
var wycheproofFiles = map[string]wire.SignatureScheme{
	"ecdsa_secp256r1_sha256": wire.ECDSAP256SHA256, "ecdsa_secp384r1_sha384": wire.ECDSAP384SHA384, "ecdsa_secp521r1_sha512": wire.ECDSAP521SHA512,
	"ed25519":                   wire.Ed25519,
	"rsa_signature_2048_sha256": wire.RSAPKCS1SHA256, "rsa_signature_2048_sha384": wire.RSAPKCS1SHA384, "rsa_signature_2048_sha512": wire.RSAPKCS1SHA512,
	"rsa_signature_3072_sha256": wire.RSAPKCS1SHA256, "rsa_signature_3072_sha384": wire.RSAPKCS1SHA384, "rsa_signature_3072_sha512": wire.RSAPKCS1SHA512,
	"rsa_signature_4096_sha256": wire.RSAPKCS1SHA256, "rsa_signature_4096_sha384": wire.RSAPKCS1SHA384, "rsa_signature_4096_sha512": wire.RSAPKCS1SHA512,
	"rsa_signature_8192_sha256": wire.RSAPKCS1SHA256, "rsa_signature_8192_sha384": wire.RSAPKCS1SHA384, "rsa_signature_8192_sha512": wire.RSAPKCS1SHA512,
	"rsa_pss_2048_sha256_mgf1_32": wire.RSAPSSRSAESHA256, "rsa_pss_2048_sha384_mgf1_48": wire.RSAPSSRSAESHA384,
	"rsa_pss_3072_sha256_mgf1_32": wire.RSAPSSRSAESHA256, "rsa_pss_4096_sha256_mgf1_32": wire.RSAPSSRSAESHA256,
	"rsa_pss_4096_sha384_mgf1_48": wire.RSAPSSRSAESHA384, "rsa_pss_4096_sha512_mgf1_64": wire.RSAPSSRSAESHA512,
	// Salts of other lengths than the hash's, and other hashes in the mask: all are refused.
	"rsa_pss_2048_sha256_mgf1_0": wire.RSAPSSRSAESHA256, "rsa_pss_2048_sha256_mgf1sha1_20": wire.RSAPSSRSAESHA256, "rsa_pss_4096_sha512_mgf1_32": wire.RSAPSSRSAESHA512,
	"dsa_2048_256_sha256": wire.DSASHA256,
}

// wycheproofNever are the files of which nothing may verify in a handshake. RFC 8446 §4.2.3:
// the salt is as long as the hash, and the mask has the same hash.
var wycheproofNever = map[string]bool{"rsa_pss_2048_sha256_mgf1_0": true, "rsa_pss_2048_sha256_mgf1sha1_20": true, "rsa_pss_4096_sha512_mgf1_32": true}

type wycheproofGroup struct {
	PublicKeyDer, PublicKeyAsn string // one of them, in hexadecimal
	PublicKey                  json.RawMessage
	Tests                      []struct {
		TcId            int
		Msg, Sig        string
		Result, Comment string
		Flags           []string
	}
}

func (g *wycheproofGroup) key(t *testing.T) crypto.PublicKey {
	t.Helper()
	var key crypto.PublicKey
	var err error
	switch {
	case g.PublicKeyDer != "":
		key, err = x509.ParsePKIXPublicKey(unhex(t, g.PublicKeyDer))
	case g.PublicKeyAsn != "":
		key, err = x509.ParsePKCS1PublicKey(unhex(t, g.PublicKeyAsn))
	default:
		var raw struct{ Pk string }
		err = json.Unmarshal(g.PublicKey, &raw)
		key = ed25519.PublicKey(unhex(t, raw.Pk))
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestWycheproof verifies the signatures of Wycheproof as a handshake would.
// VITRINE_WYCHEPROOF names a checkout of it.
func TestWycheproof(t *testing.T) {
	dir := os.Getenv("VITRINE_WYCHEPROOF")
	if dir == "" {
		t.Skip("VITRINE_WYCHEPROOF names no checkout; see interop/soak")
	}
	n := 0
	for name, scheme := range wycheproofFiles {
		text, err := os.ReadFile(filepath.Join(dir, "testvectors_v1", name+"_test.json"))
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ TestGroups []wycheproofGroup }
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		for _, g := range file.TestGroups {
			key := g.key(t)
			for _, c := range g.Tests {
				n++
				err := signerOf(scheme).verify(key, unhex(t, c.Sig), signed{message: unhex(t, c.Msg)}, nil)
				want := c.Result
				if wycheproofNever[name] {
					want = "invalid"
				}
				if want == "acceptable" { // RSA keys of odd sizes and the like: either will do
					continue
				}
				if name == "rsa_pss_2048_sha256_mgf1_0" && c.Comment == "s_len changed to 32" {
					want = "valid" // which makes it what we demand
				}
				if (err == nil) != (want == "valid") {
					t.Errorf("%s %d (%s, %s): %v", name, c.TcId, c.Result, strings.Join(append(c.Flags, c.Comment), ", "), err)
				}
			}
		}
	}
	t.Logf("%d signatures of %d files", n, len(wycheproofFiles))
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
