package certcheck

import (
	"crypto"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/wire"
)

// stapled is an OCSP response about the leaf of a chain.
func stapled(c *forge.Chain, leaf, issuer *x509.Certificate, status []byte) []byte {
	return forge.Response{ProducedAt: now, Singles: []forge.Single{
		{CertID: forge.CertID(forge.SHA1, crypto.SHA1, leaf, issuer), Status: status, This: now, Next: now.Add(day)},
	}}.Sign(c.IntermediateKey)
}

func TestRevocationDecides(t *testing.T) {
	for _, tc := range []struct {
		name       string
		mode       revocation.Mode
		status     []byte // of the staple; nil for none
		mustStaple bool
		list       bool // the root's list revokes the intermediate
		alert      wire.AlertCode
		reason     string
	}{
		{name: "off, revoked", mode: revocation.Off, status: forge.Revoked(now, 1)},
		{name: "soft, none", mode: revocation.Soft},
		{name: "soft, good", mode: revocation.Soft, status: forge.Good},
		{name: "soft, unknown", mode: revocation.Soft, status: forge.Unknown},
		{name: "soft, revoked", mode: revocation.Soft, status: forge.Revoked(now, 1), alert: wire.AlertCertificateRevoked, reason: `"example.com" was revoked on 2016-11-21: key compromise (stapled OCSP)`},
		{name: "soft, a revoked authority", mode: revocation.Soft, status: forge.Good, list: true, alert: wire.AlertCertificateRevoked, reason: `"Intermediate" was revoked`},
		{name: "soft, must staple and does", mode: revocation.Soft, mustStaple: true, status: forge.Good},
		{name: "soft, must staple and does not", mode: revocation.Soft, mustStaple: true, alert: wire.AlertBadCertificateStatusResponse, reason: "none came"},
		{name: "soft, must staple, and the responder knows nothing", mode: revocation.Soft, mustStaple: true, status: forge.Unknown, alert: wire.AlertBadCertificateStatusResponse, reason: "does not know"},
		{name: "hard, none", mode: revocation.Hard, alert: wire.AlertCertificateUnknown, reason: `nobody says whether "example.com" is revoked: no source is at hand`},
		{name: "hard, good leaf, unknown authority", mode: revocation.Hard, status: forge.Good, alert: wire.AlertCertificateUnknown, reason: `whether "Intermediate" is revoked`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := forge.NewChain(now)
			if tc.mustStaple {
				c.Leaf.Replace(forge.MustStaple())
			}
			leafDER, intermediateDER, rootDER := c.DER()
			certs, err := Parse([][]byte{leafDER, intermediateDER, rootDER})
			if err != nil {
				t.Fatal(err)
			}
			pool := x509.NewCertPool()
			pool.AddCert(certs[2])
			k := &revocation.Checker{Mode: tc.mode}
			if tc.list {
				l, err := revocation.ParseCRL(forge.List{Issuer: certs[2].RawSubject, This: now, Next: now.Add(day), Entries: []forge.Entry{{Serial: certs[1].SerialNumber, At: now, Reason: -1}}}.Sign(c.RootKey))
				if err != nil {
					t.Fatal(err)
				}
				k.Lists = []*revocation.List{l}
			}
			o := Options{Roots: pool, Name: "example.com", Time: now, Revocation: k, MustStaple: true}
			if tc.status != nil {
				o.Staples = [][]byte{stapled(c, certs[0], certs[1], tc.status)}
			}
			_, err = Verify(t.Context(), certs, o)
			v := Judge(t.Context(), certs, o)
			if (err != nil) != (v.Refused != nil) || len(v.Paths[0].Revocation) != 2 {
				t.Errorf("Verify says %v, and Judge %v with %v", err, v.Refused, v.Paths[0].Revocation)
			}
			if (v.Refused != nil) != (tc.reason != "") {
				t.Fatalf("refused: %v", v.Refused)
			}
			if v.Refused != nil && (v.Refused.Alert != tc.alert || !strings.Contains(v.Refused.Reason, tc.reason) || v.Refused.Rule == nil || v.Refused.Hint == "") {
				t.Errorf("%v: %v (%s); want %v: %s", v.Refused.Alert, v.Refused, v.Refused.Hint, tc.alert, tc.reason)
			}
		})
	}
}
