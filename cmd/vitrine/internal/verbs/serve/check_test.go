package serve

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/tls"
)

// selfSigned is a server's certificate that is good, but for what set does to it.
func selfSigned(t *testing.T, key crypto.Signer, set func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	if set != nil {
		set(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func onCurve(t *testing.T, c elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ofRSA(t *testing.T, bits int) crypto.Signer {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// withFlags are the options and the Config of a command line.
func withFlags(t *testing.T, line string) (*options, *tls.Config) {
	t.Helper()
	o, config := &options{}, &tls.Config{}
	cmd := &cobra.Command{}
	o.tls.Register(cmd, flags.ServerSide)
	if err := cmd.ParseFlags(strings.Fields(line)); err != nil {
		t.Fatal(err)
	}
	o.clientAuth = "none"
	if err := o.configure(&cobra.Command{}, config); err != nil {
		t.Fatal(err)
	}
	return o, config
}

// A certificate that cannot work is found at the start: an error where every client
// of today fails, and a warning where only those of an old version do.
func TestWhatCannotWorkIsSaidAtTheStart(t *testing.T) {
	p224, p256, small, long := onCurve(t, elliptic.P224()), onCurve(t, elliptic.P256()), ofRSA(t, 1024), ofRSA(t, 2048)
	for _, test := range []struct {
		flags      string
		key        crypto.Signer
		err, warns string
	}{
		{"", p256, "", ""},
		{"", long, "", ""},
		{"", small, "", ""}, // which clients refuse, each by its own rules
		{"--min ssl3.0 --legacy all --suites all", long, "", ""},
		{"", p224, "no use in TLS 1.3: its key is ECDSA on P-224, and the handshake fails: no signature scheme in common", ""},
		{"", p224, "--max tls1.2", ""},
		{"--max tls1.2", p224, "", ""},
		{"--suites ECDHE-RSA-AES128-GCM-SHA256", p256, "no use in TLS 1.2: its key is ECDSA on P-256", ""},
		{"--suites ECDHE-ECDSA-AES128-GCM-SHA256", long, "its key is RSA of 2048 bits", ""},
		{"--suites ECDHE-ECDSA-AES128-GCM-SHA256,TLS_AES_128_GCM_SHA256", long, "", "no use in TLS 1.2"},
		{"--min ssl3.0 --legacy ssl30", p256, "", "no use in SSL 3.0"},
		{"--psk a:00 --suites PSK-AES128-GCM-SHA256", p256, "", ""},
	} {
		o, config := withFlags(t, test.flags)
		config.Certificates = []tls.Certificate{selfSigned(t, test.key, nil)}
		warnings, err := o.rehearse(config, "cert.pem")
		said := ""
		if err != nil {
			said = err.Error()
		}
		if (said == "") != (test.err == "") || !strings.Contains(said, test.err) {
			t.Errorf("%q with %T: %v", test.flags, test.key, err)
		}
		if w := strings.Join(warnings, "; "); (w == "") != (test.warns == "") || !strings.Contains(w, test.warns) {
			t.Errorf("%q with %T warns %q", test.flags, test.key, w)
		}
	}
}

// What clients will refuse is a warning at the start, one for each reason.
func TestWhatClientsRefuseIsSaidAtTheStart(t *testing.T) {
	p256 := onCurve(t, elliptic.P256())
	for want, cert := range map[string]tls.Certificate{
		"":                            selfSigned(t, p256, nil),
		"RSA key below 2048":          selfSigned(t, ofRSA(t, 1024), nil),
		"has expired":                 selfSigned(t, p256, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
		"is not valid yet":            selfSigned(t, p256, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }),
		"no subject alternative name": selfSigned(t, p256, func(c *x509.Certificate) { c.DNSNames = nil }),
		"not meant for servers": selfSigned(t, p256, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}),
		"not meant for signatures": selfSigned(t, p256, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }),
	} {
		var out bytes.Buffer
		warn(slog.New(slog.NewTextHandler(&out, nil)), []string{"localhost"}, []tls.Certificate{cert}, nil, nil)
		if lines := strings.Count(out.String(), "level=WARN"); (lines == 0) != (want == "") || lines > 1 || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %s", want, out.String())
		}
	}
}

// A client's certificate that only --legacy small-rsa allows is a warning.
func TestWeakClientsAreWarnedOf(t *testing.T) {
	for bits, want := range map[int]slog.Level{1024: slog.LevelWarn, 2048: slog.LevelInfo} {
		fields, level := clientFields(tls.State{PeerCertificates: []*x509.Certificate{selfSigned(t, ofRSA(t, bits), nil).Leaf}})
		if level != want || len(fields) == 0 {
			t.Errorf("%d bits: %v %v", bits, level, fields)
		}
	}
	if fields, level := clientFields(tls.State{}); fields != nil || level != slog.LevelInfo {
		t.Errorf("without a certificate: %v %v", level, fields)
	}
}
