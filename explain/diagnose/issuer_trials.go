package diagnose

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/certcheck"
)

// mostIssuers is how many missing certificates are fetched, each from where the one below says.
const mostIssuers = 3

// fetchIssuer fetches the certificates that are missing, and sees whether the chain is good then.
func (t *trialist) fetchIssuer() *Verdict {
	if t.way.Issuers == nil {
		return nil
	}
	with := chain{certs: slices.Clone(t.server.certs)}
	var missing, from []string
	for range mostIssuers {
		top := with.top()
		if top == nil || selfIssued(top) || len(top.IssuingCertificateURL) == 0 || !t.may(1) {
			return nil
		}
		url := top.IssuingCertificateURL[0]
		issuer, a := t.fetch(url, top)
		if issuer == nil {
			return nil
		}
		with.certs = append(with.certs, issuer)
		missing, from = append(missing, who(issuer)), append(from, fmt.Sprintf("%q", url))
		if _, err := certcheck.Verify(t.ctx, with.certs, certcheck.Options{Roots: t.way.Config.RootCAs, Name: t.wanted(), Time: t.now}); err != nil {
			continue
		}
		them := "the intermediate " + missing[0] + ": with it, fetched from "
		if len(missing) > 1 {
			them = "the intermediates " + strings.Join(missing, ", ") + ": with them, fetched from "
		}
		return t.concludes("chain-incomplete", Certain, "the server did not send "+them+strings.Join(from, ", ")+", the chain is good",
			append(t.serverShows("issuer"), a.evidence("the missing certificate"))...)
	}
	return nil
}

// fetch fetches the certificate that issued another. What is there may be anything: only an
// issuer counts.
func (t *trialist) fetch(url string, below *x509.Certificate) (issuer *x509.Certificate, a answer) {
	ctx, cancel := context.WithTimeout(t.ctx, t.way.Patience)
	defer cancel()
	asks := fmt.Sprintf("the missing intermediate, from %q", url)
	t.begin(asks)
	defer t.note(asks, &a)
	der, err := t.way.Issuers.FetchIssuer(ctx, url)
	if err != nil {
		a.text = "it was not fetched: " + err.Error()
		return nil, a
	}
	got, err := x509.ParseCertificate(der)
	switch {
	case err != nil:
		a.text = "the answer is not a certificate"
		return nil, a
	case !issued(got, below):
		a.text = "what is there is the certificate " + who(got) + ", which did not issue " + who(below)
		return nil, a
	}
	a.agreed, a.text = true, "the certificate "+who(got)
	return got, a
}
