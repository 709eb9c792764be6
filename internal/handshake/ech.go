package handshake

import (
	"crypto/subtle"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/hpke"
	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Encrypted Client Hello, RFC 9849. A client makes two hellos: the inner one, which it
// means, and the outer one around it, which anybody may read. What each side does stands
// in ech_client.go and ech_server.go; here is what they share.

// ech is what a handshake with the extension needs; a State without has none.
type ech struct {
	concealing // client
	opening    // server
	// accepted: the inner hello is the one that counts.
	accepted bool
	// rejected: the client's outer hello is.
	rejected bool
}

// wipe clears the inner hello and what it was encrypted under. e may be nil.
func (e *ech) wipe() {
	if e == nil {
		return
	}
	clear(e.raw)
	clear(e.message)
	e.sender.Wipe()
	e.receiver.Wipe()
}

// ECHKey is a server's key for it, with the config that clients have.
type ECHKey struct {
	Config      wire.ECHConfig
	Private     *hpke.PrivateKey
	SendAsRetry bool
}

// ECHOffer is what a client encrypts to: a config that it can use, and which of its
// suites it uses.
type ECHOffer struct {
	Config wire.ECHConfig
	Suite  wire.HPKESuite
}

// ECHInfo is what HPKE binds: the config as it was published. RFC 9849 §6.1.
func ECHInfo(config *wire.ECHConfig) []byte {
	return append([]byte("tls ech\x00"), config.Raw...)
}

// The labels of the server's word that it has taken the inner hello. RFC 9849 §7.2.
const (
	ECHAcceptLabel = "ech accept confirmation"
	ECHRetryLabel  = "hrr ech accept confirmation"
)

// echConfirmation is that word: only a side that has the inner hello knows it. digest is
// the hash of the inner handshake up to the server's message, in which the place of the
// word is zero. RFC 9849 §7.2, §7.2.1.
func (s *State) echConfirmation(h *suite.Hash, innerRandom []byte, label string, digest []byte) [wire.ECHConfirmationLen]byte {
	var room [maxHash]byte
	secret := keys.Extract(h, room[:0], nil, innerRandom)
	var out [wire.ECHConfirmationLen]byte
	keys.ExpandLabel(h, out[:], secret, label, digest)
	s.secret(trace.Secret{Name: "ech_confirmation_key", How: "HKDF-Extract", Salt: "0", Input: innerRandom,
		InputIs: "ClientHelloInner.random", Hash: h.Name, Value: secret, Ref: "RFC 9849 §7.2"})
	s.secret(trace.Secret{Name: "ech_accept_confirmation", How: "HKDF-Expand-Label", From: "ech_confirmation_key", Label: label, Input: digest,
		InputIs: "ClientHelloInner..ServerHello, the confirmation's bytes zero", Hash: h.Name, Value: out[:], Ref: "RFC 9849 §7.2"})
	return out
}

// unconfirmed is a ServerHello as the confirmation covers it: the last bytes of its
// random zero or, in a HelloRetryRequest, those of its extension. RFC 9849 §7.2, §7.2.1.
func unconfirmed(m *wire.ServerHello) []byte {
	copied := *m
	if m.IsRetry() {
		copied.Extensions = slices.Clone(m.Extensions)
		for i := range copied.Extensions {
			if copied.Extensions[i].Type == wire.ExtEncryptedClientHello {
				copied.Extensions[i].Data = make([]byte, wire.ECHConfirmationLen)
			}
		}
	} else {
		copied.Random = slices.Clone(m.Random)
		clear(echPlace(copied.Random))
	}
	return wire.AppendMessage(nil, &copied, wire.Context{})
}

// echPlace is where a ServerHello's random has the confirmation.
func echPlace(random []byte) []byte { return random[len(random)-wire.ECHConfirmationLen:] }

func sameConfirmation(a [wire.ECHConfirmationLen]byte, b []byte) bool {
	return subtle.ConstantTimeCompare(a[:], b) == 1
}

// logECH logs by what the outer hello can be opened. These two lines go by the random of
// the outer hello, all others by that of the one that counts. RFC 9850 §2.3.
func (s *State) logECH(outerRandom, shared, config []byte) error {
	if !s.Config.LogKeys || shared == nil {
		return nil
	}
	for _, line := range []struct {
		label string
		value []byte
	}{{"ECH_SECRET", shared}, {"ECH_CONFIG", config}} {
		if err := s.Config.KeyLog(line.label, outerRandom, line.value); err != nil {
			return fault(wire.AlertInternalError, "the key log could not be written", "", err)
		}
	}
	return nil
}

// reportECH tells the trace of the encapsulated secret, and of the inner hello.
func (s *State) reportECH(dir trace.Direction, shared, info, inner []byte) {
	if shared != nil {
		s.secret(trace.Secret{Name: "ech_shared_secret", How: "HPKE", Input: info, InputIs: "\"tls ech\" and the ECHConfig", Value: shared, Ref: "RFC 9849 §6.1"})
	}
	if s.Hooks.Inner != nil {
		s.Hooks.Inner(trace.Inner{Dir: dir, Raw: inner})
	}
}

// ECHRejected reports that a client goes on with its outer hello, only to learn
// securely that the server has not taken the inner one. RFC 9849 §6.1.6.
func (s *State) ECHRejected() bool { return s.ech != nil && s.ech.rejected }

// encrypted_client_hello in the table of extensions.

// offerECH: the inner hello says that it is one. In the outer one, and where there is
// none, the body is made before.
func offerECH(s *State, b []byte) ([]byte, bool) {
	switch {
	case s.ech == nil:
		return b, false
	case s.inInner():
		return append(b, byte(wire.ECHInner)), true
	}
	return append(b, s.ech.body...), true
}

// answerECH sends the configs to try next to a client that we could not read. RFC 9849 §7.1.
func answerECH(s *State, b []byte) ([]byte, bool) {
	if s.ech == nil || len(s.ech.retry) == 0 {
		return b, false
	}
	return append(b, s.ech.retry...), true
}

// acceptECH takes what the server offers to try next: only if it has not taken the
// inner hello. RFC 9849 §6.1.6, §6.2.
func acceptECH(s *State, r *wire.Reader) error {
	wire.ReadECHRetryConfigs(r)
	if s.ech.accepted {
		return fault(wire.AlertUnsupportedExtension, "the server has taken our encrypted hello, and sends configs to try again", "RFC 9849 §6.1.6", nil)
	}
	if s.ech.rejected {
		data, _ := s.msg.encrypted.Extensions.Find(wire.ExtEncryptedClientHello)
		s.ech.retry = slices.Clone(data)
	}
	return nil
}
