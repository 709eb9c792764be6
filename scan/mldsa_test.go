package scan

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// A server that has an ML-DSA certificate beside another shows both, each by its scheme, and
// the chain of an authority with such a key is no finding.
func TestMLDSACertificatesAreFound(t *testing.T) {
	ca, err := devca.InitOf(devca.MLDSA65, filepath.Join(t.TempDir(), "ca"), "", "example.test")
	if err != nil {
		t.Fatal(err)
	}
	var certs []tls.Certificate
	for _, kind := range []devca.KeyType{devca.ECDSA, devca.MLDSA44} {
		cert, err := ca.Issue(devca.Leaf{Names: []string{"example.test"}, Key: kind})
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, cert)
	}
	r := audited(t, serveTLS(t, &tls.Config{Certificates: certs}), Options{Roots: ca.Pool(), ConfigurationOnly: true})
	at := slices.IndexFunc(r.Schemes, func(s SchemeReport) bool { return s.Name == "mldsa44" })
	if at < 0 || !slices.Equal(r.Schemes[at].Versions, []string{"TLS 1.3"}) {
		t.Errorf("the server signs by %+v", r.Schemes)
	}
	keys := map[string]string{}
	for _, chain := range r.Chains {
		keys[chain.Key] = chain.Signature
		if !chain.Trusted {
			t.Errorf("%s: %s", chain.Key, chain.Problem)
		}
	}
	if keys["ML-DSA-44"] != "mldsa65" || keys["ECDSA, P-256"] != "mldsa65" {
		t.Errorf("the chains are of %v", keys)
	}
}
