//go:build valgrind && linux && amd64

package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"reflect"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// kexOperations are the key exchanges without a handshake around them.
func kexOperations(newKey func() (*rsa.PrivateKey, error)) []operation {
	all := []operation{
		{"kex/RSA with the standard library's key", func() error { return openPremaster(newKey) }},
		{"kex/RSA encrypting", func() error { return withSecretRandom(func() error { return sealPremaster(newKey) }) }},
		{"kex/premaster for a pre-shared key", joinPSK},
	}
	for name, v := range map[string]wire.Version{"good": wire.TLS12, "of another version": wire.TLS11} {
		all = append(all, operation{"kex/RSA premaster " + name, func() error { return choosePremaster(newKey, v) }})
	}
	for _, g := range kex.Groups() {
		if g.ID == wire.GroupFFDHE3072 {
			break // the larger fields do the same, slowly
		}
		all = append(all, operation{"kex/" + g.Name, func() error { return withSecretRandom(func() error { return agree(g.ID) }) }})
	}
	return append(all,
		operation{"kex/DHE ffdhe2048", func() error { return withSecretRandom(func() error { return agreeDH([]byte{2}) }) }},
		operation{"kex/DHE of own parameters", func() error { return withSecretRandom(func() error { return agreeDH([]byte{4}) }) }})
}

// withSecretRandom has f draw secret randomness: everything that is random in a
// key exchange is.
func withSecretRandom(f func() error) error {
	defer func(r io.Reader) { rand.Reader = r }(rand.Reader)
	rand.Reader = newSecretReader()
	return f()
}

// opener is an RSA key that opens whatever comes to the same, of the right length:
// the standard library's key has no other.
type opener struct {
	*rsa.PrivateKey
	opened []byte
}

func (o opener) Decrypt(io.Reader, []byte, crypto.DecrypterOpts) ([]byte, error) {
	return secretCopy(o.opened), nil
}

// choosePremaster takes a premaster, or a random one in its place.
func choosePremaster(newKey func() (*rsa.PrivateKey, error), v wire.Version) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	opened := bytes.Repeat([]byte{byte(v >> 8), byte(v)}, kex.PremasterLen/2)
	premaster, err := kex.OpenPremaster(opener{key, opened}, make([]byte, key.Size()), wire.TLS12)
	public(premaster[:]) // to be compared here
	if taken := equal(premaster[:], opened); err != nil || taken != (v == wire.TLS12) {
		return fmt.Errorf("premaster taken: %v, %v", taken, err)
	}
	return nil
}

// openPremaster opens good and bad premasters with a key whose exponents are
// secret, so that all that they open is.
func openPremaster(newKey func() (*rsa.PrivateKey, error)) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	premaster, encrypted, err := kex.SealPremaster(&key.PublicKey, wire.TLS12)
	if err != nil {
		return err
	}
	exponents := reflect.ValueOf(key).Elem().FieldByName("Precomputed").FieldByName("fips").Elem()
	secret(exponents.FieldByName("dP").Bytes(), exponents.FieldByName("dQ").Bytes())
	for _, change := range []byte{0, 1} { // another ciphertext has no padding
		encrypted[len(encrypted)-1] ^= change
		got, err := kex.OpenPremaster(key, encrypted, wire.TLS12)
		public(got[:]) // to be compared here
		if err != nil || (got == premaster) != (change == 0) {
			return fmt.Errorf("changed by %d: %v", change, err)
		}
	}
	return nil
}

func sealPremaster(newKey func() (*rsa.PrivateKey, error)) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	_, _, err = kex.SealPremaster(&key.PublicKey, wire.TLS12)
	return err
}

func joinPSK() error {
	other, psk := bytes.Repeat([]byte{1}, 48), bytes.Repeat([]byte{2}, 32)
	want := kex.PSKPremaster(nil, other, psk)
	got := kex.PSKPremaster(nil, secretCopy(other), secretCopy(psk))
	public(got) // to be compared here
	if !equal(got, want) {
		return fmt.Errorf("%x", got)
	}
	return nil
}

// agree is a key exchange of TLS 1.3, both sides.
func agree(group wire.NamedGroup) error {
	key, err := kex.Generate(group)
	if err != nil {
		return err
	}
	secretECDH(key)
	public(key.Share()) // it goes out
	share, theirs, err := kex.Respond(group, key.Share())
	if err != nil {
		return err
	}
	public(share) // it goes out
	ours, err := key.Finish(share)
	return same(ours, theirs, err)
}

// secretECDH marks the scalars that crypto/ecdh draws from a source of its own.
func secretECDH(key *kex.Private) {
	parts := reflect.ValueOf(key).Elem().FieldByName("parts")
	for i := range parts.Len() {
		if part := parts.Index(i).Elem(); part.Kind() == reflect.Struct {
			secret(part.FieldByName("PrivateKey").Elem().FieldByName("fips").Elem().FieldByName("d").Bytes())
		}
	}
}

// agreeDH is DHE up to TLS 1.2, in the field of ffdhe2048.
func agreeDH(g []byte) error {
	dh, err := kex.NewDH(kex.DHOf(wire.GroupFFDHE2048).P(), g)
	if err != nil {
		return err
	}
	var keys [2]*kex.DHPrivate
	var secrets [2][]byte
	for i := range keys {
		if keys[i], err = dh.Generate(); err != nil {
			return err
		}
		public(keys[i].Share()) // it goes out
	}
	for i := range keys {
		if secrets[i], err = keys[i].Finish(keys[1-i].Share()); err != nil {
			return err
		}
	}
	return same(secrets[0], secrets[1], nil)
}

// same wants both sides to have agreed.
func same(ours, theirs []byte, err error) error {
	publicSlice(&ours) // to be compared here
	publicSlice(&theirs)
	if err != nil || len(ours) == 0 || !equal(ours, theirs) {
		return fmt.Errorf("%x and %x, %v", ours, theirs, err)
	}
	return nil
}
