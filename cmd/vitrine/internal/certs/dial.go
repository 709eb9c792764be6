package certs

import (
	"bytes"
	"context"
	"crypto/x509"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Shown is what a server shows of itself. It is taken off the wire, so that what no
// handshake would accept can be seen too.
type Shown struct {
	Chain   [][]byte // in DER
	Staples [][]byte // the OCSP response for each of Chain; those that are missing are empty
}

// dial asks a server for its certificates, and verifies none of them.
func dial(ctx context.Context, reach flags.Reach, at flags.Target, config *tls.Config) (*Source, error) {
	raw, err := reach.Dial(ctx, at)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	var seen Shown
	config.Trace = &trace.Hooks{Message: seen.Message}
	conn := tls.Client(raw, config)
	err = conn.HandshakeContext(ctx)
	if len(seen.Chain) == 0 && err != nil {
		return nil, report.WhileShakingHands(err)
	}
	if err == nil {
		conn.Close()
	}
	s := &Source{Target: at.String(), Host: config.ServerName, Staples: seen.Staples}
	for _, der := range seen.Chain {
		c, err := x509.ParseCertificate(der)
		s.Items = append(s.Items, Item{Kind: ACertificate, Form: "TLS", DER: der, Certificate: c, Err: err})
	}
	for _, der := range seen.Staples {
		if staple, err := readOCSP(der, nil); len(der) > 0 && err == nil {
			staple[0].Form = "stapled"
			s.Items = append(s.Items, staple...)
		}
	}
	return s, nil
}

// Message takes the certificates and staples of one connection, in the order in which its
// messages are traced.
func (s *Shown) Message(m trace.Message) {
	if m.Dir != trace.Received || m.PostHandshake || len(m.Raw) < wire.HeaderLen {
		return
	}
	body := m.Raw[wire.HeaderLen:]
	switch wire.HandshakeType(m.Raw[0]) {
	case wire.TypeCertificate:
		var sent wire.Certificate
		if wire.Decode(&sent, body, m.Context, nil) != nil {
			return // the handshake ends with the reason
		}
		s.Chain, s.Staples = nil, nil
		for _, e := range sent.Entries {
			s.Chain = append(s.Chain, bytes.Clone(e.DER))
			s.Staples = append(s.Staples, stapleOf(e))
		}
	case wire.TypeCertificateStatus:
		var status wire.CertificateStatus
		if wire.Decode(&status, body, m.Context, nil) == nil {
			s.Staples = nil
			for _, der := range append(status.Responses, status.Response) { // one of the two is empty
				s.Staples = append(s.Staples, bytes.Clone(der))
			}
		}
	}
}

// stapleOf is the OCSP response beside a certificate in TLS 1.3. RFC 8446 §4.4.2.1.
func stapleOf(e wire.CertificateEntry) []byte {
	var status wire.CertificateStatus
	if _, err := e.Extensions.Read(wire.ExtStatusRequest, func(r *wire.Reader) { status.Parse(r, wire.Context{Version: wire.TLS13}) }); err != nil {
		return nil
	}
	return bytes.Clone(status.Response)
}
