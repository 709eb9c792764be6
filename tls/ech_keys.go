package tls

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// ECHKeyOptions are for [GenerateECHKey]. The zero value is what most servers want.
type ECHKeyOptions struct {
	// ConfigID tells keys of one server apart; nil draws one at random.
	ConfigID *uint8
	// MaxNameLength is how long the names are, in bytes, that clients hide: shorter
	// ones are padded to it. 0 is for 64.
	MaxNameLength uint8
}

// GenerateECHKey makes a key for Encrypted Client Hello, with an ECHConfig for X25519 and
// SendAsRetry set. publicName is what clients show to everybody in place of the name that
// they mean: the server needs a certificate for it. See [ECHConfigList] for what to
// publish. RFC 9849 §4.
func GenerateECHKey(publicName string, o ECHKeyOptions) (EncryptedClientHelloKey, error) {
	if !isPublicName(publicName) || len(publicName) > 255 {
		return EncryptedClientHelloKey{}, &handshake.Error{Rule: fmt.Sprintf("%q is not a host name, and cannot be the public name of an ECHConfig", publicName),
			Hint: "take a name of letters, digits, hyphens and dots, for which the server has a certificate", Ref: "RFC 9849 §4"}
	}
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return EncryptedClientHelloKey{}, err
	}
	c := wire.ECHConfig{
		Version: wire.ECHVersion, KEM: wire.KEMX25519, PublicKey: key.PublicKey().Bytes(), MaxNameLength: o.MaxNameLength, PublicName: []byte(publicName),
		Suites: []wire.HPKESuite{{KDF: wire.KDFSHA256, AEAD: wire.AEADAES128}, {KDF: wire.KDFSHA256, AEAD: wire.AEADChaCha20}},
	}
	if c.MaxNameLength == 0 {
		c.MaxNameLength = 64
	}
	var id [1]byte
	rand.Read(id[:])
	if c.ConfigID = id[0]; o.ConfigID != nil {
		c.ConfigID = *o.ConfigID
	}
	return EncryptedClientHelloKey{Config: c.Append(nil), PrivateKey: key.Bytes(), SendAsRetry: true}, nil
}

// ECHConfigList is what clients need of keys: their configs as a list, which goes into
// Config.EncryptedClientHelloConfigList and, in base64, into the ech parameter of an HTTPS
// record (RFC 9848). Clients take the first that they can use. Private keys are not in it.
func ECHConfigList(keys ...EncryptedClientHelloKey) ([]byte, error) {
	read, err := parseECHKeys(keys)
	if err != nil {
		return nil, err
	}
	if len(read) == 0 {
		return nil, &handshake.Error{Rule: "an ECHConfigList needs a key at least", Ref: "RFC 9849 §4"}
	}
	var list []wire.ECHConfig
	for i := range read {
		list = append(list, read[i].Config)
	}
	return wire.AppendECHConfigs(nil, list), nil
}

// The blocks of a file with keys. RFC 9934 §3.
const (
	pemPrivateKey = "PRIVATE KEY"
	pemECHConfig  = "ECHCONFIG"
)

// MarshalECHKey writes a key as PEM: a PRIVATE KEY and, after it, the ECHCONFIG with
// the list that clients need. OpenSSL reads the same. RFC 9934.
func MarshalECHKey(key EncryptedClientHelloKey) ([]byte, error) {
	read, err := parseECHKey(&key)
	if err != nil {
		return nil, err
	}
	private, err := ecdhKey(read.Config.KEM, key.PrivateKey)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	b := pem.EncodeToMemory(&pem.Block{Type: pemPrivateKey, Bytes: der})
	return append(b, pem.EncodeToMemory(&pem.Block{Type: pemECHConfig, Bytes: wire.AppendECHConfigs(nil, []wire.ECHConfig{read.Config})})...), nil
}

func ecdhKey(kem wire.HPKEKEM, private []byte) (*ecdh.PrivateKey, error) {
	switch kem {
	case wire.KEMX25519:
		return ecdh.X25519().NewPrivateKey(private)
	case wire.KEMP256:
		return ecdh.P256().NewPrivateKey(private)
	case wire.KEMP384:
		return ecdh.P384().NewPrivateKey(private)
	case wire.KEMP521:
		return ecdh.P521().NewPrivateKey(private)
	}
	return nil, fmt.Errorf("a private key of %v has no form in PKCS #8", kem)
}

// ParseECHKeys reads the keys in a PEM file: one or more times a PRIVATE KEY and the
// ECHCONFIG that belongs to it. Each config gets SendAsRetry. Other blocks are passed
// over. RFC 9934.
func ParseECHKeys(text []byte) ([]EncryptedClientHelloKey, error) {
	var keys []EncryptedClientHelloKey
	var private *ecdh.PrivateKey
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case pemPrivateKey:
			key, err := parseECDH(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("the PRIVATE KEY cannot be used for Encrypted Client Hello: %w", err)
			}
			private = key
		case pemECHConfig:
			if private == nil {
				return nil, errors.New("an ECHCONFIG stands before its PRIVATE KEY, or without one: such a file is for clients; a server needs the one with the key")
			}
			configs, err := wire.ParseECHConfigs(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("the ECHCONFIG does not parse: %w", err)
			}
			n := len(keys)
			for _, c := range configs {
				if bytes.Equal(c.PublicKey, private.PublicKey().Bytes()) {
					keys = append(keys, EncryptedClientHelloKey{Config: bytes.Clone(c.Raw), PrivateKey: private.Bytes(), SendAsRetry: true})
				}
			}
			if len(keys) == n {
				return nil, errors.New("the PRIVATE KEY does not belong to the ECHCONFIG after it")
			}
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no PRIVATE KEY with an ECHCONFIG after it in the file; `vitrine cert ech` makes one")
	}
	_, err := parseECHKeys(keys)
	return keys, err
}

// parseECDH reads a key for X25519, or for ECDH on a NIST curve, which PKCS #8 does not
// tell from one for ECDSA.
func parseECDH(der []byte) (*ecdh.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	switch key := key.(type) {
	case *ecdh.PrivateKey:
		return key, nil
	case interface {
		ECDH() (*ecdh.PrivateKey, error)
	}:
		return key.ECDH()
	}
	return nil, fmt.Errorf("it is a %T, not one for X25519 or ECDH", key)
}
