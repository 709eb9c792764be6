package handshake

import (
	"context"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A Certificate of TLS 1.3 may go compressed, in a message of its own. Each side says by
// compress_certificate what it takes: the client in its hello, the server in its
// CertificateRequest. RFC 8879.

const (
	// maxInflated is the most bytes of a Certificate that came compressed: what one may
	// have that did not.
	maxInflated = 256 << 10
	// maxRatio is the most bytes of it for each byte that came. Chains of certificates
	// shrink to a half or a quarter, by their keys and signatures.
	maxRatio = 100
)

func offerCertCompressions(s *State, b []byte) ([]byte, bool) {
	if len(s.Config.CertCompressions) == 0 || !s.isServer() && !s.offers13() {
		return b, false
	}
	var list []wire.CertificateCompression
	for i := range s.Config.CertCompressions {
		list = append(list, s.Config.CertCompressions[i].ID)
	}
	return wire.AppendCertificateCompressions(b, list), true
}

func readCertCompressions(o *Offer, r *wire.Reader) {
	o.CertCompressions = wire.ReadCertificateCompressions(r, o.CertCompressions[:0])
}

// compressed is when a CompressedCertificate of from's comes, or may come, in place of the
// Certificate that when is about. uncompressed is when that comes.
func compressed(from wire.Role, when func(*State) Need) func(*State) Need {
	return func(s *State) Need {
		switch {
		case len(s.Config.CertCompressions) == 0 || when(s) == No:
			return No
		case s.Role == from:
			return must(s.pickCompression() != nil)
		}
		return May
	}
}

func uncompressed(from wire.Role, when func(*State) Need) func(*State) Need {
	return func(s *State) Need {
		if s.compressedFrom == from {
			return No
		}
		return when(s)
	}
}

// pickCompression is the first of our algorithms that the peer takes; nil for none.
func (s *State) pickCompression() *certcompress.Algorithm {
	theirs := s.Offer.CertCompressions
	if !s.isServer() {
		if s.request == nil {
			return nil
		}
		theirs = s.request.compressions
	}
	for i := range s.Config.CertCompressions {
		if a := &s.Config.CertCompressions[i]; slices.Contains(theirs, a.ID) {
			return a
		}
	}
	return nil
}

// sendCompressedCertificate leaves the message out where it would save nothing. Then the
// Certificate follows.
func sendCompressedCertificate(s *State, ctx context.Context) (wire.Message, error) {
	send := sendCertificate
	if !s.isServer() {
		send = sendClientCertificate
	}
	m, err := send(s, ctx)
	if err != nil {
		return nil, err
	}
	cert := m.(*wire.Certificate)
	if err := chainFits(cert); err != nil || len(cert.Entries) == 0 {
		return nil, err
	}
	s.out = cert.Append(s.out[:0], s.context(s.Role))
	a := s.pickCompression()
	small, err := shrunk(a, s.out, len(cert.RequestContext) == 0)
	if err != nil {
		return nil, fault(wire.AlertInternalError, "the certificate could not be compressed by "+a.ID.String(), "RFC 8879 §4", err)
	}
	gain := len(small) > 0 && (len(small)+8 < len(s.out) || a.Always)
	s.choseCompression(a, len(s.out), len(small), gain)
	if !gain {
		return nil, nil
	}
	s.compressedFrom = s.Role
	if s.Hooks.Inner != nil {
		s.inflated = slices.Clone(s.out)
	}
	return &wire.CompressedCertificate{Algorithm: a.ID, Length: uint32(len(s.out)), Compressed: small}, nil
}

// MaxInflated is how many bytes may come out of n.
func MaxInflated(n int) int64 { return min(maxInflated, maxRatio*int64(n)) }

// recvCompressedCertificate inflates what the peer has sent, within what its length and
// ours allow, and goes on as if it had come as it was.
func recvCompressedCertificate(s *State, ctx context.Context, msg wire.Message) error {
	m := msg.(*wire.CompressedCertificate)
	i := slices.IndexFunc(s.Config.CertCompressions, func(a certcompress.Algorithm) bool { return a.ID == m.Algorithm })
	if i < 0 {
		return fault(wire.AlertIllegalParameter, "the peer compressed its certificate by "+m.Algorithm.String()+", which was not offered", "RFC 8879 §4", nil)
	}
	if most := MaxInflated(len(m.Compressed)); int64(m.Length) > most {
		return fault(wire.AlertBadCertificate, fmt.Sprintf("the peer's certificate is said to inflate from %d bytes to %d; the most we take is %d",
			len(m.Compressed), m.Length, most), "RFC 8879 §4", nil)
	}
	body := make([]byte, m.Length)
	if err := s.Config.CertCompressions[i].Decompress(body, m.Compressed); err != nil {
		return fault(wire.AlertBadCertificate, "the peer's compressed certificate does not inflate to what it says", "RFC 8879 §4", err)
	}
	s.compressedFrom = s.Role.Peer()
	s.inflated = body
	s.reportInflated(trace.Received)
	if err := wire.Decode(&s.msg.cert, body, s.context(s.Role.Peer()), nil); err != nil {
		return syntax(err)
	}
	return recvCertificate(s, ctx, &s.msg.cert)
}

// reportInflated tells the trace of the Certificate inside the message that has just gone or
// come, if it had one.
func (s *State) reportInflated(dir trace.Direction) {
	if s.inflated == nil {
		return
	}
	if s.Hooks.Inner != nil {
		n := len(s.inflated)
		s.Hooks.Inner(trace.Inner{Dir: dir, Raw: append([]byte{byte(wire.TypeCertificate), byte(n >> 16), byte(n >> 8), byte(n)}, s.inflated...)})
	}
	s.inflated = nil
}
