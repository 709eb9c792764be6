package main

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/vitrine-tls/vitrine/internal/kex"
	fastrsa "github.com/vitrine-tls/vitrine/internal/primitive/rsa"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// primitives are what a Go stack's records and handshakes are made of, by the names
// that jobs give them. What a stack lacks is not there.
type primitives struct {
	aead map[string]func(key []byte) (cipher.AEAD, error)
	// sign is what a handshake signs with.
	sign func(key crypto.Signer, digest []byte, opts crypto.SignerOpts) ([]byte, error)
	// verifyRSA is what it verifies signatures of RSA with.
	verifyRSA func(key *rsa.PublicKey, digest, sig []byte, opts crypto.SignerOpts) error
	// agree makes a key exchange, of which each call of the func that it returns is one:
	// a fresh key and the secret with the peer's share; with a KEM both ends' work.
	agree map[string]func() (func() error, error)
}

// vitrine's are those that its record layer and its handshake have from their packages.
var primitivesOf = map[string]primitives{
	vitrineName: {
		aead: map[string]func([]byte) (cipher.AEAD, error){
			"aes128gcm": suite.ByID(wire.TLS_AES_128_GCM_SHA256).Cipher.AEAD,
			"aes256gcm": suite.ByID(wire.TLS_AES_256_GCM_SHA384).Cipher.AEAD,
			"chacha20":  suite.ByID(wire.TLS_CHACHA20_POLY1305_SHA256).Cipher.AEAD,
		},
		sign: func(key crypto.Signer, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
			return fastrsa.Sign(key, rand.Reader, digest, opts)
		},
		verifyRSA: fastrsa.Verify,
		agree: map[string]func() (func() error, error){
			"X25519":         groupOf(wire.GroupX25519),
			"P-256":          groupOf(wire.GroupP256),
			"ffdhe2048":      finiteField(wire.GroupFFDHE2048),
			"ffdhe3072":      finiteField(wire.GroupFFDHE3072),
			"X25519MLKEM768": encapsulation(wire.GroupX25519MLKEM768),
		},
	},
	stdName: {
		aead: map[string]func([]byte) (cipher.AEAD, error){
			"aes128gcm": standardGCM,
			"aes256gcm": standardGCM,
			"chacha20":  chacha20poly1305.New, // of which crypto/tls has a copy
		},
		sign: signStandard,
		verifyRSA: func(key *rsa.PublicKey, digest, sig []byte, opts crypto.SignerOpts) error {
			pss := opts.(*rsa.PSSOptions)
			return rsa.VerifyPSS(key, pss.Hash, digest, sig, pss)
		},
		agree: map[string]func() (func() error, error){
			"X25519":         curve(ecdh.X25519()),
			"P-256":          curve(ecdh.P256()),
			"X25519MLKEM768": standardHybrid,
		},
	},
}

func signStandard(key crypto.Signer, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return key.Sign(rand.Reader, digest, opts)
}

func standardGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// groupOf is a group as a client has it.
func groupOf(id wire.NamedGroup) func() (func() error, error) {
	return func() (func() error, error) {
		peer, err := kex.Generate(id)
		if err != nil {
			return nil, err
		}
		return func() error {
			own, err := kex.Generate(id)
			if err == nil {
				_, err = own.Finish(peer.Share())
			}
			return err
		}, nil
	}
}

// finiteField is a group as a server has it up to TLS 1.2.
func finiteField(id wire.NamedGroup) func() (func() error, error) {
	return func() (func() error, error) {
		dh := kex.DHOf(id)
		peer, err := dh.Generate()
		if err != nil {
			return nil, err
		}
		return func() error {
			own, err := dh.Generate()
			if err == nil {
				_, err = own.Finish(peer.Share())
			}
			return err
		}, nil
	}
}

func encapsulation(id wire.NamedGroup) func() (func() error, error) {
	return func() (func() error, error) {
		return func() error {
			own, err := kex.Generate(id)
			if err != nil {
				return err
			}
			share, _, err := kex.Respond(id, own.Share())
			if err == nil {
				_, err = own.Finish(share)
			}
			return err
		}, nil
	}
}

func curve(c ecdh.Curve) func() (func() error, error) {
	return func() (func() error, error) {
		key, err := c.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		share := key.PublicKey().Bytes()
		return func() error {
			own, err := c.GenerateKey(rand.Reader)
			if err != nil {
				return err
			}
			peer, err := c.NewPublicKey(share)
			if err == nil {
				_, err = own.ECDH(peer)
			}
			return err
		}, nil
	}
}

// standardHybrid is what crypto/tls does for X25519MLKEM768.
func standardHybrid() (func() error, error) {
	return func() error {
		own, err := mlkem.GenerateKey768()
		if err != nil {
			return err
		}
		peer, err := mlkem.NewEncapsulationKey768(own.EncapsulationKey().Bytes())
		if err != nil {
			return err
		}
		_, share := peer.Encapsulate()
		if _, err = own.Decapsulate(share); err != nil {
			return err
		}
		client, err := ecdh.X25519().GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		server, err := ecdh.X25519().GenerateKey(rand.Reader)
		if err != nil {
			return err
		}
		_, err = client.ECDH(server.PublicKey())
		_, err2 := server.ECDH(client.PublicKey())
		return errors.Join(err, err2)
	}, nil
}

// signed is what the jobs sign and verify: the hash of nothing in particular.
var signed = sha256.Sum256([]byte("vitrine"))

// options are those of a signature in TLS 1.3: PSS for RSA. RFC 8446 §4.2.3.
func optionsFor(key crypto.Signer) crypto.SignerOpts {
	if _, ok := key.(*rsa.PrivateKey); ok {
		return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	}
	return crypto.SHA256
}

// verifySigned verifies as the stack's handshakes do.
func (p primitives) verifySigned(key crypto.Signer, sig []byte) error {
	switch k := key.Public().(type) {
	case *rsa.PublicKey:
		return p.verifyRSA(k, signed[:], sig, optionsFor(key))
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(k, signed[:], sig) {
			return nil
		}
	}
	return fmt.Errorf("the signature of a %T does not verify", key.Public())
}
