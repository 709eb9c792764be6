package kex

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"math/big"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// raw encrypts an encoded block without any padding of its own.
func raw(block []byte) []byte {
	key := rsaKey()
	c := new(big.Int).Exp(new(big.Int).SetBytes(block), big.NewInt(int64(key.E)), key.N)
	return c.FillBytes(make([]byte, key.Size()))
}

// padded is the block of RFC 8017 §7.2.1 with message, its first bytes replaced by prefix.
func padded(message []byte, prefix ...byte) []byte {
	block := bytes.Repeat([]byte{0xaa}, rsaKey().Size())
	copy(block, []byte{0, 2})
	block[len(block)-len(message)-1] = 0
	copy(block[len(block)-len(message):], message)
	copy(block, prefix)
	return block
}

func premasterOf(v wire.Version, n int) []byte {
	p := bytes.Repeat([]byte{7}, n)
	p[0], p[1] = byte(v>>8), byte(v)
	return p
}

func TestPremasterRoundTrip(t *testing.T) {
	for _, v := range []wire.Version{wire.SSL30, wire.TLS10, wire.TLS12} {
		sent, encrypted, err := SealPremaster(&rsaKey().PublicKey, v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := OpenPremaster(rsaKey(), encrypted, v)
		if err != nil || got != sent {
			t.Errorf("%v: got %x, want %x (%v)", v, got, sent, err)
		}
		if sent[0] != byte(v>>8) || sent[1] != byte(v) {
			t.Errorf("%v: the premaster secret starts with %x", v, sent[:2])
		}
		again, _, err := SealPremaster(&rsaKey().PublicKey, v)
		if err != nil || again == sent {
			t.Errorf("%v: the same premaster secret again (%v)", v, err)
		}
	}
	want := premasterOf(wire.TLS12, PremasterLen) // what raw and padded build is right where it should be
	if got, err := OpenPremaster(rsaKey(), raw(padded(want)), wire.TLS12); err != nil || !bytes.Equal(got[:], want) {
		t.Errorf("got %x, want %x (%v)", got, want, err)
	}
}

// Whatever is wrong inside gives a fresh random premaster and no error.
func TestPremasterNoOracle(t *testing.T) {
	good := premasterOf(wire.TLS12, PremasterLen)
	tooLarge := rsaKey().N.FillBytes(make([]byte, rsaKey().Size()))
	noZero := padded(good)
	noZero[len(noZero)-len(good)-1] = 0xaa
	zeroEarly := padded(good)
	zeroEarly[4] = 0
	for name, ciphertext := range map[string][]byte{
		"another version":        raw(padded(premasterOf(wire.TLS11, PremasterLen))),
		"another major version":  raw(padded(premasterOf(0x0203, PremasterLen))),
		"too short":              raw(padded(premasterOf(wire.TLS12, PremasterLen-1))),
		"too long":               raw(padded(premasterOf(wire.TLS12, PremasterLen+1))),
		"empty":                  raw(padded(nil)),
		"block type 1":           raw(padded(good, 0, 1)),
		"first byte not zero":    raw(padded(good, 1, 2)),
		"no zero separator":      raw(noZero),
		"separator too early":    raw(zeroEarly),
		"number as large as N":   tooLarge,
		"zero":                   make([]byte, rsaKey().Size()),
		"not an encrypted block": bytes.Repeat([]byte{1}, rsaKey().Size()),
	} {
		a, err := OpenPremaster(rsaKey(), ciphertext, wire.TLS12)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		b, err := OpenPremaster(rsaKey(), ciphertext, wire.TLS12)
		if err != nil || a == b {
			t.Errorf("%s: not random, but twice %x (%v)", name, a, err)
		}
		if bytes.Contains(a[:], good[2:]) || a == [PremasterLen]byte{} {
			t.Errorf("%s: the premaster secret is %x", name, a)
		}
	}
}

func TestPremasterPublicErrors(t *testing.T) {
	_, encrypted, err := SealPremaster(&rsaKey().PublicKey, wire.TLS12)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, encrypted[1:], append([]byte{0}, encrypted...)} {
		if _, err := OpenPremaster(rsaKey(), bad, wire.TLS12); err == nil {
			t.Errorf("a ciphertext of %d bytes was taken", len(bad))
		}
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPremaster(remote{public: ec.Public()}, encrypted, wire.TLS12); err == nil {
		t.Error("an ECDSA key was taken")
	}
	if _, _, err := SealPremaster(&rsa.PublicKey{N: big.NewInt(3233), E: 17}, wire.TLS12); err == nil {
		t.Error("a key of 12 bits was taken")
	}
}

// remote is a key kept elsewhere that does as it likes.
type remote struct {
	public  crypto.PublicKey
	decrypt func(opts crypto.DecrypterOpts) ([]byte, error)
}

func (r remote) Public() crypto.PublicKey { return r.public }
func (r remote) Decrypt(_ io.Reader, _ []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	return r.decrypt(opts)
}

// A remote key's error or odd length shows no more than a random premaster.
func TestPremasterRemoteKey(t *testing.T) {
	good := premasterOf(wire.TLS12, PremasterLen)
	ciphertext := make([]byte, rsaKey().Size())
	for _, c := range []struct {
		name  string
		plain []byte
		err   error
		taken bool
	}{
		{"good", good, nil, true},
		{"error", nil, errors.New("bad padding"), false},
		{"short", good[:47], nil, false},
		{"long", append(good[:48:48], 7), nil, false},
	} {
		key := remote{&rsaKey().PublicKey, func(opts crypto.DecrypterOpts) ([]byte, error) {
			//lint:ignore SA1019 the protocol is PKCS #1 v1.5
			if o, ok := opts.(*rsa.PKCS1v15DecryptOptions); !ok || o.SessionKeyLen != PremasterLen {
				t.Errorf("%s: options are %+v", c.name, opts)
			}
			return c.plain, c.err
		}}
		got, err := OpenPremaster(key, ciphertext, wire.TLS12)
		if err != nil || bytes.Equal(got[:], good) != c.taken || got == [PremasterLen]byte{} {
			t.Errorf("%s: got %x (%v)", c.name, got, err)
		}
	}
}

func FuzzOpenPremaster(f *testing.F) {
	_, encrypted, err := SealPremaster(&rsaKey().PublicKey, wire.TLS12)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encrypted)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, ciphertext []byte) {
		if _, err := OpenPremaster(rsaKey(), ciphertext, wire.TLS12); (err == nil) != (len(ciphertext) == rsaKey().Size()) {
			t.Errorf("%d bytes gave the error %v", len(ciphertext), err)
		}
	})
}
