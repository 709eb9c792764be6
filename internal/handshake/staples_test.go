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
	"testing"

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
