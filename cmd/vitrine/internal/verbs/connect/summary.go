package connect

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Summary is what vitrine connect says of a connection.
type Summary struct {
	// Target is HOST:PORT, and Peer the address that answered.
	Target string `json:"target"`
	Peer   string `json:"peer"`
	// StartTLS is the protocol by which the server turned to TLS; empty where TLS began
	// with the first byte.
	StartTLS string `json:"starttls,omitempty"`
	// HandshakeUS is how long the handshake took, in microseconds.
	HandshakeUS int64  `json:"handshake_us"`
	Version     string `json:"version"`
	CipherSuite string `json:"cipher_suite"`
	// KeyExchange is the suite's up to TLS 1.2: "ECDHE", "DHE_PSK".
	KeyExchange string `json:"key_exchange"`
	// Group is a curve's name, or that of a finite field; DHBits is then its size.
	Group           string `json:"group,omitempty"`
	DHBits          int    `json:"dh_bits,omitempty"`
	SignatureScheme string `json:"signature_scheme,omitempty"`
	ALPN            string `json:"alpn,omitempty"`
	ServerName      string `json:"server_name,omitempty"`
	// PublicName is what everybody saw in place of ServerName, as our hello was
	// encrypted. RFC 9849.
	PublicName string `json:"public_name,omitempty"`
	// Delegated is until when the server may use the key that it has signed with, which the
	// owner of its certificate has delegated to it. RFC 9345.
	Delegated *time.Time `json:"delegated_until,omitempty"`
	// Resumed is how: "id", "ticket" or "psk"; empty for a full handshake.
	Resumed string `json:"resumed,omitempty"`
	// EarlyData is "accepted" or "refused"; empty where none was sent.
	EarlyData   string `json:"early_data,omitempty"`
	PSKIdentity string `json:"psk_identity,omitempty"`
	// PSKHint is what the server gave to help us choose the pre-shared key.
	PSKHint string `json:"psk_hint,omitempty"`
	// Compression of the records; empty for none.
	Compression string `json:"compression,omitempty"`
	// SendLimit and ReceiveLimit are the most bytes of a record, where less than
	// usual was agreed on.
	SendLimit    int `json:"send_limit,omitempty"`
	ReceiveLimit int `json:"receive_limit,omitempty"`
	// Renegotiations are the further handshakes that came to their end.
	Renegotiations int `json:"renegotiations,omitempty"`
	// ClientCertificate is what became of ours, in words.
	ClientCertificate string `json:"client_certificate,omitempty"`
	// OCSPStapled is set where the server sent a response of its authority.
	OCSPStapled bool `json:"ocsp_stapled"`
	// Revocation is what was learnt of each certificate of Chain but the root, and from
	// where; empty where nobody knew anything.
	Revocation []string `json:"revocation,omitempty"`
	// SCTs is how many signed certificate timestamps the server sent.
	SCTs     int  `json:"scts"`
	Verified bool `json:"verified"`
	// NotVerified is why not.
	NotVerified string `json:"not_verified,omitempty"`
	// RawPublicKey is the digest of the key that the server has shown without a
	// certificate; empty mostly.
	RawPublicKey string `json:"raw_public_key,omitempty"`
	newKey       bool   // it was not known before
	// Warnings are what is weak, and what was asked for and not granted.
	Warnings []string `json:"warnings,omitempty"`
	// Verdict is what was found out about the server's certificates.
	Verdict *explain.Verdict `json:"verdict,omitempty"`
	// Chain is the verified chain, or what the server sent, its own certificate first.
	Chain []Certificate `json:"chain"`
}

// Certificate is one of a chain.
type Certificate struct {
	Subject   string    `json:"subject"`
	common    string    // the subject's common name, if it has one
	Issuer    string    `json:"issuer"`
	Names     []string  `json:"names,omitempty"`
	Key       string    `json:"key"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	SHA256    string    `json:"sha256"`
}

func summarize(conn *tls.Conn, at flags.Target, config *tls.Config, took time.Duration) *Summary {
	state := conn.ConnectionState()
	s := &Summary{
		Target: at.String(), Peer: conn.RemoteAddr().String(),
		HandshakeUS: took.Microseconds(),
		Version:     wire.Version(state.Version).String(),
		CipherSuite: tls.CipherSuiteName(state.CipherSuite),
		ALPN:        state.NegotiatedProtocol, ServerName: config.ServerName,
		OCSPStapled: len(state.OCSPResponse) > 0, SCTs: len(state.SignedCertificateTimestamps),
		Verified: len(state.VerifiedChains) > 0,
	}
	if state.ECHAccepted {
		s.PublicName, _ = tls.CheckECHConfigList(config.EncryptedClientHelloConfigList)
	}
	s.addState(conn.State())
	chain := state.PeerCertificates
	if len(state.VerifiedChains) > 0 {
		chain = state.VerifiedChains[0]
	}
	for _, c := range chain {
		s.Chain = append(s.Chain, fieldsOf(c))
	}
	return s
}

// judged takes in what was found out about the server's certificates.
func (s *Summary) judged(v *explain.Verdict) {
	if s.Verdict = v; !s.Verified {
		s.NotVerified = certs.WhyNot(v)
	}
}

// addState adds what crypto/tls does not tell.
func (s *Summary) addState(state tls.State) {
	s.KeyExchange, s.Group, s.DHBits = state.KeyExchange, flags.GroupName(tls.CurveID(state.Group)), state.DHBits
	if state.ServerSignature != 0 {
		s.SignatureScheme = state.ServerSignature.String()
	}
	if state.Compression != wire.CompressionNull {
		s.Compression = state.Compression.String()
	}
	s.PSKIdentity, s.Renegotiations = state.PSKIdentity, state.Renegotiations
	if state.Resumption != "none" {
		s.Resumed = state.Resumption
	}
	if state.EarlyData != "none" {
		s.EarlyData = state.EarlyData
	}
	if d := state.Delegated; d != nil {
		until := d.Expiry.UTC()
		s.Delegated = &until
	}
	s.SendLimit, s.ReceiveLimit = state.SendLimit, state.ReceiveLimit
	s.Verified = s.Verified || suite.ByID(state.CipherSuite).Auth == suite.AuthPSK || state.PSKIdentity != "" // the key proves its identity
	if key := state.PeerRawPublicKey; key != nil {
		s.RawPublicKey, s.Verified = tls.PinString(key.Pin()), true // or the handshake had failed
	}
	s.Warnings = warnings(state)
}

func fieldsOf(c *x509.Certificate) Certificate {
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	digest := sha256.Sum256(c.Raw)
	return Certificate{
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
	return cmp.Or(otherkeys.Name(c), c.PublicKeyAlgorithm.String())
}

// resumptionNames are those of Resumed, for people.
var resumptionNames = map[string]string{"id": "session ID", "ticket": "ticket", "psk": "pre-shared key"}

// write writes ten lines or fewer for what is usual, and one more for each thing
// that is not. Everything that the peer chose is quoted.
func (s *Summary) write(w io.Writer) error {
	p := terminal.PaletteFor(w)
	var b strings.Builder
	row := func(paint func(string) string, name, value string) {
		fmt.Fprintf(&b, "  %s %s\n", paint(fmt.Sprintf("%-11s", name)), terminal.Wrap(value, 14, 14))
	}
	line := func(name, value string) { row(p.Faint, name, value) }
	fmt.Fprintf(&b, "connected to %s (%s), handshake %.1f ms\n", p.Bold(s.Target), s.Peer, float64(s.HandshakeUS)/1000)
	s.writeAgreed(line)
	if len(s.Chain) > 0 {
		leaf := s.Chain[0]
		line("certificate", fmt.Sprintf("%q, %s, %s", cmp.Or(leaf.common, leaf.Subject), leaf.Key, validity(leaf, time.Now())))
		line("names", quoteSome(leaf.Names, 4))
		line("issuer", fmt.Sprintf("%q", leaf.Issuer))
	}
	switch {
	case s.RawPublicKey != "":
		line("key", s.RawPublicKey)
		known := p.Good("it is the key that is known")
		if s.newKey {
			known = "not this time: the key is new, and remembered for the next"
		}
		line("verified", known)
	case s.Verified && len(s.Chain) > 0:
		line("verified", p.Good(fmt.Sprintf("chain and name %q", s.ServerName)))
	case s.Verified:
		line("verified", p.Good("the server has the pre-shared key"))
	default:
		line("verified", p.Bad("NO")+": "+terminal.Printable(s.NotVerified))
	}
	if s.Delegated != nil {
		line("delegated", "the server has signed with a key that the owner of its certificate lets it use until "+s.Delegated.Format(time.RFC3339))
	}
	if len(s.Revocation) > 0 {
		line("revocation", s.Revocation[0])
	}
	if v := s.Verdict; v != nil && len(v.Rules) > 0 {
		passed, failed := v.Counts()
		line("checks", strings.TrimSuffix(fmt.Sprintf("%d passed, %d failed; %s", passed, failed, v.Stricter()), "; "))
	}
	if s.ClientCertificate != "" {
		line("our own", "certificate "+s.ClientCertificate)
	}
	for _, warning := range s.Warnings {
		row(p.Bad, "warning", warning)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeAgreed writes what the two sides agreed on.
func (s *Summary) writeAgreed(line func(name, value string)) {
	version := s.Version
	if s.Resumed != "" {
		version += ", resumed by " + resumptionNames[s.Resumed]
		if s.EarlyData != "" {
			version += ", early data " + s.EarlyData
		}
	}
	if s.StartTLS != "" {
		line("starttls", s.StartTLS+"; what was said before TLS is not authentic")
	}
	line("version", version)
	line("suite", s.CipherSuite)
	group := s.Group
	if s.DHBits > 0 && group == "" {
		group = fmt.Sprintf("one of %d bits", s.DHBits)
	}
	if s.SignatureScheme != "" {
		group += ", signed with " + s.SignatureScheme
	}
	if group != "" {
		line("group", group)
	}
	if s.PublicName != "" {
		line("hidden", fmt.Sprintf("the name was encrypted; everybody saw %q", s.PublicName))
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

func validity(c Certificate, now time.Time) string {
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
