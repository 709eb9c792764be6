package handshake

import (
	"context"

	"github.com/vitrine-tls/vitrine/wire"
)

// flow12 is the handshake from SSL 3.0 to TLS 1.2, full and abbreviated, after
// the ClientHello. RFC 5246 §7.3, RFC 5077 §3.1, RFC 6101 §5.5.
var flow12 = []Step{
	{wire.TypeServerHello, wire.Server, always, sendServerHello12, recvServerHello12, startResumed12},

	{wire.TypeCertificate, wire.Server, certificated, sendCertificate, recvCertificate, nil},
	{wire.TypeCertificateStatus, wire.Server, status, sendCertificateStatus, recvCertificateStatus, verifyStapled},
	{wire.TypeServerKeyExchange, wire.Server, exchanges, sendServerKeyExchange, recvServerKeyExchange, nil},
	{wire.TypeCertificateRequest, wire.Server, asksForCertificate12, sendCertificateRequest12, recvCertificateRequest12, nil},
	{wire.TypeServerHelloDone, wire.Server, full, sendServerHelloDone, recvServerHelloDone, approveServer},
	{wire.TypeCertificate, wire.Client, answers, sendClientCertificate, recvCertificate, nil},
	{NoCertificate, wire.Client, uncertified, nil, recvNoCertificate, nil},
	{wire.TypeClientKeyExchange, wire.Client, full, sendClientKeyExchange, recvClientKeyExchange, (*State).master12},
	{wire.TypeCertificateVerify, wire.Client, certified, sendCertificateVerify, recvCertificateVerify, nil},
	{ChangeCipherSpec, wire.Client, full, nil, nil, change12(wire.Client)},
	{wire.TypeFinished, wire.Client, full, sendFinished, recvFinished, approveClient},

	{wire.TypeNewSessionTicket, wire.Server, ticket12, sendTicket12, recvTicket12, nil},
	{ChangeCipherSpec, wire.Server, always, nil, nil, change12(wire.Server)},
	{wire.TypeFinished, wire.Server, always, sendFinished, recvFinished, completeFull12},

	{ChangeCipherSpec, wire.Client, abbreviated, nil, nil, change12(wire.Client)},
	{wire.TypeFinished, wire.Client, abbreviated, sendFinished, recvFinished, completeResumed12},
}

func full(s *State) Need        { return must(s.resumed == nil) }
func abbreviated(s *State) Need { return must(s.resumed != nil) }

func certificated(s *State) Need {
	return must(s.resumed == nil && s.Result.Suite.KeyExchange.Certificate())
}

// exchanges: with a pre-shared key alone there may be a hint, or nothing to
// send. RFC 4279 §2.
func exchanges(s *State) Need {
	kx := s.Result.Suite.KeyExchange
	switch {
	case s.resumed != nil:
		return No
	case kx.Share() == wire.ShareNone && kx.PSK() && !s.isServer():
		return May
	}
	return must(kx.Share() != wire.ShareNone || kx.PSK() && s.Config.PSKHint != "")
}

// status: a server that announced a staple may still leave it out, and can send none without
// a certificate. RFC 6066 §8.
func status(s *State) Need {
	switch {
	case s.statusBy == 0 || certificated(s) == No:
		return No
	case s.isServer():
		return Must
	}
	return May
}

// asksForCertificate: the server knows, the client sees.
func asksForCertificate(s *State) Need {
	switch {
	case s.resumed != nil:
		return No
	case s.isServer():
		return must(s.Result.ClientAuth)
	}
	return May
}

func asksForCertificate12(s *State) Need {
	if !mayAskForCertificate(s.Result.Suite) {
		return No
	}
	return asksForCertificate(s)
}

// answers: in SSL 3.0 an alert may take the place of the answer.
func answers(s *State) Need {
	if asked(s) == Must && s.profile.NoCertificateAlert && s.isServer() {
		return May
	}
	return asked(s)
}

func uncertified(s *State) Need {
	return must(asked(s) == Must && s.profile.NoCertificateAlert && !s.answered)
}

// asked: the client answers a request, if only to say that it has nothing.
func asked(s *State) Need { return must(s.resumed == nil && s.Result.ClientAuth) }

// certified: who sent a certificate proves that the key is its own.
func certified(s *State) Need {
	if s.isServer() {
		return must(s.Result.ClientAuth && s.resumed == nil && s.Result.Peer.known())
	}
	return must(s.request != nil && len(s.certificate.Certificate) > 0)
}

func ticket12(s *State) Need { return must(s.wantTicket) }

func startResumed12(s *State, _ context.Context) error {
	if s.resumed == nil {
		return nil
	}
	return s.resumeMaster12()
}

// completeFull12: in a resumption the server's Finished comes first, and proves it to
// the client before the client says its last word.
func completeFull12(s *State, ctx context.Context) error {
	if s.resumed != nil {
		return approveServer(s, ctx)
	}
	if err := s.refusedECH(); err != nil {
		return err
	}
	s.keepSession12(ctx)
	return nil
}

func completeResumed12(s *State, ctx context.Context) error {
	if err := approveClient(s, ctx); err != nil {
		return err
	}
	s.keepSession12(ctx)
	return nil
}

// approveServer: a client asks before it shows who it is, or an impostor would get its
// certificate, its signature and a complete handshake.
func approveServer(s *State, _ context.Context) error {
	if s.isServer() {
		return nil
	}
	s.keepsStaples()
	return s.approve()
}

// approveClient: a server asks before it says the last word, or a client that is
// refused would keep a session.
func approveClient(s *State, _ context.Context) error {
	if !s.isServer() {
		return nil
	}
	return s.approve()
}

// approve asks the application, when all is known that it decides by.
func (s *State) approve() error {
	if !s.Config.Verify {
		return nil
	}
	if err := s.Config.VerifyConnection(s); err != nil {
		return s.refuse(err)
	}
	return nil
}

// Keyed reports whether VerifyConnection is asked when the secrets are there. A client
// of a full handshake up to TLS 1.2 asks before, and so does a server that takes early data.
func (s *State) Keyed() bool {
	return !s.Asking() && (s.isServer() || s.resumed != nil || s.profile.schedule == nil)
}

// Asking reports that a server asks VerifyConnection before it takes early data: its own flight
// is not sent then, and there is no secret to export from.
func (s *State) Asking() bool { return s.early13.asking }
