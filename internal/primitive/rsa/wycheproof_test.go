package rsa

import (
	"bytes"
	"crypto"
	"crypto/rand"
	std "crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/primitive/modexp"
)

// A wycheproofFile is what the tests below read of a file of github.com/C2SP/wycheproof.
type wycheproofFile struct {
	TestGroups []struct {
		PrivateKeyPkcs8 hexBytes
		PublicKey       struct{ Modulus, PublicExponent hexBytes }
		Sha, Mgf        string
		Tests           []struct {
			TcId         int
			Msg, Ct, Sig hexBytes
			Result       string
			Flags        []string
		}
	}
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

var wycheproofHashes = map[string]crypto.Hash{"SHA-1": crypto.SHA1, "SHA-224": crypto.SHA224, "SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384, "SHA-512": crypto.SHA512}

func readWycheproof(t *testing.T, name string) (file wycheproofFile) {
	dir := os.Getenv("VITRINE_WYCHEPROOF")
	if dir == "" {
		t.Skip("VITRINE_WYCHEPROOF names no checkout; see interop/soak")
	}
	text, err := os.ReadFile(filepath.Join(dir, "testvectors_v1", name+"_test.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// wycheproofVerified are the files with signatures that are of TLS.
var wycheproofVerified = []string{
	"rsa_signature_2048_sha256", "rsa_signature_2048_sha384", "rsa_signature_2048_sha512",
	"rsa_signature_3072_sha256", "rsa_signature_3072_sha384", "rsa_signature_3072_sha512",
	"rsa_signature_4096_sha256", "rsa_signature_4096_sha384", "rsa_signature_4096_sha512",
	"rsa_pss_2048_sha256_mgf1_32", "rsa_pss_2048_sha384_mgf1_48",
	"rsa_pss_3072_sha256_mgf1_32",
	"rsa_pss_4096_sha256_mgf1_32", "rsa_pss_4096_sha384_mgf1_48", "rsa_pss_4096_sha512_mgf1_64",
}

// TestWycheproof signs, on each path, what Wycheproof has signed, decrypts what it has
// encrypted, and verifies what it wants verified.
func TestWycheproof(t *testing.T) {
	signed, decrypted, judged := 0, 0, 0
	eachPath(t, func(t *testing.T) {
		signed, decrypted, judged = 0, 0, 0
		for _, bits := range []string{"2048", "3072", "4096"} {
			signed += wycheproofSigns(t, readWycheproof(t, "rsa_pkcs1_"+bits+"_sig_gen"))
			decrypted += wycheproofDecrypts(t, readWycheproof(t, "rsa_pkcs1_"+bits))
		}
		for _, name := range wycheproofVerified {
			judged += wycheproofVerifies(t, readWycheproof(t, name))
		}
	})
	t.Logf("%d signatures of %d files, %d ciphertexts of 3 files", signed+judged, 3+len(wycheproofVerified), decrypted)
}

func wycheproofSigns(t *testing.T, file wycheproofFile) (n int) {
	for _, g := range file.TestGroups {
		k, err := x509.ParsePKCS8PrivateKey(g.PrivateKeyPkcs8)
		if err != nil {
			continue // crypto/x509 refuses a key, so no server can have it
		}
		hash, ok := wycheproofHashes[g.Sha]
		if !ok {
			continue
		}
		for _, c := range g.Tests {
			h := hash.New()
			h.Write(c.Msg)
			got, err := Sign(k.(*std.PrivateKey), rand.Reader, h.Sum(nil), hash)
			if err != nil || !bytes.Equal(got, c.Sig) {
				t.Errorf("%d: %x, want %x; %v", c.TcId, got, c.Sig, err)
			}
			n++
		}
	}
	return n
}

func wycheproofDecrypts(t *testing.T, file wycheproofFile) (n int) {
	for _, g := range file.TestGroups {
		k, err := x509.ParsePKCS8PrivateKey(g.PrivateKeyPkcs8)
		if err != nil {
			continue
		}
		for _, c := range g.Tests {
			length := max(len(c.Msg), 1)
			got := DecryptSessionKey(k.(*std.PrivateKey), c.Ct, length)
			isGood := c.Result == "valid" && len(c.Msg) > 0
			if bytes.Equal(got, c.Msg) != isGood && len(c.Msg) > 0 {
				t.Errorf("%d: %x, want %x, which is %s: %v", c.TcId, got, c.Msg, c.Result, c.Flags)
			}
			n++
		}
	}
	return n
}

// wycheproofVerifies asks the kernels, and crypto/rsa behind them, about each signature.
// "Acceptable" ones lack the NULL of the hash's parameters, and are refused.
func wycheproofVerifies(t *testing.T, file wycheproofFile) (n int) {
	for _, g := range file.TestGroups {
		hash, ok := wycheproofHashes[g.Sha]
		if !ok || len(g.PublicKey.Modulus) == 0 {
			continue
		}
		var opts crypto.SignerOpts = hash
		if g.Mgf != "" {
			opts = &std.PSSOptions{SaltLength: std.PSSSaltLengthEqualsHash, Hash: hash}
		}
		key := &std.PublicKey{N: new(big.Int).SetBytes(g.PublicKey.Modulus), E: int(new(big.Int).SetBytes(g.PublicKey.PublicExponent).Int64())}
		for _, c := range g.Tests {
			h := hash.New()
			h.Write(c.Msg)
			digest, want := h.Sum(nil), c.Result == "valid"
			if got := verified(key, digest, c.Sig, opts); got != (want && modexp.Available()) {
				t.Errorf("%d: the kernels say %v of one that is %s: %s", c.TcId, got, c.Result, strings.Join(c.Flags, " "))
			}
			if err := Verify(key, digest, c.Sig, opts); (err == nil) != want {
				t.Errorf("%d: %v for one that is %s: %s", c.TcId, err, c.Result, strings.Join(c.Flags, " "))
			}
			n++
		}
	}
	return n
}
