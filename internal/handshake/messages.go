package handshake

import "github.com/vitrine-tls/vitrine/wire"

// messages holds one of each message that the flows use often, so that a handshake
// from the pool allocates none.
type messages struct {
	encrypted wire.EncryptedExtensions
	cert      wire.Certificate
	request   wire.CertificateRequest
	verify    wire.CertificateVerify
	status    wire.CertificateStatus
	serverKey wire.ServerKeyExchange
	clientKey wire.ClientKeyExchange
	done      wire.ServerHelloDone
	finished  wire.Finished
	ticket    wire.NewSessionTicket
}

// pooled is where the State has room for a received message of each type. A
// message that is rare needs no row.
var pooled = [256]func(*State) wire.Message{
	wire.TypeClientHello:         func(s *State) wire.Message { return &s.hello },
	wire.TypeServerHello:         func(s *State) wire.Message { return &s.answer },
	wire.TypeEncryptedExtensions: func(s *State) wire.Message { return &s.msg.encrypted },
	wire.TypeCertificate:         func(s *State) wire.Message { return &s.msg.cert },
	wire.TypeCertificateRequest:  func(s *State) wire.Message { return &s.msg.request },
	wire.TypeCertificateVerify:   func(s *State) wire.Message { return &s.msg.verify },
	wire.TypeCertificateStatus:   func(s *State) wire.Message { return &s.msg.status },
	wire.TypeServerKeyExchange:   func(s *State) wire.Message { return &s.msg.serverKey },
	wire.TypeClientKeyExchange:   func(s *State) wire.Message { return &s.msg.clientKey },
	wire.TypeServerHelloDone:     func(s *State) wire.Message { return &s.msg.done },
	wire.TypeFinished:            func(s *State) wire.Message { return &s.msg.finished },
	wire.TypeNewSessionTicket:    func(s *State) wire.Message { return &s.msg.ticket },
	SSL2Hello:                    func(*State) wire.Message { return new(wire.SSL2ClientHello) },
}

// blank returns a message of type t to parse into.
func (s *State) blank(t wire.HandshakeType) wire.Message {
	if f := pooled[t]; f != nil {
		return f(s)
	}
	return wire.NewMessage(t)
}
