package interop

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/tls"
)

// stapler is a certificate and its key.
type stapler struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newStapler(t *testing.T, serial int64, above *stapler) *stapler {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: fmt.Sprint("certificate ", serial)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour), BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature}
	if serial < 3 {
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign|x509.KeyUsageDigitalSignature
	} else {
		c.DNSNames, c.ExtKeyUsage = []string{"localhost"}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	if above == nil {
		above = &stapler{c, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, above.cert, key.Public(), above.key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return &stapler{c, key}
}

func (a *stapler) says(t *testing.T, about *stapler, status int) []byte {
	t.Helper()
	der, err := ocsp.CreateResponse(a.cert, a.cert, ocsp.Response{Status: status, SerialNumber: about.cert.SerialNumber,
		ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour), RevokedAt: time.Now().Add(-time.Hour)}, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Java's client takes what our server staples to its leaf and to the intermediate: up to
// TLS 1.2 by status_request_v2, which it offers, in TLS 1.3 with each certificate.
func TestStaplesOfAChainWithJava(t *testing.T) {
	programs.SkipIfOff(t)
	need(t, (&peer{Programs: []string{"java"}}).missing(), "default-jdk-headless")
	root := newStapler(t, 1, nil)
	between := newStapler(t, 2, root)
	leaf := newStapler(t, 3, between)
	caFile := filepath.Join(t.TempDir(), "root.pem")
	if err := writePEM(caFile, "CERTIFICATE", root.cert.Raw); err != nil {
		t.Fatal(err)
	}
	args := []string{"-Djdk.tls.client.enableStatusRequestExtension=true", filepath.Join("testdata", "Staples.java"), caFile}
	var want []string
	for _, version := range []string{"TLSv1.2", "TLSv1.3"} {
		for _, issuer := range []int{ocsp.Good, ocsp.Revoked} {
			config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.cert.Raw, between.cert.Raw}, PrivateKey: leaf.key,
				OCSPStaple: between.says(t, leaf, ocsp.Good)}}}
			staple := root.says(t, between, issuer)
			config.Stapling.ForIssuer = func([]byte) []byte { return staple }
			args = append(args, strconv.Itoa(servesOnce(t, config)), version)
			want = append(want, map[int]string{ocsp.Good: "accepted, 2 responses", ocsp.Revoked: "has been revoked"}[issuer])
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child, err := start(ctx, ".", "java", args...)
	if err != nil {
		t.Fatal(err)
	}
	err = child.wait(ctx)
	lines := strings.Split(child.text(), "\n")
	for i, outcome := range want {
		if err != nil || len(lines) <= i || !strings.Contains(lines[i], outcome) {
			t.Errorf("%v: connection %d, in %s: %q; want %q", err, i+1, args[4+2*i], lines, outcome)
		}
	}
}

// servesOnce takes one connection, on the port that it returns. The client tells how it went.
func servesOnce(t *testing.T, config *tls.Config) (port int) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		if c, err := l.Accept(); err == nil {
			c.(*tls.Conn).Handshake()
			c.Read(make([]byte, 1))
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}
