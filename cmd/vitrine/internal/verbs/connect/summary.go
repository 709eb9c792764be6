package connect

import (
	"cmp"
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
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// summary is what vitrine connect says of a connection.
type summary struct {
	Target    string  `json:"target"`
	Peer      string  `json:"peer"`
	Duration  float64 `json:"handshake_ms"`
	Version   string  `json:"version"`
	Suite     string  `json:"suite"`
	Exchange  string  `json:"key_exchange"`
	Group     string  `json:"group,omitempty"`
	DHBits    int     `json:"dh_bits,omitempty"`
	Signature string  `json:"signature,omitempty"`
	ALPN      string  `json:"alpn,omitempty"`
	SNI       string  `json:"sni,omitempty"`
	Resumed   bool    `json:"resumed"`
	// Resumption is how: "none", "id", "ticket" or "psk".
	Resumption  string `json:"resumption"`
	PSKIdentity string `json:"psk_identity,omitempty"`
	PSKHint     string `json:"psk_hint,omitempty"`
	Compression string `json:"compression,omitempty"`
	// SendLimit and ReceiveLimit are the most bytes of a record, where less than
	// usual was agreed on.
	SendLimit      int    `json:"send_limit,omitempty"`
	ReceiveLimit   int    `json:"receive_limit,omitempty"`
	Renegotiations int    `json:"renegotiations,omitempty"`
	Client         string `json:"client_certificate,omitempty"`
	OCSP           bool   `json:"ocsp_stapled"`
	SCTs           int    `json:"scts"`
	Verified       bool   `json:"verified"`
	// NotVerified is why not.
	NotVerified string `json:"not_verified,omitempty"`
	// Warnings are what is weak, and what was asked for and not granted.
	Warnings []string            `json:"warnings,omitempty"`
	Chain    []certificateFields `json:"chain"`
}

type certificateFields struct {
	Subject   string    `json:"subject"`
	common    string    // the subject's common name, if it has one
	Issuer    string    `json:"issuer"`
	Names     []string  `json:"names,omitempty"`
	Key       string    `json:"key"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	SHA256    string    `json:"sha256"`
}

func summarize(conn *tls.Conn, at flags.Target, config *tls.Config, took time.Duration) *summary {
	state := conn.ConnectionState()
	s := &summary{
		Target: at.String(), Peer: conn.RemoteAddr().String(),
		Duration: float64(took.Microseconds()) / 1000,
		Version:  wire.Version(state.Version).String(),
		Suite:    tls.CipherSuiteName(state.CipherSuite),
		ALPN:     state.NegotiatedProtocol, SNI: config.ServerName,
		Resumed: state.DidResume,
		OCSP:    len(state.OCSPResponse) > 0, SCTs: len(state.SignedCertificateTimestamps),
		Verified: len(state.VerifiedChains) > 0,
	}
	s.addState(conn.State())
	if !s.Verified {
		s.NotVerified = whyNotVerified(state.PeerCertificates, config)
	}
	chain := state.PeerCertificates
	if len(state.VerifiedChains) > 0 {
		chain = state.VerifiedChains[0]
	}
	for _, c := range chain {
		s.Chain = append(s.Chain, fieldsOf(c))
	}
	return s
}

// addState adds what crypto/tls does not tell.
func (s *summary) addState(state tls.State) {
	s.Exchange, s.Group, s.DHBits = state.KeyExchange, flags.GroupName(tls.CurveID(state.Group)), state.DHBits
	if state.ServerSignature != 0 {
		s.Signature = state.ServerSignature.String()
	}
	if state.Compression != wire.CompressionNull {
		s.Compression = state.Compression.String()
	}
	s.Resumption, s.PSKIdentity, s.Renegotiations = state.Resumption, state.PSKIdentity, state.Renegotiations
	s.SendLimit, s.ReceiveLimit = state.SendLimit, state.ReceiveLimit
	s.Verified = s.Verified || suite.ByID(state.CipherSuite).Auth == suite.AuthPSK // the key proves who it is
	s.Warnings = warnings(state)
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
		Subject: c.Subject.String(), common: c.Subject.CommonName, Issuer: c.Issuer.String(), Names: names, Key: keyName(c),
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

// resumptionNames are those of Resumption, for people.
var resumptionNames = map[string]string{"id": "session ID", "ticket": "ticket", "psk": "pre-shared key"}

// write writes ten lines or fewer for what is usual, and one more for each thing
// that is not. Everything that the peer chose is quoted.
func (s *summary) write(w io.Writer) error {
	p := terminal.PaletteFor(w)
	var b strings.Builder
	row := func(paint func(string) string, name, value string) {
		fmt.Fprintf(&b, "  %s %s\n", paint(fmt.Sprintf("%-11s", name)), terminal.Wrap(value, 14, 14))
	}
	line := func(name, value string) { row(p.Faint, name, value) }
	fmt.Fprintf(&b, "connected to %s (%s), handshake %.1f ms\n", p.Bold(s.Target), s.Peer, s.Duration)
	s.writeAgreed(line)
	if len(s.Chain) > 0 {
		leaf := s.Chain[0]
		line("certificate", fmt.Sprintf("%q, %s, %s", cmp.Or(leaf.common, leaf.Subject), leaf.Key, validity(leaf, time.Now())))
		line("names", quoteSome(leaf.Names, 4))
		line("issuer", fmt.Sprintf("%q", leaf.Issuer))
	}
	switch {
	case s.Verified && len(s.Chain) > 0:
		line("verified", p.Good(fmt.Sprintf("chain and name %q", s.SNI)))
	case s.Verified:
		line("verified", p.Good("the server has the pre-shared key"))
	default:
		line("verified", p.Bad("NO")+": "+terminal.Printable(s.NotVerified))
	}
	if s.Client != "" {
		line("our own", "certificate "+s.Client)
	}
	for _, warning := range s.Warnings {
		row(p.Bad, "warning", warning)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeAgreed writes what the two sides agreed on.
func (s *summary) writeAgreed(line func(name, value string)) {
	version := s.Version
	if s.Resumed {
		version += ", resumed by " + resumptionNames[s.Resumption]
	}
	line("version", version)
	line("suite", s.Suite)
	group := s.Group
	if s.DHBits > 0 && group == "" {
		group = fmt.Sprintf("one of %d bits", s.DHBits)
	}
	if s.Signature != "" {
		group += ", signed with " + s.Signature
	}
	if group != "" {
		line("group", group)
	}
	if s.PSKIdentity != "" {
		hint := ""
		if s.PSKHint != "" {
			hint = fmt.Sprintf(", after the hint %q", s.PSKHint)
		}
		line("psk", fmt.Sprintf("we are %q%s", s.PSKIdentity, hint))
	}
	if s.ALPN != "" {
		line("protocol", fmt.Sprintf("%q", s.ALPN))
	}
	if s.Compression != "" {
		line("compression", s.Compression)
	}
	if s.SendLimit > 0 || s.ReceiveLimit > 0 {
		line("records", fmt.Sprintf("at most %s to send, %s to receive", bytesOf(s.SendLimit), bytesOf(s.ReceiveLimit)))
	}
	if s.Renegotiations > 0 {
		line("handshakes", "two: the second was a renegotiation")
	}
}

// bytesOf names the limit of a record; 0 is the usual one.
func bytesOf(limit int) string { return fmt.Sprintf("%d bytes", cmp.Or(limit, 16384)) }

func validity(c certificateFields, now time.Time) string {
	switch days := int(c.NotAfter.Sub(now).Hours() / 24); {
	case now.Before(c.NotBefore):
		return "not valid before " + c.NotBefore.Format(time.DateOnly)
	case now.After(c.NotAfter):
		return "expired on " + c.NotAfter.Format(time.DateOnly)
	case days == 1:
		return "valid for 1 more day"
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
