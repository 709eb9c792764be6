package certcheck

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
)

// wycheproofFiles are the test vectors of github.com/C2SP/wycheproof for each way to sign a
// certificate. Every signature of a file with another salt, or another hash in its mask,
// is refused.
var wycheproofFiles = map[x509.SignatureAlgorithm]string{
	x509.SHA256WithRSA:    "rsa_signature_2048_sha256 rsa_signature_3072_sha256 rsa_signature_4096_sha256 rsa_signature_8192_sha256",
	x509.SHA384WithRSA:    "rsa_signature_2048_sha384 rsa_signature_3072_sha384 rsa_signature_4096_sha384 rsa_signature_8192_sha384",
	x509.SHA512WithRSA:    "rsa_signature_2048_sha512 rsa_signature_3072_sha512 rsa_signature_4096_sha512 rsa_signature_8192_sha512",
	x509.SHA256WithRSAPSS: "rsa_pss_2048_sha256_mgf1_32 rsa_pss_3072_sha256_mgf1_32 rsa_pss_4096_sha256_mgf1_32 rsa_pss_2048_sha256_mgf1_0! rsa_pss_2048_sha256_mgf1sha1_20!",
	x509.SHA384WithRSAPSS: "rsa_pss_2048_sha384_mgf1_48 rsa_pss_4096_sha384_mgf1_48",
	x509.SHA512WithRSAPSS: "rsa_pss_4096_sha512_mgf1_64 rsa_pss_4096_sha512_mgf1_32!",
	x509.ECDSAWithSHA256:  "ecdsa_secp256r1_sha256",
	x509.ECDSAWithSHA384:  "ecdsa_secp384r1_sha384",
	x509.ECDSAWithSHA512:  "ecdsa_secp256r1_sha512 ecdsa_secp384r1_sha512 ecdsa_secp521r1_sha512",
	x509.PureEd25519:      "ed25519",
}

type wycheproofGroup struct {
	PublicKeyDer, PublicKeyAsn string // in hexadecimal; one of them, or neither
	PublicKey                  json.RawMessage
	Tests                      []struct {
		TcID                      int `json:"tcId"`
		Msg, Sig, Result, Comment string
	}
}

func (g *wycheproofGroup) key(t *testing.T) (key crypto.PublicKey) {
	t.Helper()
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

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestWycheproof verifies the signatures of Wycheproof as those of certificates.
// VITRINE_WYCHEPROOF names a checkout of it.
func TestWycheproof(t *testing.T) {
	dir := os.Getenv("VITRINE_WYCHEPROOF")
	if dir == "" {
		t.Skip("VITRINE_WYCHEPROOF names no checkout; see interop/soak")
	}
	signatures, files := 0, 0
	for _, a := range algorithms {
		for name := range strings.FieldsSeq(wycheproofFiles[a.id]) {
			name, never := strings.CutSuffix(name, "!")
			text, err := os.ReadFile(filepath.Join(dir, "testvectors_v1", name+"_test.json"))
			if err != nil {
				t.Fatal(err)
			}
			var file struct{ TestGroups []wycheproofGroup }
			if err := json.Unmarshal(text, &file); err != nil {
				t.Fatal(err)
			}
			files++
			for _, g := range file.TestGroups {
				key := g.key(t)
				for _, c := range g.Tests {
					signatures++
					signed := unhex(t, c.Msg)
					if a.hash != 0 {
						h := a.hash.New()
						h.Write(signed)
						signed = h.Sum(nil)
					}
					err := a.check(key, a.hash, signed, unhex(t, c.Sig))
					valid := c.Result == "valid" && !never
					if never && name == "rsa_pss_2048_sha256_mgf1_0" && c.Comment == "s_len changed to 32" {
						valid = true // which makes it what we demand
					}
					if (err == nil) != valid && c.Result != "acceptable" {
						t.Errorf("%s %d (%s, %s): %v", name, c.TcID, c.Result, c.Comment, err)
					}
				}
			}
		}
	}
	t.Logf("%d signatures of %d files", signatures, files)
}
