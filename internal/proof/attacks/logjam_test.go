package attacks

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Logjam (CVE-2015-4000): an attacker brings the two sides to a group that is
// small enough to be broken while the handshake waits. A client has a floor, a
// server refuses small parameters of its own, and there is no export DHE (see
// FREAK). What NewDH refuses in all is shown by TestNewDHRefuses of internal/kex.

// dhSuites have a finite field, and a version to use them in.
var dhSuites = []wire.CipherSuite{
	wire.TLS_DHE_RSA_WITH_AES_128_CBC_SHA, wire.TLS_DH_anon_WITH_AES_128_CBC_SHA,
	wire.TLS_DHE_PSK_WITH_AES_128_CBC_SHA, wire.TLS_DHE_DSS_WITH_AES_128_CBC_SHA,
}

// odd is an odd number of so many bits: the size is judged before anything else.
func odd(bits int) []byte {
	b := make([]byte, (bits+7)/8)
	rand.Read(b)
	b[0] = 1 << ((bits - 1) % 8)
	b[len(b)-1] |= 1
	return b
}

// A man in the middle puts other parameters into the ServerKeyExchange; that the
// signature is then wrong matters only where there is one, and comes later.
func TestLogjamClient(t *testing.T) {
	good := kex.DHOf(wire.GroupFFDHE2048)
	even := bytes.Clone(good.P())
	even[len(even)-1] &^= 1
	minusOne := new(big.Int).Sub(new(big.Int).SetBytes(good.P()), big.NewInt(1)).Bytes()
	for _, test := range []struct {
		name        string
		p, g, share []byte
		alert       wire.AlertCode
		small       bool // the client takes 1024 bits
	}{
		{name: "512 bits", p: odd(512), alert: wire.AlertInsufficientSecurity},
		{name: "768 bits", p: odd(768), alert: wire.AlertInsufficientSecurity},
		{name: "1024 bits", p: odd(1024), alert: wire.AlertInsufficientSecurity},
		{name: "2047 bits", p: odd(2047), alert: wire.AlertInsufficientSecurity},
		{name: "512 bits, where 1024 are allowed", p: odd(512), alert: wire.AlertInsufficientSecurity, small: true},
		{name: "1023 bits, where 1024 are allowed", p: odd(1023), alert: wire.AlertInsufficientSecurity, small: true},
		{name: "p is 1", p: []byte{1}, alert: wire.AlertIllegalParameter},
		{name: "p is 0", p: []byte{0}, alert: wire.AlertIllegalParameter},
		{name: "p is even", p: even, alert: wire.AlertIllegalParameter},
		{name: "p has 65536 bits", p: odd(1 << 16), alert: wire.AlertIllegalParameter},
		{name: "p is small behind zeros", p: append(make([]byte, 224), odd(512)...), alert: wire.AlertInsufficientSecurity},
		{name: "g is 0", g: []byte{0}, alert: wire.AlertIllegalParameter},
		{name: "g is 1", g: []byte{1}, alert: wire.AlertIllegalParameter},
		{name: "g is p-1", g: minusOne, alert: wire.AlertIllegalParameter},
		{name: "g is p", g: good.P(), alert: wire.AlertIllegalParameter},
		{name: "the share is 0", share: []byte{0}, alert: wire.AlertIllegalParameter},
		{name: "the share is 1", share: []byte{1}, alert: wire.AlertIllegalParameter},
		{name: "the share is p-1", share: minusOne, alert: wire.AlertIllegalParameter},
		{name: "the share is p", share: good.P(), alert: wire.AlertIllegalParameter},
	} {
		for _, id := range dhSuites {
			s := suite.ByID(id)
			for _, v := range oldVersions {
				if !s.Allows(v) {
					continue
				}
				t.Run(fmt.Sprint(test.name, "/", s.Name, "/", v), func(t *testing.T) {
					t.Parallel()
					bubble(t, func(t *testing.T) {
						client, server := configs(s, v)
						if client.DHE.MinBits = 0; test.small {
							client.DHE.MinBits, client.Legacy.SmallDH = 1024, true
						}
						context := wire.Context{Version: v, KeyExchange: s.KeyExchange}
						e := connect(t, client, server, change(context, func(m *wire.ServerKeyExchange) {
							if test.p != nil {
								m.P = test.p
							}
							if test.g != nil {
								m.G = test.g
							}
							if test.share != nil {
								m.Share = test.share
							}
						}))
						want := test.alert
						if test.share != nil && s.KeyExchange.Signed() {
							want = wire.AlertDecryptError // the signature is looked at before the share
						}
						refused(t, e.clientErr, want)
					})
				})
			}
		}
	}
}

// A server does not start with parameters below the floor, nor a client with a
// floor below it, without the switch; and below 1024 bits not even with it.
func TestLogjamConfig(t *testing.T) {
	s := suite.ByID(wire.TLS_DHE_RSA_WITH_AES_128_CBC_SHA)
	for _, bits := range []int{512, 1023, 1024, 2047, 2048} {
		for _, small := range []bool{false, true} {
			t.Run(fmt.Sprint(bits, "/", small), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					allowed := bits >= 2048 || bits >= 1024 && small
					client, server := configs(s, wire.TLS12)
					client.DHE.MinBits, client.Legacy.SmallDH = bits, small
					e := connect(t, client, server, nil)
					if (e.clientErr == nil) != allowed || !allowed && !strings.Contains(e.clientErr.Error(), "DHE.MinBits") {
						t.Errorf("the client: %v", e.clientErr)
					}
					client, server = configs(s, wire.TLS12)
					server.DHE.Parameters, server.Legacy.SmallDH = &tls.DHParameters{P: odd(bits), G: []byte{2}}, small
					err := connect(t, client, server, nil).serverErr
					if refused := err != nil && strings.Contains(err.Error(), "DHE.Parameters"); refused == allowed {
						t.Errorf("the server: %v", err)
					}
				})
			})
		}
	}
}
