package devca

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/wire"
)

var mldsaKinds = map[KeyType]otherkeys.MLDSA{MLDSA44: otherkeys.MLDSA44, MLDSA65: otherkeys.MLDSA65, MLDSA87: otherkeys.MLDSA87}

var mldsaSchemes = []wire.SignatureScheme{wire.MLDSA44, wire.MLDSA65, wire.MLDSA87}

// Authorities of every set issue for every kind of key, and for requests, by the rules of RFC
// 5280 and RFC 9881; their folder is read again; what they revoke is revoked by list and by OCSP.
func TestMLDSAAuthorities(t *testing.T) {
	for kind, set := range mldsaKinds {
		dir := filepath.Join(t.TempDir(), "ca")
		if _, err := InitOf(kind, dir, testURL, "box.example"); err != nil {
			t.Fatal(err)
		}
		ca, created, err := Open(dir)
		if err != nil || created || otherkeys.Name(ca.Cert) != set.String() || otherkeys.Name(ca.Intermediate()) != set.String() {
			t.Fatalf("%v: created %v, %v", set, created, err)
		}
		for _, leaf := range []Leaf{{}, {Key: RSA}, {Key: MLDSA44}, {Key: MLDSA87, Client: true}, {Request: mldsaRequest(t, otherkeys.MLDSA65)}} {
			leaf.Names = []string{"a.test"}
			issued, err := ca.Issue(leaf)
			if err != nil {
				t.Fatal(err)
			}
			o := certcheck.Options{Roots: ca.Pool(), Profile: certcheck.RFC5280, Usages: issued.Leaf.ExtKeyUsage, Name: "a.test", Schemes: mldsaSchemes}
			if leaf.Client {
				o.Name = ""
			}
			if v := certcheck.Judge(context.Background(), parsed(t, issued), o); v.Refused != nil {
				t.Errorf("%v, %+v: %v", set, leaf, v.Refused)
			}
			if issuedBy(issued.Leaf, ca.Intermediate()) != nil || issuedBy(issued.Leaf, ca.Cert) == nil {
				t.Errorf("%v: it is issued by another", set)
			}
		}
		issued, err := ca.Issue(Leaf{Names: []string{"a.test"}, Key: kind})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ca.Revoke(issued.Leaf.SerialNumber.Text(16), 1); err != nil {
			t.Fatal(err)
		}
		der, err := ca.CRL(false, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		list, err := revocation.ParseCRL(der)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := list.About(issued.Leaf, ca.Intermediate(), nil, time.Now(), 0); err != nil || a.Status != revocation.Revoked {
			t.Errorf("%v: the list says %v, %v", set, a, err)
		}
		response, err := revocation.ParseOCSP(ca.Responder(time.Hour).Respond(revocation.OCSPRequest(issued.Leaf, ca.Intermediate(), nil)))
		if err != nil {
			t.Fatal(err)
		}
		if a, err := response.About(issued.Leaf, ca.Intermediate(), time.Now(), 0); err != nil || a.Status != revocation.Revoked {
			t.Errorf("%v: the responder says %v, %v", set, a, err)
		}
		other := initialised(t)
		if _, err := response.About(issued.Leaf, other.Intermediate(), time.Now(), 0); err == nil {
			t.Errorf("%v: the response is believed of another authority", set)
		}
	}
}

// mldsaRequest is a request for a key of the set, signed with it.
func mldsaRequest(t *testing.T, set otherkeys.MLDSA) *x509.CertificateRequest {
	t.Helper()
	standIn, err := newKey[ECDSA]()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{"csr.test"}}, standIn)
	if err != nil {
		t.Fatal(err)
	}
	before, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	key := otherkeys.NewMLDSAKey(set, make([]byte, otherkeys.MLDSASeedSize))
	der, err = resign(der, key, func(field []byte) []byte {
		if bytes.Equal(field, before.RawSubjectPublicKeyInfo) {
			return key.Public().(otherkeys.MLDSAPublicKey).Info()
		}
		return field
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A request that its own key has not signed is refused.
func TestMLDSARequests(t *testing.T) {
	for set := otherkeys.MLDSA44; set <= otherkeys.MLDSA87; set++ {
		r := mldsaRequest(t, set)
		if err := VerifyRequest(r); err != nil {
			t.Errorf("%v: %v", set, err)
		}
		r.Signature[100] ^= 1
		if err := VerifyRequest(r); err == nil || !strings.Contains(err.Error(), "not one by its own key") {
			t.Errorf("%v: changed: %v", set, err)
		}
	}
}

// What is in the folder is read to the letter.
func TestMLDSAFolderOfAnother(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	ca, err := InitOf(MLDSA44, filepath.Join(dir, "ca"), "")
	if err != nil {
		t.Fatal(err)
	}
	second, err := InitOf(MLDSA44, filepath.Join(other, "ca"), "")
	if err != nil {
		t.Fatal(err)
	}
	replace(t, ca.dir, intermediateFile, second.intermediate.cert, second.intermediate.key)
	if _, _, err := Open(ca.dir); err == nil || !strings.Contains(err.Error(), "is not of the authority in ca-key.pem") {
		t.Errorf("another's intermediate: %v", err)
	}
	replace(t, ca.dir, intermediateFile, ca.intermediate.cert, second.intermediate.key)
	if _, _, err := Open(ca.dir); err == nil || !strings.Contains(err.Error(), "intermediate.pem is damaged") {
		t.Errorf("another's key: %v", err)
	}
}
