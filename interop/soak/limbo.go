package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
)

var limbo = vectors{
	name: "x509-limbo", env: "VITRINE_LIMBO",
	url:    "https://github.com/C2SP/x509-limbo",
	commit: "8a2e6f41023b1716dc16fe63335e4bb972e4c3f6",
	paths:  []string{"limbo.json"},
}

// limboCase is a test case of x509-limbo. Its schema is limbo-schema.json there.
type limboCase struct {
	ID            string
	Kind          string     `json:"validation_kind"` // SERVER: we are the client
	Trusted       []string   `json:"trusted_certs"`
	Intermediates []string   `json:"untrusted_intermediates"`
	Peer          string     `json:"peer_certificate"`
	Time          time.Time  `json:"validation_time"`
	Usages        []string   `json:"extended_key_usage"`
	Expected      string     `json:"expected_result"`
	PeerName      *limboName `json:"expected_peer_name"`
	CRLs          []string
}

type limboName struct{ Kind, Value string }

// runLimbo has certcheck judge the cases of x509-limbo. One that must be accepted is
// judged under the default profile. One that must be refused is judged under the profile
// that its name says.
func runLimbo(ctx context.Context, r *report) error {
	dir, err := limbo.checkout(ctx, r)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, limbo.paths[0])
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var all struct{ Testcases []limboCase }
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	otherwise := map[string]int{} // by row of limboExplained
	agreed, lax, unexplained := 0, 0, 0
	for _, c := range all.Testcases {
		want := c.Expected == "SUCCESS"
		profile := certcheck.Interoperable
		if !want {
			profile = c.profile()
		}
		err := c.judge(ctx, profile)
		if !want && profile > certcheck.Interoperable && c.judge(ctx, certcheck.Interoperable) == nil {
			lax++
		}
		if (err == nil) == want {
			agreed++
			continue
		}
		pattern, ok := limboRow(c.ID)
		if otherwise[pattern]++; !ok {
			unexplained++
			r.Logf("%s: expected %s; %v", c.ID, c.Expected, err)
		}
	}
	r.Figure("cases", "%d", len(all.Testcases)).Want(len(all.Testcases) > 0, "some")
	r.Figure("cases that end as expected", "%d", agreed)
	r.Figure("refused by the stricter profile alone, as a warning by default", "%d", lax)
	r.Figure("cases that end otherwise, explained", "%d", len(all.Testcases)-agreed-unexplained)
	r.Figure("cases that end otherwise, and nobody knows why", "%d", unexplained).Want(unexplained == 0, "none")
	for _, p := range slices.Sorted(maps.Keys(limboExplained)) {
		r.Figure("explained: "+p, "%d", otherwise[p]).Want(otherwise[p] > 0, "some, or the row is idle")
	}
	return nil
}

// limboRow returns the row that explains a case.
func limboRow(id string) (pattern string, ok bool) {
	for p := range limboExplained {
		if matched, _ := path.Match(p, id); matched {
			return p, true
		}
	}
	return "", false
}

// profile is that which the case is written for.
func (c *limboCase) profile() certcheck.Profile {
	switch {
	case strings.HasPrefix(c.ID, "webpki::"):
		return certcheck.WebPKI
	case strings.HasPrefix(c.ID, "rfc5280::"):
		return certcheck.RFC5280
	}
	return certcheck.Interoperable
}

func (c *limboCase) judge(ctx context.Context, profile certcheck.Profile) error {
	raw, err := pemBlocks(append([]string{c.Peer}, c.Intermediates...))
	if err != nil {
		return err
	}
	certs, err := certcheck.Parse(raw)
	if err != nil {
		return err
	}
	trusted, err := pemBlocks(c.Trusted)
	if err != nil {
		return err
	}
	o := certcheck.Options{Roots: x509.NewCertPool(), Time: c.Time, Profile: profile, Usages: c.usages(), Anew: true}
	for _, der := range trusted {
		root, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		o.Roots.AddCert(root)
	}
	if c.PeerName != nil {
		o.Name = c.PeerName.Value
	}
	if len(c.CRLs) > 0 {
		if o.Revocation, err = c.lists(); err != nil {
			return err
		}
	}
	_, err = certcheck.Verify(ctx, certs, o)
	return err
}

// lists is a checker that has the case's CRLs, and accepts nothing of which they say nothing.
func (c *limboCase) lists() (*revocation.Checker, error) {
	ders, err := pemBlocks(c.CRLs)
	if err != nil {
		return nil, err
	}
	checker := &revocation.Checker{Mode: revocation.Hard}
	for _, der := range ders {
		list, err := revocation.ParseCRL(der)
		if err != nil {
			return nil, err
		}
		checker.Lists = append(checker.Lists, list)
	}
	return checker, nil
}

var limboUsages = map[string]x509.ExtKeyUsage{
	"serverAuth": x509.ExtKeyUsageServerAuth, "clientAuth": x509.ExtKeyUsageClientAuth, "anyExtendedKeyUsage": x509.ExtKeyUsageAny,
	"codeSigning": x509.ExtKeyUsageCodeSigning, "emailProtection": x509.ExtKeyUsageEmailProtection,
	"timeStamping": x509.ExtKeyUsageTimeStamping, "OCSPSigning": x509.ExtKeyUsageOCSPSigning,
}

func (c *limboCase) usages() (all []x509.ExtKeyUsage) {
	for _, name := range c.Usages {
		all = append(all, limboUsages[name])
	}
	switch {
	case c.Kind == "SERVER" && c.PeerName == nil: // certcheck wants a name, or another use
		return []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	case c.Kind == "CLIENT" && len(all) == 0:
		return []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	return all
}

// pemBlocks returns the content of PEM texts, one block each.
func pemBlocks(texts []string) (ders [][]byte, err error) {
	for _, t := range texts {
		block, rest := pem.Decode([]byte(t))
		if block == nil || len(bytes.TrimSpace(rest)) > 0 {
			return nil, errors.New("not one PEM block")
		}
		ders = append(ders, block.Bytes)
	}
	return ders, nil
}

// limboExplained says why we decide otherwise, by patterns of path.Match over IDs.
var limboExplained = map[string]string{
	"bettertls::pathbuilding::tc6[1-8]":           "36 certificates are sent, and 16 is the most",
	"crl::crlnumber-*":                            "a CRL without its number, or with a critical one, is the fault of its issuer alone: we know the extension and do not need it; OpenSSL accepts both",
	"pathlen::max-chain-depth-*-exhausted":        "the depth is a limit of the library, 10 certificates, and no option",
	"rfc5280::aki::cross-signed-root-missing-aki": "the certificate is a trusted root: it is an input, and its identifiers are not judged (RFC 5280 §6.1.1 (d))",
}
