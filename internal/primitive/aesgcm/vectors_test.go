package aesgcm

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// An example is a message and what it becomes, in hexadecimal.
type example struct {
	key, nonce, data, plaintext, sealed string
}

const (
	key128    = "feffe9928665731c6d6a8f9467308308"
	key256    = key128 + key128
	nonceSpec = "cafebabefacedbaddecaf888"
	dataSpec  = "feedfacedeadbeeffeedfacedeadbeefabaddad2"
	textSpec  = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
		"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
)

// Test cases 1, 2, 4, 13 and 16 of McGrew and Viega, "The Galois/Counter Mode of
// Operation (GCM)", appendix B: those which NIST SP 800-38D took over as examples.
var examples = []example{
	{"00000000000000000000000000000000", "000000000000000000000000", "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
	{"00000000000000000000000000000000", "000000000000000000000000", "", "00000000000000000000000000000000",
		"0388dace60b6a392f328c2b971b2fe78" + "ab6e47d42cec13bdf53a67b21257bddf"},
	{key128, nonceSpec, dataSpec, textSpec,
		"42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e" +
			"21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091" + "5bc94fbc3221a5db94fae95ae7121a47"},
	{"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000", "", "",
		"530f8afbc74536b9a963b4f1c4cb738b"},
	{key256, nonceSpec, dataSpec, textSpec,
		"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
			"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" + "76fc6ece0f4e1768cddf8853bb2d551b"},
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVectors(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		for i, v := range examples {
			a, sealed := ours(t, unhex(t, v.key)), unhex(t, v.sealed)
			nonce, data, plaintext := unhex(t, v.nonce), unhex(t, v.data), unhex(t, v.plaintext)
			if got := a.Seal(nil, nonce, plaintext, data); !bytes.Equal(got, sealed) {
				t.Errorf("%d: sealed %x, want %x", i, got, sealed)
			}
			if got, err := a.Open(nil, nonce, sealed, data); err != nil || !bytes.Equal(got, plaintext) {
				t.Errorf("%d: opened %x (%v), want %x", i, got, err, plaintext)
			}
		}
	})
}

// TestWycheproof opens and seals what Wycheproof has for AES-GCM with nonces of 12
// bytes. VITRINE_WYCHEPROOF names a checkout of it.
func TestWycheproof(t *testing.T) {
	dir := os.Getenv("VITRINE_WYCHEPROOF")
	if dir == "" {
		t.Skip("VITRINE_WYCHEPROOF names no checkout; see interop/soak")
	}
	text, err := os.ReadFile(filepath.Join(dir, "testvectors_v1", "aes_gcm_test.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		TestGroups []struct {
			IVSize, TagSize int
			Tests           []struct {
				TcID                                        int
				Key, IV, AAD, Msg, CT, Tag, Result, Comment string
			}
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	onEachPath(t, func(t *testing.T) {
		tried := 0
		for _, g := range file.TestGroups {
			if g.IVSize != 8*nonceSize || g.TagSize != 8*tagSize {
				continue
			}
			for _, c := range g.Tests {
				tried++
				a, nonce, data, msg := ours(t, unhex(t, c.Key)), unhex(t, c.IV), unhex(t, c.AAD), unhex(t, c.Msg)
				sealed := unhex(t, c.CT+c.Tag)
				got, err := a.Open(nil, nonce, sealed, data)
				if valid := c.Result == "valid"; valid != (err == nil) || valid && !bytes.Equal(got, msg) {
					t.Errorf("%d (%s, %s): opened %x, %v", c.TcID, c.Result, c.Comment, got, err)
				}
				if s := a.Seal(nil, nonce, msg, data); bytes.Equal(s, sealed) != (c.Result == "valid") {
					t.Errorf("%d (%s, %s): sealed %x", c.TcID, c.Result, c.Comment, s)
				}
			}
		}
		t.Logf("%d ciphertexts of 1 file", tried)
	})
}
