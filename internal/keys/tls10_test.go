package keys

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/subtle"
	"hash"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// NIST's CAVP, component testing of SP 800-135, tls.rsp: [TLS 1.0/1.1],
// [pre-master secret length = 384], [key block length = 832].
func TestCAVP(t *testing.T) {
	for _, v := range []struct{ premaster, serverHello, clientHello, server, client, master, keyBlock string }{
		{"bded7fa5c1699c010be23dd06ada3a48349f21e5f86263d512c0c5cc379f0e780ec55d9844b2f1db02a96453513568d0",
			"135e4d557fdf3aa6406d82975d5c606a9734c9334b42136e96990fbd5358cdb2",
			"e5acaf549cd25c22d964c0d930fa4b5261d2507fad84c33715b7b9a864020693",
			"67267e650eb32444119d222a368c191af3082888dc35afe8368e638c828874be",
			"d58a7b1cd4fedaa232159df652ce188f9d997e061b9bf48e83b62990440931f6",
			"2f6962dfbc744c4b2138bb6b3d33054c5ecc14f24851d9896395a44ab3964efc2090c5bf51a0891209f46c1e1e998f62",
			"3088825988e77fce68d19f756e18e43eb7fe672433504feaf99b3c503d9091b164f166db301d70c9fc0870b4a94563907bee1a61fb786cb717576890bcc51cb9ead97e01d0a2fea99c953377b195205ff07b369589178796edc963fd80fdbe518a2fc1c35c18ae8d"},
		{"d671cdfae1e2dda3a01e80d76d897517c37a60d62e89312060c422dca1922fd8ec0f70d8bcf12f413e9e086481561d43",
			"dbd90af84002dd924acf80f270c04a5a1c900f43689a6572f47c0808351ad755",
			"3572440795426af5927b811a452a06388464b231858f5631f406048b106a6896",
			"cd12ae6a6496f4932a93431f0d6ffcbfaf20132aebf07ad429cc6862c378c826",
			"57b58338bac41e526c8b9d5eaab9da368637eee18d0469b69889c231dd772a2d",
			"c5753fafd0f3344cde9eabec621189f444b15dd46cbc744b551f51195437fb32200cb3ac08145dc97b09ac4943cfc74e",
			"6b8ae7bf624b5f3ea88fe7e56784d437c49404419223060f5ced0bc8e03acf656e5fe59adc800830700e9a80bb733bd3d4a2284d5f20e69c72babff47a44e7191b650cb3e3df05184675c4053e2cd1d0e0d45f87cebeda1a7acd059e99d9fcf58daa9d79f87e0e61"},
	} {
		master := TLS10.Master(MD5SHA1, nil, unhex(v.premaster), unhex(v.clientHello), unhex(v.serverHello))
		if !bytes.Equal(master, unhex(v.master)) {
			t.Errorf("the master secret is %x, want %s", master, v.master)
		}
		block := make([]byte, len(v.keyBlock)/2)
		TLS10.fill(MD5SHA1, block, master, unhex(v.client), unhex(v.server))
		if !bytes.Equal(block, unhex(v.keyBlock)) {
			t.Errorf("the key block is %x, want %s", block, v.keyBlock)
		}
	}
}

// Made with OpenSSL 3.0: openssl kdf -keylen 48 -kdfopt digest:MD5-SHA1
// -kdfopt hexsecret:000102...0c -kdfopt hexseed:74657374206c6162656ca0a1a2a3 TLS1-PRF
// An odd secret, and one as short as can be.
func TestPRF10OddSecret(t *testing.T) {
	for secret, want := range map[string]string{
		"000102030405060708090a0b0c": "a8873dd630a395cf7cb92aca7776250958be90a58874419085c0100a701085834070b055cb28a754527f97153340d7f6",
		"aa":                         "33e0db64ca1908c4d794632d84e31425e91e8cbe50ae00aa05d5adde43d330bda0541fa13a01dcfb782ab3cc6caedadf",
	} {
		got := make([]byte, 48)
		PRF(MD5SHA1, got, unhex(secret), "test label", unhex("a0a1a2a3"))
		if !bytes.Equal(got, unhex(want)) {
			t.Errorf("secret %s: got %x, want %s", secret, got, want)
		}
	}
}

// prf10 is RFC 2246 §5 as it is written.
func prf10(n int, secret []byte, label string, seed []byte) []byte {
	seed = append([]byte(label), seed...)
	pHash := func(h func() hash.Hash, secret []byte) (out []byte) {
		mac := func(data ...[]byte) []byte {
			m := hmac.New(h, secret)
			m.Write(bytes.Join(data, nil))
			return m.Sum(nil)
		}
		for a := seed; len(out) < n; {
			a = mac(a)
			out = append(out, mac(a, seed)...)
		}
		return out[:n]
	}
	half := (len(secret) + 1) / 2
	out := make([]byte, n)
	subtle.XORBytes(out, pHash(md5.New, secret[:half]), pHash(sha1.New, secret[len(secret)-half:]))
	return out
}

func TestPRF10EqualsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 300; n++ {
		secret, seed, label := random(r, n%150), random(r, (n*3)%500), strings.Repeat("l", n%300)
		got := random(r, n)
		PRF(MD5SHA1, got, secret, label, seed)
		if want := prf10(n, secret, label, seed); !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: got %x, want %x", n, got, want)
		}
	}
}

func TestMasterSecretAndFinished10(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	master, messages := random(r, 48), random(r, 1000)
	transcript := MD5SHA1.New()
	transcript.Write(messages)
	m, s := md5.Sum(messages), sha1.Sum(messages)
	sum := append(m[:], s[:]...)
	for _, x := range []*Schedule{TLS10, TLS11} {
		for _, c := range []struct {
			name      string
			got, want []byte
		}{
			{"extended master secret", x.ExtendedMaster(MD5SHA1, nil, master[:7], sum), prf10(48, master[:7], "extended master secret", sum)},
			{"client finished", x.Finished(MD5SHA1, nil, master, wire.Client, transcript), prf10(12, master, "client finished", sum)},
			{"server finished", x.Finished(MD5SHA1, make([]byte, 0, 99), master, wire.Server, transcript), prf10(12, master, "server finished", sum)},
			{"CertificateVerify", x.CertificateVerify(nil, master, transcript), sum},
		} {
			if !bytes.Equal(c.got, c.want) {
				t.Errorf("%s: got %x, want %x", c.name, c.got, c.want)
			}
		}
	}
}

// MD5SHA1 is a hash like any other.
func TestMD5SHA1(t *testing.T) {
	h := MD5SHA1.New()
	if h.Size() != 36 || MD5SHA1.Size != 36 || h.BlockSize() != 64 || MD5SHA1.BlockSize != 64 {
		t.Errorf("size %d, block %d", h.Size(), h.BlockSize())
	}
	want := func(s string) []byte {
		m, n := md5.Sum([]byte(s)), sha1.Sum([]byte(s))
		return append(m[:], n[:]...)
	}
	if n, err := h.Write([]byte("one")); n != 3 || err != nil {
		t.Errorf("Write returned %d, %v", n, err)
	}
	clone, err := h.(hash.Cloner).Clone()
	if err != nil {
		t.Fatal(err)
	}
	h.Write([]byte("two"))
	clone.Write([]byte("three"))
	if got := h.Sum(nil); !bytes.Equal(got, want("onetwo")) {
		t.Errorf("got %x, want %x", got, want("onetwo"))
	}
	if got := clone.Sum(nil); !bytes.Equal(got, want("onethree")) {
		t.Errorf("a clone gave %x, want %x", got, want("onethree"))
	}
	if h.Reset(); !bytes.Equal(h.Sum([]byte{}), want("")) {
		t.Errorf("after Reset: %x", h.Sum(nil))
	}
	if suite.ByName(MD5SHA1.Name) != nil || engines[MD5SHA1] != nil {
		t.Error("MD5SHA1 is taken for the hash of a suite")
	}
}
