package kex

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
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

// malformed are ciphertexts of the right length with everything wrong inside
// that Bleichenbacher's attack and its heirs tell apart.
func malformed(v wire.Version) map[string][]byte {
	good := premasterOf(v, PremasterLen)
	n := rsaKey().N
	size := rsaKey().Size()
	number := func(d int64) []byte { return new(big.Int).Add(n, big.NewInt(d)).FillBytes(make([]byte, size)) }
	noZero := padded(good)
	noZero[size-len(good)-1] = 0xaa
	all := map[string][]byte{
		"no padding at all":      raw(append(make([]byte, size-len(good)), good...)),
		"empty":                  raw(padded(nil)),
		"block type 0":           raw(padded(good, 0, 0)),
		"block type 1":           raw(padded(good, 0, 1)),
		"block type 3":           raw(padded(good, 0, 3)),
		"first byte not zero":    raw(padded(good, 1, 2)),
		"no separator":           raw(noZero),
		"minor version":          raw(padded(premasterOf(v^0x0001, PremasterLen))),
		"major version":          raw(padded(premasterOf(v^0x0100, PremasterLen))),
		"both version bytes":     raw(padded(premasterOf(^v, PremasterLen))),
		"version 0":              raw(padded(make([]byte, PremasterLen))),
		"0":                      make([]byte, size),
		"1":                      append(make([]byte, size-1), 1),
		"N-1":                    number(-1),
		"N":                      number(0),
		"N+1":                    number(1),
		"as large as can be":     bytes.Repeat([]byte{0xff}, size),
		"not an encrypted block": bytes.Repeat([]byte{1}, size),
		"no ciphertext":          nil,
		"a byte less":            raw(padded(good))[1:],
		"the last byte less":     raw(padded(good))[:size-1],
		"a zero in front":        append([]byte{0}, raw(padded(good))...),
		"a byte more":            append(raw(padded(good)), 0),
	}
	for _, n := range []int{2, 3, 47, 49, 50, 96, size - 11} {
		all[fmt.Sprintf("%d bytes", n)] = raw(padded(premasterOf(v, n)))
	}
	for at := 2; at < 10; at++ { // the eight bytes that must not be zero
		block := padded(good)
		block[at] = 0
		all[fmt.Sprintf("zero at %d", at)] = raw(block)
	}
	return all
}

// Whatever is wrong inside gives a fresh random premaster and no error, so
// that the handshake goes on to a Finished that fails. RFC 5246 §7.4.7.1.
func TestPremasterNoOracle(t *testing.T) {
	for _, v := range []wire.Version{wire.SSL30, wire.TLS10, wire.TLS12} {
		if got, err := OpenPremaster(rsaKey(), raw(padded(premasterOf(v, PremasterLen))), v); err != nil || !bytes.Equal(got[:], premasterOf(v, PremasterLen)) {
			t.Fatalf("%v: a good one gives %x (%v)", v, got, err)
		}
		for name, ciphertext := range malformed(v) {
			a, err := OpenPremaster(rsaKey(), ciphertext, v)
			if err != nil {
				t.Errorf("%v, %s: %v", v, name, err)
			}
			b, err := OpenPremaster(rsaKey(), ciphertext, v)
			if err != nil || a == b {
				t.Errorf("%v, %s: not random, but twice %x (%v)", v, name, a, err)
			}
			if bytes.Contains(a[:], bytes.Repeat([]byte{7}, 8)) || bytes.Contains(a[:], make([]byte, 8)) {
				t.Errorf("%v, %s: the premaster secret is %x", v, name, a)
			}
		}
	}
}

func TestPremasterErrors(t *testing.T) {
	_, encrypted, err := SealPremaster(&rsaKey().PublicKey, wire.TLS12)
	if err != nil {
		t.Fatal(err)
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
		if _, err := OpenPremaster(rsaKey(), ciphertext, wire.TLS12); err != nil {
			t.Errorf("%d bytes gave the error %v", len(ciphertext), err)
		}
	})
}
