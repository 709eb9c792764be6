package rogue

import (
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// What a peer may send that an honest run of the flow does not have. A victim that
// completes a handshake of such messages is right.

// A step is a message that is due.
type step struct {
	name string
	may  bool // be left out
}

// steps are what a victim has to be sent.
func (s *Stage) steps(victim wire.Role, honest []Unit) (steps []step) {
	kx := suite.ByID(s.Flow.Suite).KeyExchange
	for _, u := range honest {
		x := step{name: u.String()}
		switch {
		case s.ignorable(victim, u, nil):
			continue
		case x.name == serverHelloDone && victim == wire.Client:
			if kx.PSK() && kx.Share() == wire.ShareNone {
				steps = may(steps, wire.TypeServerKeyExchange) // which has only a hint
			}
			if kx.Certificate() && !kx.PSK() {
				steps = may(steps, wire.TypeCertificateRequest)
			}
		case x.name == certificate && victim == wire.Client && s.Flow.Version == wire.TLS13:
			steps = may(steps, wire.TypeCertificateRequest)
		case x.name == certificateStatus:
			x.may = true // RFC 6066 §8
		}
		steps = append(steps, x)
	}
	return steps
}

var (
	serverHelloDone   = wire.TypeServerHelloDone.String()
	certificate       = wire.TypeCertificate.String()
	certificateStatus = wire.TypeCertificateStatus.String()
	newSessionTicket  = wire.TypeNewSessionTicket.String()
)

// may makes a message that stands last optional, whether it is there or not.
func may(steps []step, typ wire.HandshakeType) []step {
	if n := len(steps); n > 0 && steps[n-1].name == typ.String() {
		steps[n-1].may = true
		return steps
	}
	return append(steps, step{typ.String(), true})
}

// ignorable reports what a victim has to pass over, behind what it got before.
func (s *Stage) ignorable(victim wire.Role, u Unit, before []Unit) bool {
	old := s.Flow.Version < wire.TLS13
	changed := slices.ContainsFunc(before, func(u Unit) bool { return u.Type == wire.ContentChangeCipherSpec })
	switch {
	case u.Type == wire.ContentChangeCipherSpec: // RFC 8446 §5, appendix D.4
		return !old && s.Flow.further == 0 && u.Clear && string(u.Body) == "\x01" && (victim == wire.Client || len(before) > 0 || before == nil)
	case u.Type == wire.ContentAlert:
		return len(u.Body) == 2 && passes(wire.Alert{Level: wire.AlertLevel(u.Body[0]), Code: wire.AlertCode(u.Body[1])}, old)
	case u.Type == wire.ContentApplicationData: // while a handshake goes on inside a connection
		return s.Flow.further != 0 && old && !changed
	case u.String() == wire.TypeHelloRequest.String(): // RFC 5246 §7.4.1.1
		return victim == wire.Client && old && !changed && len(u.Body) == 4
	case s.Flow.further != 0 && !old && victim == wire.Client: // it is an open connection of TLS 1.3
		return u.String() == newSessionTicket || u.String() == wire.TypeKeyUpdate.String()
	}
	return false
}

// passes reports an alert that ends nothing: up to TLS 1.2 a warning, but
// close_notify (RFC 5246 §7.2.2), and in TLS 1.3, where the level means nothing,
// user_canceled (RFC 8446 §6.1). Before its first message a victim may not know which
// it is.
func passes(a wire.Alert, old bool) bool {
	known := a.Level == wire.LevelWarning || a.Level == wire.LevelFatal
	return a.Level == wire.LevelWarning && a.Code != wire.AlertCloseNotify || !old && known && a.Code == wire.AlertUserCanceled
}

// legal reports whether what a victim was sent is a handshake.
func (s *Stage) legal(victim wire.Role, honest, sent []Unit) bool {
	steps := s.steps(victim, honest)
	for i, u := range sent {
		if s.ignorable(victim, u, sent[:i:i]) || len(steps) == 0 && u.Type == wire.ContentApplicationData {
			continue
		}
		for len(steps) > 0 && steps[0].may && steps[0].name != u.String() {
			steps = steps[1:]
		}
		if len(steps) == 0 || steps[0].name != u.String() {
			return false
		}
		steps = steps[1:]
	}
	return !slices.ContainsFunc(steps, func(x step) bool { return !x.may })
}
