package flags

import (
	"crypto/rand"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
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
		return preshared{}, report.Usagef("the value of --psk is not IDENTITY:HEX, as in client1:00112233445566778899aabbccddeeff")
	}
	key, err := hex.DecodeString(s[i+1:])
	if err != nil || len(key) == 0 {
		return preshared{}, report.Usagef("the key of --psk %s is not in hex, as in %s:00112233445566778899aabbccddeeff", s[:i], s[:i])
	}
	return preshared{s[:i], key}, nil
}

// PresharedKeys are the keys of --psk, by identity.
func (f *TLS) PresharedKeys() (map[string][]byte, error) {
	keys := map[string][]byte{}
	for _, value := range f.PSKs {
		p, err := parsePSK(value)
		if err != nil {
			return nil, err
		}
		keys[p.identity] = p.key
	}
	return keys, nil
}

func (f *TLS) applyPSK(config *tls.Config) error {
	keys, err := f.PresharedKeys()
	if err != nil {
		return err
	}
	var first preshared
	if len(f.PSKs) > 0 {
		first, _ = parsePSK(f.PSKs[0]) // which it was already
	}
	if len(f.PSKs) > 1 && f.sides&ClientSide != 0 {
		return report.Usagef("--psk was given more than once; a client has one key to show")
	}
	named := slices.ContainsFunc(f.Suites, func(name string) bool {
		s := suite.ByName(name)
		return s != nil && s.KeyExchange.PSK()
	})
	if err := f.external.check(f.psk13()); err != nil {
		return err
	}
	if f.psk13() {
		return f.external.apply(config, keys, first)
	}
	switch {
	case len(f.PSKs) > 0 && len(f.Suites) > 0 && !named && !slices.Contains(f.Suites, "all"):
		return report.Usagef("--psk does nothing with --suites %s, none of which has pre-shared keys", strings.Join(f.Suites, ","))
	case f.pskHint != "" && len(f.PSKs) == 0 && !named:
		return report.Usagef("--psk-hint does nothing without --psk")
	case len(f.PSKs) > 0:
	case named && f.Own:
		first = preshared{"explain", make([]byte, 16)}
		rand.Read(first.key)
		keys[first.identity] = first.key
	case named:
		return report.Usagef("--suites names a suite with pre-shared keys; give the key with --psk IDENTITY:HEX")
	default:
		return nil
	}
	config.PSK = tls.PSK{
		Client: func(hint string) (string, []byte, error) {
			f.Hinted = hint
			return first.identity, first.key, nil
		},
		Server: func(identity string) ([]byte, error) { return keys[identity], nil },
		Hint:   f.pskHint,
	}
	return nil
}

// psk13 reports that --psk is for TLS 1.3 alone, since --min is.
func (f *TLS) psk13() bool {
	v, err := ParseVersion("min", f.min)
	return len(f.PSKs) > 0 && f.min != "" && err == nil && v == wire.TLS13
}

// onlyPSK reports that the flags leave nothing but suites with pre-shared keys.
func (f *TLS) onlyPSK() bool {
	return len(f.Suites) == 0 && len(f.PSKs) > 0 || len(f.Suites) > 0 && !slices.ContainsFunc(f.Suites, func(name string) bool {
		s := suite.ByName(name)
		return s == nil || !s.KeyExchange.PSK()
	})
}

// leastDHBits is what Legacy.SmallDH allows at the least.
const leastDHBits = 1024

func (f *TLS) applyDH(config *tls.Config) error {
	if f.dhMin != 0 && f.dhMin < leastDHBits {
		return report.Usagef("--dh-min %d is too small; %d bits are the least", f.dhMin, leastDHBits)
	}
	config.DHE.MinBits = f.dhMin
	if f.dhParams == "" {
		return nil
	}
	file, err := readPEM("dh-params", f.dhParams)
	if err != nil {
		return err
	}
	blocks := file.of("DH PARAMETERS")
	if len(blocks) == 0 {
		return file.without("DH parameters")
	}
	if config.DHE.Parameters = parseDHParams(blocks[0]); config.DHE.Parameters == nil {
		return file.fault("holds parameters for DHE that are damaged", "make others: openssl dhparam -out new.pem 2048")
	}
	group, err := kex.NewDH(config.DHE.Parameters.P, config.DHE.Parameters.G)
	switch {
	case err != nil:
		return report.Usagef("--dh-params: %s holds no group to use: %v", f.dhParams, err)
	case group.Bits() < leastDHBits:
		return report.Usagef("--dh-params: the group in %s has %d bits; %d are the least", f.dhParams, group.Bits(), leastDHBits)
	}
	return nil
}

// parseDHParams reads what "openssl dhparam" writes, PKCS #3 §9 or RFC 3279
// §2.3.3: a sequence that begins with p and g. nil for anything else.
func parseDHParams(block *pem.Block) *tls.DHParameters {
	var group struct{ P, G *big.Int }
	rest, err := asn1.Unmarshal(block.Bytes, &group)
	if err != nil || len(rest) > 0 || group.P.Sign() <= 0 || group.G.Sign() <= 0 {
		return nil
	}
	return &tls.DHParameters{P: group.P.Bytes(), G: group.G.Bytes()}
}

// LeastDHBits is the smallest group for DHE that the flags name; 0 for none.
func (f *TLS) LeastDHBits(config *tls.Config) int {
	bits := f.dhMin
	if p := config.DHE.Parameters; p != nil {
		own := new(big.Int).SetBytes(p.P).BitLen()
		if bits == 0 || own < bits {
			bits = own
		}
	}
	return bits
}
