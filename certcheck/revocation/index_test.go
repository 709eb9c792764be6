package revocation

import (
	"crypto/x509"
	"encoding/binary"
	"math/big"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

func entriesOf(n int) []forge.Entry {
	entries := make([]forge.Entry, n)
	for i := range entries {
		var serial [16]byte
		binary.BigEndian.PutUint64(serial[:], uint64(i)*0x9e3779b97f4a7c15|1)
		binary.BigEndian.PutUint64(serial[8:], uint64(i))
		entries[i] = forge.Entry{Serial: new(big.Int).SetBytes(serial[:]), At: now.Add(-time.Duration(i%1000) * time.Hour), Reason: i%11 - 1}
	}
	return entries
}

// Every entry of a list is found, with what crypto/x509 reads of it, and no other.
func TestIndexAsInX509(t *testing.T) {
	p := newPKI(t)
	for _, n := range []int{0, 1, 2, 3, 100, 5000} {
		entries := entriesOf(n)
		der := p.list(entries...).Sign(p.issuerKey)
		l, err := ParseCRL(der)
		if err != nil {
			t.Fatal(err)
		}
		want, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		if l.Entries != n || len(want.RevokedCertificateEntries) != n {
			t.Fatalf("%d entries of %d, crypto/x509 has %d", l.Entries, n, len(want.RevokedCertificateEntries))
		}
		for _, w := range want.RevokedCertificateEntries {
			e, found := l.find(w.SerialNumber.Bytes())
			if reason := Reason(w.ReasonCode); !found || !e.at.Equal(w.RevocationTime) || e.reason != reason && reason != 7 {
				t.Fatalf("serial %v: found %v, %v, %v; want %v, %v", w.SerialNumber, found, e.at, e.reason, w.RevocationTime, reason)
			}
		}
		for range 100 {
			if _, found := l.find(p.leaf.SerialNumber.Bytes()); found {
				t.Fatal("a certificate is found that is not on the list")
			}
		}
	}
}

func FuzzParseCRL(f *testing.F) {
	p := newPKI(f)
	f.Add(p.list().Sign(p.issuerKey))
	f.Add(p.list(p.revokes(1), p.revokes(-1)).Sign(p.issuerKey))
	l := p.list(entriesOf(3)...)
	l.Extensions = append(l.Extensions, forge.Scope(crlURL, 1, 3), forge.FreshestAt(crlURL))
	f.Add(l.Sign(p.issuerKey))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ParseCRL(data)
		if err != nil {
			return
		}
		// What crypto/x509 reads as well has the same entries.
		want, err := x509.ParseRevocationList(data)
		if err != nil {
			return
		}
		for _, w := range want.RevokedCertificateEntries {
			if w.SerialNumber.Sign() < 0 {
				continue
			}
			if _, found := l.find(w.SerialNumber.Bytes()); !found {
				t.Errorf("serial %v is not found", w.SerialNumber)
			}
		}
		if _, err := l.About(p.leaf, p.issuer, nil, now, Skew); err == nil && l.Base != nil {
			t.Error("a delta list says something on its own")
		}
	})
}

func FuzzParseOCSP(f *testing.F) {
	p := newPKI(f)
	for _, v := range responses {
		if der := v.make(p); len(der) < 4096 {
			f.Add(der)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := ParseOCSP(data); err == nil {
			r.NextUpdate()
			if a, err := r.About(p.leaf, p.issuer, now, Skew); err == nil && a.Status == Unknown {
				t.Error("an answer without a status")
			}
		}
	})
}

func BenchmarkCRL(b *testing.B) {
	p := newPKI(b)
	l := p.list(entriesOf(1_000_000)...)
	der := l.Sign(p.issuerKey)
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(int64(len(der)))
		for b.Loop() {
			if _, err := ParseCRL(der); err != nil {
				b.Fatal(err)
			}
		}
	})
	list, err := ParseCRL(der)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("find", func(b *testing.B) {
		b.ReportAllocs()
		serial := l.Entries[777_777].Serial.Bytes()
		for b.Loop() {
			if _, found := list.find(serial); !found {
				b.Fatal("not found")
			}
		}
	})
}
