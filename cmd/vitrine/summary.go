package main

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/tls"
)

// summary is what vitrine connect says of a connection.
type summary struct {
	Target    string  `json:"target"`
	Peer      string  `json:"peer"`
	Duration  float64 `json:"handshake_ms"`
	Version   string  `json:"version"`
	Suite     string  `json:"suite"`
	Group     string  `json:"group,omitempty"`
	Signature string  `json:"signature,omitempty"`
	ALPN      string  `json:"alpn,omitempty"`
	SNI       string  `json:"sni,omitempty"`
	Resumed   bool    `json:"resumed"`
	Client    string  `json:"client_certificate,omitempty"`
	OCSP      bool    `json:"ocsp_stapled"`
	SCTs      int     `json:"scts"`
	Verified  bool    `json:"verified"`
	// NotVerified is why not.
	NotVerified string              `json:"not_verified,omitempty"`
	Chain       []certificateFields `json:"chain"`
}

type certificateFields struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Names     []string  `json:"names,omitempty"`
	Key       string    `json:"key"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	SHA256    string    `json:"sha256"`
}

func summarize(conn *tls.Conn, at target, config *tls.Config, took time.Duration) *summary {
	state := conn.ConnectionState()
	s := &summary{
		Target: at.String(), Peer: conn.RemoteAddr().String(),
		Duration: float64(took.Microseconds()) / 1000,
		Version:  tls.VersionName(state.Version),
		Suite:    tls.CipherSuiteName(state.CipherSuite),
		ALPN:     state.NegotiatedProtocol, SNI: config.ServerName,
		Resumed: state.DidResume,
		OCSP:    len(state.OCSPResponse) > 0, SCTs: len(state.SignedCertificateTimestamps),
		Verified: len(state.VerifiedChains) > 0,
	}
	more := conn.State()
	s.Group = groupName(state.CurveID)
	if more.ServerSignature != 0 {
		s.Signature = more.ServerSignature.String()
	}
	if !s.Verified {
		s.NotVerified = whyNotVerified(state.PeerCertificates, config)
	}
	chain := state.PeerCertificates
	if s.Verified {
		chain = state.VerifiedChains[0]
	}
	for _, c := range chain {
		s.Chain = append(s.Chain, fieldsOf(c))
	}
	return s
}

// whyNotVerified does what --insecure left out, to say what is wrong.
func whyNotVerified(chain []*x509.Certificate, config *tls.Config) string {
	if len(chain) == 0 {
		return "the server sent no certificate"
	}
	_, err := certcheck.Verify(chain, certcheck.Options{Roots: config.RootCAs, Name: config.ServerName})
	if refused, ok := errors.AsType[*certcheck.Error](err); ok {
		return refused.Reason
	}
	return "--insecure was given, though nothing is wrong with the certificate"
}

func fieldsOf(c *x509.Certificate) certificateFields {
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	digest := sha256.Sum256(c.Raw)
	return certificateFields{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Names: names, Key: keyName(c),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, SHA256: hex.EncodeToString(digest[:]),
	}
}

func keyName(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	}
	return c.PublicKeyAlgorithm.String()
}

// write writes ten lines or fewer. Everything that the peer chose is quoted.
func (s *summary) write(w io.Writer) error {
	p := paletteFor(w)
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "  %s %s\n", p.faint(fmt.Sprintf("%-11s", name)), value) }

	fmt.Fprintf(&b, "connected to %s (%s), handshake %.1f ms\n", p.bold(s.Target), s.Peer, s.Duration)
	resumed := ""
	if s.Resumed {
		resumed = ", resumed"
	}
	line("version", s.Version+resumed)
	line("suite", s.Suite)
	if s.Group != "" {
		signed := ""
		if s.Signature != "" {
			signed = ", signed with " + s.Signature
		}
		line("group", s.Group+signed)
	}
	if s.ALPN != "" {
		line("protocol", fmt.Sprintf("%q", s.ALPN))
	}
	if len(s.Chain) > 0 {
		leaf := s.Chain[0]
		line("certificate", fmt.Sprintf("%q, %s, %s", leaf.Subject, leaf.Key, validity(leaf, time.Now())))
		line("names", quoteSome(leaf.Names, 4))
		line("issuer", fmt.Sprintf("%q", leaf.Issuer))
	}
	if s.Verified {
		line("verified", p.good(fmt.Sprintf("chain and name %q", s.SNI)))
	} else {
		line("verified", p.bad("NO")+": "+wrap(printable(s.NotVerified), 18, 14))
	}
	if s.Client != "" {
		line("our own", "certificate "+s.Client)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func validity(c certificateFields, now time.Time) string {
	switch days := int(c.NotAfter.Sub(now).Hours() / 24); {
	case now.Before(c.NotBefore):
		return "not valid before " + c.NotBefore.Format(time.DateOnly)
	case now.After(c.NotAfter):
		return "expired on " + c.NotAfter.Format(time.DateOnly)
	default:
		return fmt.Sprintf("valid for %d more days", days)
	}
}

// quoteSome quotes the first of names and counts the others.
func quoteSome(names []string, most int) string {
	if len(names) == 0 {
		return "none"
	}
	var quoted []string
	for _, name := range names[:min(most, len(names))] {
		quoted = append(quoted, fmt.Sprintf("%q", name))
	}
	s := strings.Join(quoted, ", ")
	if more := len(names) - most; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}
