package explain

import (
	"cmp"
	"crypto/dsa" //lint:ignore SA1019 DHE_DSS suites have no other key
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// wordsOf are the few that matter about a message.
func wordsOf(m *Message) string {
	text := ""
	switch p := m.parsed.(type) {
	case *wire.ClientHello:
		text = clientHelloWords(p)
	case *wire.ServerHello:
		text = serverHelloWords(p)
	case *wire.EncryptedExtensions:
		text = words.Join(alpnWords(p.Extensions), extensionCount(p.Extensions))
	case *wire.Certificate:
		text = certificateWords(p)
	case *wire.CompressedCertificate:
		text = compressedWords(m, p)
	case *wire.SSL2ClientHello:
		text = words.Join("in the format of SSL 2.0", "asks for "+p.Version.String(), words.Count(len(p.CipherSpecs), "suite"))
	case *wire.HelloRequest:
		text = "asks for a new handshake"
	case *wire.CertificateRequest:
		text = "asks for the client's certificate"
	case *wire.CertificateVerify:
		text = m.schemeWords(p.Scheme)
	case *wire.ServerKeyExchange:
		text = words.Join(quoted("hint", p.Hint), groupOf(p))
		if p.Signature != nil {
			text = words.Join(text, m.schemeWords(p.Scheme))
		}
	case *wire.ClientKeyExchange:
		text = words.Join(quoted("identity", p.Identity), exchangeWords(m.ctx.KeyExchange))
	case *wire.NewSessionTicket:
		text = words.Join(words.Size(len(p.Ticket)), "good for "+lifetime(p.Lifetime))
	case *wire.KeyUpdate:
		if p.Request == wire.UpdateRequested {
			text = "asks the peer to do the same"
		}
	case *wire.CertificateStatus:
		text = "OCSP response" + words.Between + words.Size(len(p.Response))
		if p.Responses != nil {
			text = words.Count(len(p.Responses), "OCSP response") + words.Between + words.Size(len(slices.Concat(p.Responses...)))
		}
	}
	return verdict(m, text)
}

// schemeWords name a signature; up to TLS 1.1 the key alone says what it is.
func (m *Message) schemeWords(named wire.SignatureScheme) string {
	if named == 0 {
		named = m.scheme
	}
	return named.String()
}

func quoted(name string, b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return name + " " + strconv.Quote(string(b))
}

// exchangeWords say what a client adds to the key exchange.
func exchangeWords(k wire.KeyExchange) string {
	switch {
	case k.Encrypted():
		return "premaster secret, encrypted with the server's RSA key"
	case k.PSK() && k.Share() == wire.ShareNone:
		return ""
	}
	return "its public key"
}

// verdict adds what the checks of a message say.
func verdict(m *Message, text string) string {
	if m.Malformed != "" {
		return words.Join(text, "✗ malformed")
	}
	result := ""
	for _, c := range m.Checks {
		switch {
		case c.Result == Differs:
			what, _, _ := strings.Cut(c.What, ":")
			return words.Join(text, "✗ "+what+" wrong")
		case c.Result == Agrees:
			result = "✓"
		}
	}
	switch {
	case result == "":
		return text
	case text == "":
		return "verified " + result
	}
	return text + " " + result
}

func clientHelloWords(p *wire.ClientHello) string {
	versions := []wire.Version{p.LegacyVersion}
	_, _ = p.Extensions.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { versions = wire.ReadSupportedVersions(r, nil) })
	var names []string
	for _, v := range versions {
		if !wire.IsGREASE(v) {
			names = append(names, strings.TrimPrefix(v.String(), "TLS "))
		}
	}
	suites := 0
	for _, s := range p.CipherSuites {
		if !wire.IsGREASE(s) && s != wire.TLS_EMPTY_RENEGOTIATION_INFO_SCSV && s != wire.TLS_FALLBACK_SCSV {
			suites++
		}
	}
	host := ""
	_, _ = p.Extensions.Read(wire.ExtServerName, func(r *wire.Reader) { host = wire.ReadServerName(r) })
	if host != "" {
		host = "for " + host
	}
	var shares []string
	_, _ = p.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) {
		for _, s := range wire.ReadKeyShares(r, nil) {
			if !wire.IsGREASE(s.Group) {
				shares = append(shares, s.Group.String())
			}
		}
	})
	keyShares := ""
	if len(shares) > 0 {
		keyShares = "key share " + strings.Join(shares, ", ")
	}
	resume := ""
	ticket, _ := p.Extensions.Find(wire.ExtSessionTicket)
	switch {
	case p.Extensions.Has(wire.ExtPreSharedKey):
		resume = "offers a PSK"
	case len(ticket) > 0:
		resume = "offers a ticket"
	case len(p.SessionID) > 0 && len(shares) == 0:
		resume = "offers a session ID"
	}
	speaks := strings.Join(names, ", ")
	if !strings.HasPrefix(speaks, "SSL") {
		speaks = "TLS " + speaks
	}
	again := ""
	if renegotiates(p.Extensions) {
		again = "renegotiates"
	}
	compressed := ""
	if slices.Contains(p.CompressionMethods, wire.CompressionDeflate) {
		compressed = "DEFLATE"
	}
	return words.Join(again, speaks, words.Count(suites, "suite"), keyShares, host, alpnWords(p.Extensions), compressed, resume)
}

func serverHelloWords(p *wire.ServerHello) string {
	if p.IsRetry() {
		var g wire.NamedGroup
		_, _ = p.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { g = wire.U16[wire.NamedGroup](r, "selected_group") })
		if g == 0 {
			return "try again, with this cookie"
		}
		return "wants a key share in " + g.String()
	}
	group := ""
	_, _ = p.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { group = wire.ReadKeyShare(r).Group.String() })
	resumed := ""
	if p.Extensions.Has(wire.ExtPreSharedKey) {
		resumed = "accepts the PSK"
	}
	compressed := ""
	if p.CompressionMethod == wire.CompressionDeflate {
		compressed = "DEFLATE"
	}
	return words.Join(helloVersion(p).String(), suiteWords(p.CipherSuite), group, alpnWords(p.Extensions), compressed, resumed)
}

// renegotiates reports that a hello is tied to a handshake before it.
func renegotiates(x wire.Extensions) bool {
	var tie []byte
	_, _ = x.Read(wire.ExtRenegotiationInfo, func(r *wire.Reader) { tie = wire.ReadRenegotiationInfo(r) })
	return len(tie) > 0
}

// suiteWords names the parts of a suite; its whole name stands at the top.
func suiteWords(id wire.CipherSuite) string {
	s := suite.ByID(id)
	if s == nil {
		return id.String()
	}
	exchange := ""
	switch {
	case s.KeyExchange == wire.KeyExchangeNone:
	case s.KeyExchange.Signed():
		exchange = s.KeyExchange.String() + "-" + s.Auth.String()
	default:
		exchange = s.KeyExchange.String()
	}
	mac := ""
	if s.MAC != nil {
		mac = s.MAC.Name
	}
	return words.Join(exchange, s.Cipher.Name, mac)
}

func alpnWords(x wire.Extensions) string {
	var list [][]byte
	_, _ = x.Read(wire.ExtALPN, func(r *wire.Reader) { list = wire.ReadALPN(r, nil) })
	if len(list) == 0 {
		return ""
	}
	names := make([]string, len(list))
	for i, b := range list {
		names[i] = string(b)
	}
	return "ALPN " + strings.Join(names, ", ")
}

func extensionCount(x wire.Extensions) string {
	n := len(x)
	if x.Has(wire.ExtALPN) {
		n--
	}
	switch {
	case n > 0:
		return words.Count(n, "extension")
	case len(x) == 0:
		return "none"
	}
	return ""
}

// compressedWords say how a chain was compressed, how far, and whose it is.
func compressedWords(m *Message, p *wire.CompressedCertificate) string {
	text := p.Algorithm.String()
	if p.Length > 0 {
		text += fmt.Sprintf(": %s of %s bytes (%d %%)", words.Thousands(len(p.Compressed)), words.Thousands(int(p.Length)), 100*int64(len(p.Compressed))/int64(p.Length))
	}
	if m.Inner != nil {
		if in, ok := m.Inner.parsed.(*wire.Certificate); ok {
			text = words.Join(text, certificateWords(in))
		}
	}
	return text
}

func certificateWords(p *wire.Certificate) string {
	if len(p.Entries) == 0 {
		return "none"
	}
	cert, err := x509.ParseCertificate(p.Entries[0].DER)
	if err != nil {
		return "cannot be read"
	}
	return words.Join(subject(cert), keyName(cert), "by "+issuer(cert))
}

// subject is whom a certificate names, as far as one line allows.
func subject(cert *x509.Certificate) string {
	switch {
	case len(cert.DNSNames) > 0:
		return cert.DNSNames[0]
	case cert.Subject.CommonName != "":
		return cert.Subject.CommonName
	case len(cert.IPAddresses) > 0:
		return cert.IPAddresses[0].String()
	}
	return cert.Subject.String()
}

func issuer(cert *x509.Certificate) string {
	switch {
	case cert.Issuer.String() == cert.Subject.String():
		return "itself"
	case cert.Issuer.CommonName != "":
		return cert.Issuer.CommonName
	}
	return cert.Issuer.String()
}

// keyName names a certificate's key: "RSA 2048", "ECDSA P-256", "Ed25519".
func keyName(cert *x509.Certificate) string {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case *dsa.PublicKey:
		return fmt.Sprintf("DSA %d", key.P.BitLen())
	}
	return cmp.Or(otherkeys.Name(cert), otherkeys.ShownKey(cert), cert.PublicKeyAlgorithm.String())
}

func lifetime(seconds uint32) string {
	d := time.Duration(seconds) * time.Second
	if rounded := d.Round(time.Minute); d > time.Hour { // servers deduct the seconds that a session is old
		d = rounded
	}
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= 2*time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return d.String()
}
