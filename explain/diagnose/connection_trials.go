package diagnose

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// connectionTrials find out why a connection fails although the server has taken the hello: it is
// made again as it was, and then each time without one thing.
func (t *trialist) connectionTrials() *Verdict {
	if t.way.Config == nil || !t.may(2) {
		return nil
	}
	const again = "the same connection again"
	same := func(*tls.Config) {}
	if field := t.hello.resumes(); field != "" {
		a := t.whole("a connection that resumes no session", same)
		if !a.agreed {
			return nil
		}
		return t.concludes("resumption-intolerant", Likely, "the server breaks off where it is to resume a session: a full handshake completes",
			append(t.helloShows(field), a.evidence("without the session: "+a.text))...)
	}
	if t.failed = t.whole(again, same); t.failed.agreed {
		return t.intermittent("connection", t.failed, func() answer { return t.whole(again, same) })
	}
	for _, c := range connectionChanges {
		if !c.applies(t) || !t.may(1) {
			continue
		}
		if a := t.whole(c.asks, c.change); a.agreed || c.asks == withOne && a.rejected(t.failed) {
			return c.concludes(t, a)
		}
	}
	return nil
}

// whole makes a whole connection, and hears whether the server keeps it: in TLS 1.3 it refuses
// a client only after the client's handshake has ended.
func (t *trialist) whole(asks string, change func(*tls.Config)) answer {
	withTickets := func(c *tls.Config) {
		if t.takesTickets() {
			c.ClientSessionCache = &oneSession{} // or the hello is another
		}
		change(c)
	}
	return t.connect(asks, "", withTickets, func(conn *tls.Conn) (string, error) {
		if t.way.HTTP {
			fmt.Fprintf(conn, "HEAD / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", t.wanted())
		}
		conn.SetReadDeadline(time.Now().Add(min(t.way.Patience, time.Second)))
		_, err := conn.Read(make([]byte, 1))
		if e, ok := errors.AsType[net.Error](err); err == nil || errors.Is(err, io.EOF) || ok && e.Timeout() {
			return "and it stays", nil
		}
		return "", err
	})
}

// takesTickets reports that the client wants a ticket, of either kind.
func (t *trialist) takesTickets() bool {
	return t.hello.Extensions.Has(wire.ExtSessionTicket) || t.hello.Extensions.Has(wire.ExtPSKKeyExchangeModes)
}

// rejected reports that the server looked at a certificate and rejects it, where it failed in
// another way before.
func (a answer) rejected(before answer) bool {
	return a.end == scan.Alerted && !a.like(before) && slices.Contains(aboutCertificates, a.alert)
}

// A connectionChange is one thing in which a connection differs.
type connectionChange struct {
	asks      string
	applies   func(*trialist) bool
	change    func(*tls.Config)
	concludes func(*trialist, answer) *Verdict
}

const withOne = "with a client certificate that was made for this trial"

// connectionChanges are tried in this order: what is about one message comes before what
// changes them all.
var connectionChanges = []connectionChange{
	{"without a client certificate", func(t *trialist) bool { return t.client.leaf() != nil },
		func(c *tls.Config) { c.Certificates, c.GetClientCertificate = nil, nil },
		func(t *trialist, a answer) *Verdict {
			if strings.HasPrefix(t.first.Cause, "client-certificate-") { // it says more than that it is the certificate
				t.first.Evidence = append(t.first.Evidence, a.evidence("without a client certificate the server takes the client"))
				return t.first
			}
			return t.breaks("client-certificate-refused", "refuses the client's certificate: without one it takes the client", a)
		}},
	{withOne, func(t *trialist) bool { return t.asked() && t.client.leaf() == nil },
		func(c *tls.Config) {
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return throwaway() }
		},
		func(t *trialist, a answer) *Verdict {
			v := t.breaks("client-certificate-missing", "requires a certificate of the client, and the client showed none: with one, even of nobody's, it goes on", a)
			if !a.agreed {
				v.Sentence = "the server requires a certificate of the client, and the client showed none: it looks at one, and then it is that one that it refuses"
			}
			v.Confidence = Certain
			return v
		}},
	{"without hybrid groups", func(t *trialist) bool { return slices.ContainsFunc(t.hello.groups, hybrid) && t.version >= wire.TLS13 },
		func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384} },
		func(t *trialist, a answer) *Verdict {
			return t.breaks("hybrid-intolerant", "takes hybrid key exchange, and breaks off then: without it the handshake completes", a)
		}},
	{"without extended master secret", func(t *trialist) bool {
		return t.answer != nil && t.answer.Extensions.Has(wire.ExtExtendedMasterSecret) && !t.way.Config.RequireExtendedMasterSecret
	}, func(c *tls.Config) { c.Legacy.NoExtendedMasterSecret = true }, extensionBreaks(wire.ExtExtendedMasterSecret)},
	{"without session tickets", (*trialist).takesTickets,
		func(c *tls.Config) { c.SessionTicketsDisabled = true }, extensionBreaks(wire.ExtSessionTicket)},
	{"without ALPN", func(t *trialist) bool { return len(t.hello.protocols) > 0 },
		func(c *tls.Config) { c.NextProtos = nil }, extensionBreaks(wire.ExtALPN)},
	{"without TLS 1.3", func(t *trialist) bool { return t.version >= wire.TLS13 && t.hello.offers12() },
		func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
		func(t *trialist, a answer) *Verdict {
			return t.breaks("version-intolerant", "picks TLS 1.3, and breaks off then: in TLS 1.2 the handshake completes", a)
		}},
}

// extensionBreaks concludes that a handshake fails where an extension is in it.
func extensionBreaks(e wire.ExtensionType) func(*trialist, answer) *Verdict {
	return func(t *trialist, a answer) *Verdict {
		return t.breaks("extension-intolerant", "takes a hello with "+e.String()+", and breaks off then: without it the handshake completes", a)
	}
}

// breaks makes the verdict where one change of a connection has helped. What is on the way
// might break it as well.
func (t *trialist) breaks(id, what string, a answer) *Verdict {
	return t.concludes(id, Likely, "the server "+what,
		t.failed.evidence("the same connection fails again: "+t.failed.text), a.evidence("with that one change: "+a.text))
}

// throwaway is a certificate that nobody trusts, with a key that nobody keeps.
func throwaway() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "a trial of vitrine"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
