package certcheck

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

func raw(certs ...*party) (der [][]byte) {
	for _, c := range certs {
		der = append(der, append([]byte(nil), c.Raw...))
	}
	return der
}

func TestParse(t *testing.T) {
	root := authority(t, "Root", nil)
	leaf := server(t, root)
	in := raw(leaf, root)
	got, err := Parse(in)
	if err != nil || len(got) != 2 || !got[0].Equal(leaf.Certificate) || !got[1].Equal(root.Certificate) {
		t.Fatalf("Parse = %v, %v", got, err)
	}
	clear(in[0]) // Parse keeps nothing of its input
	if !got[0].Equal(leaf.Certificate) {
		t.Error("the certificate aliases the input")
	}
	again, err := Parse(raw(leaf))
	if err != nil || again[0] != got[0] {
		t.Errorf("the same bytes were parsed twice (%v)", err)
	}
	if none, err := Parse(nil); err != nil || len(none) != 0 {
		t.Errorf("Parse(nil) = %v, %v", none, err)
	}
}

func TestParseLimits(t *testing.T) {
	root := authority(t, "Root", nil)
	withRSA := func(bits uint) [][]byte { // a number of that size is enough, nobody signs with it
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		n.SetBit(n, 0, 1)
		return raw(sign(t, template(fmt.Sprint(bits), nil), nil, &rsa.PublicKey{N: n, E: 65537}, root))
	}
	leaf := raw(server(t, root))[0]
	var many [][]byte
	for range MaxChain {
		many = append(many, leaf)
	}
	for _, tc := range []struct {
		name  string
		raw   [][]byte
		alert wire.AlertCode // 0: accepted
		want  string
	}{
		{"16 certificates", many, 0, ""},
		{"17 certificates", append(many, leaf), wire.AlertBadCertificate, "17 certificates were sent"},
		{"RSA 1023", withRSA(1023), wire.AlertUnsupportedCertificate, `the RSA key of "1023" has 1023 bits; from 1024 to 8192 are supported`},
		{"RSA 1024", withRSA(1024), 0, ""},
		{"RSA 8192", withRSA(8192), 0, ""},
		{"RSA 8193", withRSA(8193), wire.AlertUnsupportedCertificate, "8193 bits"},
		{"garbage", [][]byte{leaf, []byte("garbage")}, wire.AlertBadCertificate, "certificate 2 of 2 cannot be read"},
		{"empty", [][]byte{nil}, wire.AlertBadCertificate, "cannot be read"},
		{"trailing byte", [][]byte{append(append([]byte(nil), leaf...), 0)}, wire.AlertBadCertificate, "cannot be read"},
	} {
		_, err := Parse(tc.raw)
		var e *Error
		if tc.alert == 0 && err == nil {
			continue
		}
		if !errors.As(err, &e) || e.Alert != tc.alert || !strings.Contains(e.Reason, tc.want) {
			t.Errorf("%s: got %v, want %v: %s", tc.name, err, tc.alert, tc.want)
		}
	}
}

func TestParseCacheForgets(t *testing.T) {
	entries := func() (n int) {
		for range known.byID.Range {
			n++
		}
		return n
	}
	root := authority(t, "Root", nil)
	before := entries() // of other tests, whose certificates are remembered
	var kept []*x509.Certificate
	for i := range 50 {
		c, err := Parse(raw(server(t, root)))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			kept = c
		}
	}
	for deadline := time.Now().Add(10 * time.Second); entries() > before+1; {
		if time.Now().After(deadline) {
			t.Fatalf("%d entries, of which %d were there before, outlive their certificates", entries(), before)
		}
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	again, err := Parse(raw(&party{kept[0], nil}))
	if err != nil || again[0] != kept[0] {
		t.Errorf("a certificate still in use left the cache (%v)", err)
	}
}

func TestParseCollision(t *testing.T) {
	root := authority(t, "Root", nil)
	a, b := server(t, root).Certificate, server(t, root).Certificate
	if known.put(1, a) != a || known.put(1, b) != b || known.get(1) != a {
		t.Error("two certificates of one hash are taken for each other")
	}
}

func TestParseConcurrent(t *testing.T) {
	root := authority(t, "Root", nil)
	in := raw(server(t, root), root)
	var wg sync.WaitGroup
	var got [16]*x509.Certificate
	for i := range got {
		wg.Go(func() {
			for range 100 {
				c, err := Parse(in)
				if err != nil {
					t.Error(err)
					return
				}
				got[i] = c[0]
			}
		})
	}
	wg.Wait()
	for _, c := range got[1:] {
		if c != got[0] {
			t.Fatal("one certificate was parsed into two that live at once")
		}
	}
}

func TestParseCachedAllocates(t *testing.T) {
	root := authority(t, "Root", nil)
	in := raw(server(t, root), root)
	kept, err := Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { Parse(in) }); n > 1 { // the slice it returns
		t.Errorf("%v allocations to parse certificates that are known", n)
	}
	runtime.KeepAlive(kept)
}

// FuzzParse gives Parse and then Verify whatever bytes a peer may send.
func FuzzParse(f *testing.F) {
	root := authority(f, "Root", nil)
	sub := authority(f, "Sub", root)
	f.Add(server(f, root).Raw, root.Raw)
	f.Add(server(f, sub).Raw, sub.Raw)
	f.Add(server(f, nil).Raw, []byte{})
	f.Fuzz(func(t *testing.T, leaf, next []byte) {
		certs, err := Parse([][]byte{leaf, next})
		if err != nil {
			if certs, err = Parse([][]byte{leaf}); err != nil {
				return
			}
		}
		_, err = Verify(context.Background(), certs, Options{Roots: trust(root), Time: now, Name: "example.com"})
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Reason == "" || strings.ContainsAny(err.Error(), "\n\r\x1b\x00")) {
			t.Errorf("not an error for people: %q", err)
		}
	})
}
