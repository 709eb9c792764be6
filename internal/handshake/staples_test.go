package handshake

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// asking keeps the staples that it is shown, and refuses.
type asking struct {
	Host
	staples [][]byte
}

func (a *asking) VerifyPeer(_ context.Context, s *State, _ []*x509.Certificate) ([][]*x509.Certificate, error) {
	a.staples = s.Staples()
	return nil, errors.New("not today")
}

// In TLS 1.3 each certificate of the chain has a staple of its own, or none, and the
// verification gets them in the order of the certificates. RFC 8446 §4.4.2.1.
func TestEachCertificateHasItsStaple(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	for _, staples := range [][]string{{"", "", ""}, {"leaf", "", ""}, {"leaf", "between", ""}, {"", "", "root"}, {"leaf", "", "root"}, {"a", "b", "c"}} {
		m := &wire.Certificate{}
		for _, staple := range staples {
			entry := wire.CertificateEntry{DER: der}
			if staple != "" {
				body := (&wire.CertificateStatus{Response: []byte(staple)}).Append(nil, wire.Context{})
				entry.Extensions = wire.Extensions{{Type: wire.ExtStatusRequest, Data: body}}
			}
			m.Entries = append(m.Entries, entry)
		}
		a := new(asking)
		s := New(wire.Client, &Config{Host: a}, nil, nil, &Result{Agreed: Agreed{Version: wire.TLS13}})
		s.profile = ProfileOf(wire.TLS13)
		s.hello.Extensions = wire.Extensions{{Type: wire.ExtStatusRequest}}
		if err := recvCertificate(s, t.Context(), m); err == nil {
			t.Fatal("accepted")
		}
		for i, want := range staples {
			var got []byte
			if i < len(a.staples) {
				got = a.staples[i]
			}
			if !bytes.Equal(got, []byte(want)) {
				t.Errorf("%q: certificate %d has the staple %q", staples, i, got)
			}
		}
		if len(a.staples) > len(staples) {
			t.Errorf("%q: %d staples", staples, len(a.staples))
		}
		s.Release()
	}
}

// A session keeps staples up to a bound: the leaf's goes first, and what is left out leaves
// its place empty.
func TestASessionKeepsSoManyStaples(t *testing.T) {
	of := func(n int) []byte { return make([]byte, n) }
	half := of(maxKeptStaples / 2)
	for _, test := range []struct {
		name string
		peer Peer
		want []int // the lengths of the staples, leaf first
		scts int
	}{
		{"none", noPeer, nil, 0},
		{"all", Peer{Stapled: &Stapled{OCSP: of(5), IssuerOCSP: [][]byte{of(6), nil, of(7)}, SCTs: [][]byte{of(8)}}}, []int{5, 6, 0, 7}, 1},
		{"of issuers alone", Peer{Stapled: &Stapled{IssuerOCSP: [][]byte{nil, of(7)}}}, []int{0, 0, 7}, 0},
		{"as many as there is room for", Peer{Stapled: &Stapled{OCSP: half, IssuerOCSP: [][]byte{half}}}, []int{len(half), len(half)}, 0},
		{"one too many", Peer{Stapled: &Stapled{OCSP: half, IssuerOCSP: [][]byte{half, of(1)}}}, []int{len(half), len(half)}, 0},
		{"one too long", Peer{Stapled: &Stapled{OCSP: half, IssuerOCSP: [][]byte{of(len(half) + 1), of(9)}}}, []int{len(half), 0, 9}, 0},
		{"the leaf's too long", Peer{Stapled: &Stapled{OCSP: of(maxKeptStaples + 1), IssuerOCSP: [][]byte{of(9)}}}, []int{0, 9}, 0},
		{"timestamps too long", Peer{Stapled: &Stapled{OCSP: half, SCTs: [][]byte{half, of(1)}}}, []int{len(half)}, 0},
	} {
		c := new(session.Session)
		test.peer.staplesInto(c)
		var got []int
		for _, staple := range c.Staples() {
			got = append(got, len(staple))
		}
		if !slices.Equal(got, test.want) || len(c.SCTs) != test.scts {
			t.Errorf("%s: staples of %d bytes and %d timestamps, want %d and %d", test.name, got, len(c.SCTs), test.want, test.scts)
		}
	}
}
