package otherkeys

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

type wycheproofGroup struct {
	PublicKey, PrivateKey, PrivateKeyPkcs8 string
	PrivateSeed                            *string
	Tests                                  []struct {
		TcId                 int
		Msg, Ctx             *string
		Sig, Result, Comment string
	}
}

// TestWycheproof judges the keys and signatures of ML-DSA in github.com/C2SP/wycheproof.
// VITRINE_WYCHEPROOF names a checkout of it. Contexts are none of ours: what is signed with one
// must not verify, though Wycheproof calls it valid.
func TestWycheproof(t *testing.T) {
	dir := os.Getenv("VITRINE_WYCHEPROOF")
	if dir == "" {
		t.Skip("VITRINE_WYCHEPROOF names no checkout; see interop/soak")
	}
	n, files := 0, 0
	for set := MLDSA44; set <= MLDSA87; set++ {
		for _, kind := range []string{"verify", "sign_seed", "sign_noseed"} {
			name := fmt.Sprintf("mldsa_%s_%s_test.json", set.String()[len("ML-DSA-"):], kind)
			text, err := os.ReadFile(filepath.Join(dir, "testvectors_v1", name))
			if err != nil {
				t.Fatal(err)
			}
			var file struct{ TestGroups []wycheproofGroup }
			if err := json.Unmarshal(text, &file); err != nil {
				t.Fatal(err)
			}
			for i := range file.TestGroups {
				n += file.TestGroups[i].judge(t, name, set)
			}
			files++
		}
	}
	t.Logf("%d signatures of %d files", n, files)
}

func (g *wycheproofGroup) judge(t *testing.T, name string, set MLDSA) int {
	public, keyErr := g.key(t, name, set)
	for _, c := range g.Tests {
		good := false
		if keyErr == nil && c.Msg != nil {
			good = public.Verify(fromHex(t, *c.Msg), fromHex(t, c.Sig))
		}
		want := c.Result == "valid" && (c.Ctx == nil || *c.Ctx == "") && c.Msg != nil
		if c.Result != "valid" && g.PublicKey == "" || keyErr != nil { // a key that must not be read
			if want || keyErr == nil {
				t.Errorf("%s %d (%s): the key: %v", name, c.TcId, c.Comment, keyErr)
			}
			continue
		}
		if good != want {
			t.Errorf("%s %d (%s, %s): %v", name, c.TcId, c.Result, c.Comment, good)
		}
	}
	return len(g.Tests)
}

// key reads the group's key in the form that it is about.
func (g *wycheproofGroup) key(t *testing.T, name string, set MLDSA) (MLDSAPublicKey, error) {
	form := mldsaForm(set, octets(fromHex(t, g.PrivateKey)))
	switch {
	case g.PrivateKeyPkcs8 != "":
		form = fromHex(t, g.PrivateKeyPkcs8)
	case g.PrivateSeed != nil:
		form = mldsaForm(set, seedForm(fromHex(t, *g.PrivateSeed)))
	case g.PrivateKey == "":
		key, err := ParsePublic(spki(mldsaSets[set-1].oid, nil, fromHex(t, g.PublicKey)))
		if err != nil {
			return MLDSAPublicKey{}, err
		}
		return key.(MLDSAPublicKey), nil
	}
	key, err := ParsePrivate(form)
	if err != nil {
		return MLDSAPublicKey{}, err
	}
	public := key.Public().(MLDSAPublicKey)
	if g.PublicKey != "" && !bytes.Equal(public.bytes, fromHex(t, g.PublicKey)) {
		t.Errorf("%s: a key has another public one", name)
	}
	return public, nil
}

func fromHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
