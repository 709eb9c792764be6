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
		Sha             string
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

// TestWycheproof signs, on each path, what Wycheproof has signed and decrypts what it has
// encrypted, and brings the signatures that it wants verified back by the public
// exponent.
func TestWycheproof(t *testing.T) {
	signed, decrypted, opened := 0, 0, 0
	for _, bits := range []string{"2048", "3072", "4096"} {
		eachPath(t, func(t *testing.T) {
			signed += wycheproofSigns(t, readWycheproof(t, "rsa_pkcs1_"+bits+"_sig_gen"))
			decrypted += wycheproofDecrypts(t, readWycheproof(t, "rsa_pkcs1_"+bits))
		})
	}
	for _, name := range []string{"2048_sha256", "2048_sha384", "2048_sha512", "3072_sha256", "3072_sha384", "3072_sha512", "4096_sha256", "4096_sha384", "4096_sha512"} {
		opened += wycheproofOpens(t, readWycheproof(t, "rsa_signature_"+name))
	}
	t.Logf("%d signatures of 12 files, %d ciphertexts of 3 files", signed+opened, decrypted)
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

// wycheproofOpens checks a valid signature's padding, and that no invalid one has it.
func wycheproofOpens(t *testing.T, file wycheproofFile) (n int) {
	need(t)
	for _, g := range file.TestGroups {
		hash, ok := wycheproofHashes[g.Sha]
		modulus := bytes.TrimLeft(g.PublicKey.Modulus, "\x00")
		if !ok || len(modulus) == 0 {
			continue
		}
		m, err := modexp.NewModulus(modulus)
		if err != nil {
			t.Fatal(err)
		}
		e := uint(new(big.Int).SetBytes(g.PublicKey.PublicExponent).Uint64())
		for _, c := range g.Tests {
			sig := modexp.FromBytes(c.Sig, m.Len())
			if len(c.Sig) != len(modulus) || !m.Below(sig) {
				continue // refused before anything is computed
			}
			h := hash.New()
			h.Write(c.Msg)
			want := padPKCS1(len(modulus), prefixes[hash], h.Sum(nil))
			if got := m.ExpPublic(sig, e).Bytes(); bytes.Equal(got, want) != (c.Result == "valid") && c.Result != "acceptable" {
				t.Errorf("%d: opened %x, want %x, which is %s: %s", c.TcId, got, want, c.Result, strings.Join(c.Flags, " "))
			}
			n++
		}
	}
	return n
}
