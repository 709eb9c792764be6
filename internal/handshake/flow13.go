package handshake

import (
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// flow13 is the handshake of TLS 1.3, with a retry and without, after the first
// ClientHello. RFC 8446 §2, §D.4 for the change_cipher_spec records, which only
// their sender walks: received ones are dropped below the flow.
var flow13 = []Step{
	{wire.TypeServerHello, wire.Server, retrying, sendHelloRetry, recvHelloRetry, nil},
	{ChangeCipherSpec, wire.Server, compatibleRetry(wire.Server), nil, nil, nil},
	{ChangeCipherSpec, wire.Client, compatibleRetry(wire.Client), nil, nil, nil},
	{wire.TypeClientHello, wire.Client, retrying, sendSecondHello, recvSecondHello, nil},

	{wire.TypeServerHello, wire.Server, always, sendServerHello13, recvServerHello13, secrets13},
	{ChangeCipherSpec, wire.Server, compatible(wire.Server), nil, nil, nil},
	{wire.TypeEncryptedExtensions, wire.Server, always, sendEncryptedExtensions, recvEncryptedExtensions, nil},
	{wire.TypeCertificateRequest, wire.Server, asksForCertificate13, sendCertificateRequest13, recvCertificateRequest13, nil},
	{wire.TypeCompressedCertificate, wire.Server, compressed(wire.Server, shows), sendCompressedCertificate, recvCompressedCertificate, nil},
	{wire.TypeCertificate, wire.Server, uncompressed(wire.Server, shows), sendCertificate, recvCertificate, nil},
	{wire.TypeCertificateVerify, wire.Server, shows, sendCertificateVerify, recvCertificateVerify, nil},
	{wire.TypeFinished, wire.Server, always, sendFinished, recvFinished, application13},

	{wire.TypeNewSessionTicket, wire.Server, halfwayTicket13, sendHalfwayTicket13, nil, moreTickets13},
	{wire.TypeEndOfEarlyData, wire.Client, endsEarly, sendEndOfEarlyData, recvEndOfEarlyData, endEarly},
	{ChangeCipherSpec, wire.Client, compatible(wire.Client), nil, nil, nil},
	{wire.TypeCompressedCertificate, wire.Client, compressed(wire.Client, asked), sendCompressedCertificate, recvCompressedCertificate, nil},
	{wire.TypeCertificate, wire.Client, uncompressed(wire.Client, asked), sendClientCertificate, recvCertificate, nil},
	{wire.TypeCertificateVerify, wire.Client, certified, sendCertificateVerify, recvCertificateVerify, nil},
	{wire.TypeFinished, wire.Client, always, sendFinished, recvFinished, complete13},

	{wire.TypeNewSessionTicket, wire.Server, ticket13, sendTicket13, nil, moreTickets13},
}

// shows: a PSK stands in for the server's certificate, unless they go together. RFC 8446
// §4.4.2, RFC 9973 §4.
func shows(s *State) Need { return must(!s.psk() || s.beside) }

func asksForCertificate13(s *State) Need {
	if shows(s) == No {
		return No
	}
	return asksForCertificate(s)
}

func retrying(s *State) Need { return must(s.retry) }

// compatible: each side sends one change_cipher_spec for middleboxes, the server
// after its first message, the client before its second flight. The client does so
// where it has asked for the same by a legacy_session_id; the server always, since
// what is between them is there for every client. QUIC has no such records. RFC 8446 §D.4,
// RFC 9001 §8.4.
func compatible(role wire.Role) func(*State) Need {
	return func(s *State) Need {
		return must(s.Role == role && (s.sessionLen > 0 || s.isServer()) && !s.ccsSent && s.Config.QUIC == nil)
	}
}

// OwesCCS reports that a client has yet to send its change_cipher_spec, which goes
// before whatever it protects first: an alert, where the server's flight is wrong.
func (s *State) OwesCCS() bool {
	return s.profile != nil && s.profile.PlainCCS && compatible(wire.Client)(s) == Must
}

func compatibleRetry(role wire.Role) func(*State) Need {
	return func(s *State) Need {
		if !s.retry {
			return No
		}
		return compatible(role)(s)
	}
}

// ticket13: the client takes tickets whenever they come, see post.go. Over QUIC the
// application says when to send one, see [SendTicket].
func ticket13(s *State) Need {
	if s.Result.EarlyData == EarlyAccepted && s.ticketsSent > 0 {
		return No // see halfwayTicket13
	}
	return ticket13NotYet(s)
}

func ticket13NotYet(s *State) Need {
	return must(s.isServer() && s.WantsTickets() && s.Config.QUIC == nil && s.ticketsDue() > 0)
}

// WantsTickets reports that tickets are on, and of use to the client. A certificate beside a
// PSK leaves none: what resumes it would have neither. RFC 9973 §5.
func (s *State) WantsTickets() bool {
	return s.Config.Tickets && !s.beside && slices.Contains(s.Offer.PSKModes, wire.PSKModeDHE)
}
