package flags

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/tls"
)

func revocationOf(t *testing.T, args ...string) (*revocation.Checker, error) {
	t.Helper()
	cmd, f := &cobra.Command{}, &Revocation{}
	f.Register(cmd, "its")
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return f.Load(cmd)
}

// emptyList is a file with a list of an authority, of which nobody is on it.
func emptyList(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer := &x509.Certificate{Subject: pkix.Name{CommonName: "A"}, SubjectKeyId: []byte{1}, KeyUsage: x509.KeyUsageCRLSign}
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour),
	}, issuer, key)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "crl.der")
	if err := os.WriteFile(name, der, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestRevocationFlags(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	list := emptyList(t)
	for _, c := range []struct {
		args  string
		mode  revocation.Mode
		lists int
		wrong string
	}{
		{"", revocation.Soft, 0, ""},
		{"--revocation stapled", revocation.Soft, 0, ""},
		{"--revocation stapled --crl " + list, revocation.Soft, 1, ""},
		{"--revocation off", revocation.Off, 0, ""},
		{"--revocation soft", revocation.Soft, 0, ""},
		{"--revocation hard", revocation.Hard, 0, ""},
		{"--crl " + list, revocation.Soft, 1, ""}, // a list is asked
		{"--crl " + list + " --crl " + list + " --revocation hard", revocation.Hard, 2, ""},
		{"--crl " + list + " --revocation off", 0, 0, "does nothing with --revocation off"},
		{"--revocation on", 0, 0, "choose off, stapled, soft or hard"},
		{"--crl /nonexistent", 0, 0, "/nonexistent"},
		{"--crl revocation_test.go", 0, 0, "is not a certificate revocation list"},
	} {
		k, err := revocationOf(t, strings.Fields(c.args)...)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%s: %v, want %q", c.args, err, c.wrong)
			}
			continue
		}
		if err != nil || k.Mode != c.mode || len(k.Lists) != c.lists {
			t.Errorf("%s: %+v, %v", c.args, k, err)
		} else if strings.Contains(c.args, Stapled) || c.args == "" || k.Mode == revocation.Off {
			if k.Fetcher != nil {
				t.Errorf("%q asks over the network", c.args)
			}
		} else if asks, ok := k.Fetcher.(*fetch.Client); !ok || !strings.HasPrefix(asks.Dir, os.Getenv("XDG_CACHE_HOME")) {
			t.Errorf("%s: asks by %+v", c.args, k.Fetcher)
		}
	}
}

// Without the flags the Config is left alone, and off is more than that.
func TestRevocationFlagsInAConfig(t *testing.T) {
	for arg, want := range map[string]string{"": "nothing", "--revocation=off": "off", "--revocation=hard": "hard"} {
		cmd, f := &cobra.Command{}, &Revocation{}
		f.Register(cmd, "its")
		if arg != "" {
			if err := cmd.ParseFlags([]string{arg}); err != nil {
				t.Fatal(err)
			}
		}
		config := new(tls.Config)
		if err := f.Apply(cmd, config); err != nil {
			t.Fatal(err)
		}
		got := "nothing"
		if config.Revocation != nil {
			got = config.Revocation.Mode.String()
		}
		if got != want {
			t.Errorf("%q sets %s, want %s", arg, got, want)
		}
	}
}
