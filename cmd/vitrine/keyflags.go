package main

import (
	"crypto/rand"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
)

// preshared is a value of --psk.
type preshared struct {
	identity string
	key      []byte
}

// parsePSK reads IDENTITY:HEX. An identity may have colons of its own.
func parsePSK(s string) (preshared, error) {
	i := strings.LastIndexByte(s, ':')
	if i < 1 {
		return preshared{}, usagef("the value of --psk is not IDENTITY:HEX, as in client1:00112233445566778899aabbccddeeff")
	}
	key, err := hex.DecodeString(s[i+1:])
	if err != nil || len(key) == 0 {
		return preshared{}, usagef("the key of --psk %s is not in hex, as in %s:00112233445566778899aabbccddeeff", s[:i], s[:i])
	}
	return preshared{s[:i], key}, nil
}

func (f *tlsFlags) applyPSK(config *tls.Config) error {
	keys := make(map[string][]byte)
	var first preshared
	for i, value := range f.psks {
		p, err := parsePSK(value)
		if err != nil {
			return err
		}
		if i == 0 {
			first = p
		}
		keys[p.identity] = p.key
	}
	if len(f.psks) > 1 && f.sides&clientSide != 0 {
		return usagef("--psk was given more than once; a client has one key to show")
	}
	named := slices.ContainsFunc(f.suites, func(name string) bool {
		s := suite.ByName(name)
		return s != nil && s.KeyExchange.PSK()
	})
	switch {
	case len(f.psks) > 0 && len(f.suites) > 0 && !named && !slices.Contains(f.suites, "all"):
		return usagef("--psk does nothing with --suites %s, none of which has pre-shared keys", strings.Join(f.suites, ","))
	case f.pskHint != "" && len(f.psks) == 0 && !named:
		return usagef("--psk-hint does nothing without --psk")
	case len(f.psks) > 0 && f.resumes() && f.resume != "psk" && f.onlyPSK():
		return usagef("--resume %s finds nothing to resume: sessions of pre-shared keys are not kept", f.resume)
	case len(f.psks) > 0:
	case named && f.own:
		first = preshared{"explain", make([]byte, 16)}
		rand.Read(first.key)
		keys[first.identity] = first.key
	case named:
		return usagef("--suites names a suite with pre-shared keys; give the key with --psk IDENTITY:HEX")
	default:
		return nil
	}
	config.PSK = tls.PSK{
		Client: func(hint string) (string, []byte, error) {
			f.hinted = hint
			return first.identity, first.key, nil
		},
		Server: func(identity string) ([]byte, error) { return keys[identity], nil },
		Hint:   f.pskHint,
	}
	return nil
}

// onlyPSK reports that the flags leave nothing but suites with pre-shared keys.
func (f *tlsFlags) onlyPSK() bool {
	return len(f.suites) == 0 && len(f.psks) > 0 || len(f.suites) > 0 && !slices.ContainsFunc(f.suites, func(name string) bool {
		s := suite.ByName(name)
		return s == nil || !s.KeyExchange.PSK()
	})
}

func (f *tlsFlags) applyDH(config *tls.Config) error {
	if f.dhMin != 0 && f.dhMin < 1024 {
		return usagef("--dh-min %d is too small; 1024 bits are the least", f.dhMin)
	}
	config.DHE.MinBits = f.dhMin
	if f.dhParams == "" {
		return nil
	}
	text, err := os.ReadFile(f.dhParams)
	if err != nil {
		return usagef("--dh-params: %v", err)
	}
	if config.DHE.Parameters = parseDHParams(text); config.DHE.Parameters == nil {
		return usagef("--dh-params: %s holds no DH PARAMETERS in PEM form", f.dhParams)
	}
	return nil
}

// parseDHParams reads what "openssl dhparam" writes, PKCS #3 §9 or RFC 3279
// §2.3.3: a sequence that begins with p and g. nil for anything else.
func parseDHParams(text []byte) *tls.DHParameters {
	var group struct{ P, G *big.Int }
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "DH PARAMETERS" && block.Type != "X9.42 DH PARAMETERS" {
		return nil
	}
	rest, err := asn1.Unmarshal(block.Bytes, &group)
	if err != nil || len(rest) > 0 || group.P.Sign() <= 0 || group.G.Sign() <= 0 {
		return nil
	}
	return &tls.DHParameters{P: group.P.Bytes(), G: group.G.Bytes()}
}

// dhBits is the smallest group for DHE that the flags name; 0 for none.
func (f *tlsFlags) dhBits(config *tls.Config) int {
	bits := f.dhMin
	if p := config.DHE.Parameters; p != nil {
		own := new(big.Int).SetBytes(p.P).BitLen()
		if bits == 0 || own < bits {
			bits = own
		}
	}
	return bits
}
