package handshake

import (
	"context"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// The key schedule of RFC 8446 §7.1, each step computed and reported in one place.

// step13 describes a Derive-Secret to the trace.
type step13 struct{ name, from, label, is, ref string }

// expand appends Derive-Secret(secret, label, digest's messages) to dst.
func (s *State) expand(h *suite.Hash, dst, secret []byte, x step13, digest []byte) []byte {
	out := keys.DeriveSecret(h, dst, secret, x.label, digest)
	if s.Hooks.Secret != nil {
		s.Hooks.Secret(trace.Secret{Name: x.name, How: "HKDF-Expand-Label", From: x.from, Label: x.label, Input: digest,
			InputIs: x.is, Hash: h.Name, Value: out[len(dst):], Ref: x.ref})
	}
	return out
}

// earlySecret starts the schedule, with a PSK or, where p is nil, without.
func (s *State) earlySecret(h *suite.Hash, p *pskOffer) {
	var psk []byte
	if p != nil {
		psk = p.secret
		s.reportPSK(p)
	}
	keys.Extract(h, s.early[:0], nil, psk)
	if s.Hooks.Secret != nil {
		x := trace.Secret{Name: p.called("early_secret"), How: "HKDF-Extract", Salt: "0", From: p.called("psk"), Input: psk, InputIs: "the PSK", Hash: h.Name, Value: s.early[:h.Size], Ref: "RFC 8446 §7.1"}
		if psk == nil {
			x.From, x.Input, x.InputIs = "", make([]byte, h.Size), "zeros, as there is no PSK"
		}
		s.Hooks.Secret(x)
	}
}

// secrets13 follows the ServerHello: both sides change to the handshake keys.
func secrets13(s *State, _ context.Context) error {
	h := s.Result.Suite.Hash
	if s.psk() {
		s.earlySecret(h, &s.key)
	} else {
		s.earlySecret(h, nil)
	}
	shared, from, is := s.shared, "shared_secret", "the shared secret"
	if s.withoutDH {
		shared, from, is = nil, "", "zeros, as there is no key exchange"
	} else if s.Hooks.Secret != nil {
		s.Hooks.Secret(trace.Secret{Name: "shared_secret", How: "ECDHE " + s.Result.Group.String(), Value: shared, Ref: "RFC 8446 §7.4"})
	}
	derived := s.expand(h, s.verify[:0], s.early[:h.Size], step13{"derived_early", "early_secret", keys.LabelDerived, "the empty string", "RFC 8446 §7.1"}, keys.EmptyHash(h))
	keys.Extract(h, s.handshake[:0], derived, shared)
	if s.Hooks.Secret != nil {
		if s.withoutDH {
			shared = make([]byte, h.Size)
		}
		s.Hooks.Secret(trace.Secret{Name: "handshake_secret", How: "HKDF-Extract", Salt: "derived_early", From: from, Input: shared,
			InputIs: is, Hash: h.Name, Value: s.handshake[:h.Size], Ref: "RFC 8446 §7.1"})
	}
	clear(shared)

	digest := s.transcript.sum(s.digest[:0])
	const upTo = "ClientHello..ServerHello"
	s.expand(h, s.clientHS[:0], s.handshake[:h.Size], step13{"client_handshake_traffic_secret", "handshake_secret", keys.LabelClientHandshakeTraffic, upTo, "RFC 8446 §7.1"}, digest)
	s.expand(h, s.serverHS[:0], s.handshake[:h.Size], step13{"server_handshake_traffic_secret", "handshake_secret", keys.LabelServerHandshakeTraffic, upTo, "RFC 8446 §7.1"}, digest)
	if err := s.logKey("CLIENT_HANDSHAKE_TRAFFIC_SECRET", s.clientHS[:h.Size]); err != nil {
		return err
	}
	if err := s.logKey("SERVER_HANDSHAKE_TRAFFIC_SECRET", s.serverHS[:h.Size]); err != nil {
		return err
	}
	return s.handshakeKeys13()
}

// handshakeKeys13 changes to the handshake keys. What a client protects with those of
// early data comes before: see endEarly. QUIC has both side by side. RFC 9001 §4.1.4.
func (s *State) handshakeKeys13() error {
	server := func() Keys {
		return newKeys(s.keyBlock[:], s.Result.Suite, s.serverHS[:s.Result.Suite.Hash.Size], handshakeSecret(wire.Server), "handshake")
	}
	if s.isServer() {
		s.records.InstallOut(server())
		if s.Result.EarlyData == EarlyAccepted {
			if err := s.installIn(s.earlyKeys(s.Result.Suite)); err != nil || s.Config.QUIC == nil {
				return err
			}
		}
		return s.installIn(s.clientKeys13())
	}
	if s.early13.offered && s.resumed == nil {
		s.dropEarly("the server does not take the session")
	}
	if !s.early13.offered || s.Config.QUIC != nil {
		s.records.InstallOut(s.clientKeys13())
	}
	return s.installIn(server())
}

// handshakeSecret is the RFC's name of the secret that r writes with in the handshake.
func handshakeSecret(r wire.Role) string {
	if r == wire.Server {
		return "server_handshake_traffic_secret"
	}
	return "client_handshake_traffic_secret"
}

// keysRoom is how many bytes newKeys needs for the longest key and IV.
const keysRoom = 32 + 12

// newKeys derives a direction's keys from its traffic secret, in room. RFC 8446 §7.3.
func newKeys(room []byte, c *suite.Suite, secret []byte, name, label string) Keys {
	key, iv := room[:c.Cipher.KeyLen], room[32:32+c.Cipher.FixedIVLen]
	keys.TrafficKeys(c, secret, key, iv)
	return Keys{Params: record.Params{Version: c.Min, Suite: c, Key: key, IV: iv, Secret: secret}, SecretName: name, Label: label}
}

// application13 follows the server's Finished: the server writes, and the
// client will read, under the application keys.
func application13(s *State, _ context.Context) error {
	h, r := s.Result.Suite.Hash, s.Result
	derived := s.expand(h, s.verify[:0], s.handshake[:h.Size], step13{"derived_handshake", "handshake_secret", keys.LabelDerived, "the empty string", "RFC 8446 §7.1"}, keys.EmptyHash(h))
	keys.Extract(h, s.master[:0], derived, nil)
	if s.Hooks.Secret != nil {
		s.Hooks.Secret(trace.Secret{Name: "master_secret", How: "HKDF-Extract", Salt: "derived_handshake", Input: make([]byte, h.Size),
			InputIs: "zeros", Hash: h.Name, Value: s.master[:h.Size], Ref: "RFC 8446 §7.1"})
	}
	digest := s.transcript.sum(s.digest[:0])
	const upTo = "ClientHello..server Finished"
	master := s.master[:h.Size]
	s.expand(h, s.clientApp[:0], master, step13{"client_application_traffic_secret_0", "master_secret", keys.LabelClientTraffic, upTo, "RFC 8446 §7.1"}, digest)
	s.expand(h, s.serverApp[:0], master, step13{"server_application_traffic_secret_0", "master_secret", keys.LabelServerTraffic, upTo, "RFC 8446 §7.1"}, digest)
	s.expand(h, r.Secrets.Master[:0], master, step13{"exporter_master_secret", "master_secret", keys.LabelExporter, upTo, "RFC 8446 §7.1"}, digest)
	for _, k := range []struct {
		label  string
		secret []byte
	}{{"CLIENT_TRAFFIC_SECRET_0", s.clientApp[:h.Size]}, {"SERVER_TRAFFIC_SECRET_0", s.serverApp[:h.Size]}, {"EXPORTER_SECRET", r.Secrets.Master[:h.Size]}} {
		if err := s.logKey(k.label, k.secret); err != nil {
			return err
		}
	}
	k := newKeys(s.keyBlock[:], r.Suite, s.serverApp[:h.Size], "server_application_traffic_secret_0", "application")
	if s.isServer() {
		s.records.InstallOut(k)
		return nil
	}
	if err := s.installIn(k); err != nil {
		return err
	}
	return s.approve() // before our certificate goes to a server that is not approved of
}

// resumptionMaster is the secret of this connection's tickets.
func (s *State) resumptionMaster(digest []byte) {
	h := s.Result.Suite.Hash
	s.expand(h, s.Result.Secrets.Resumption[:0], s.master[:h.Size], step13{"resumption_master_secret", "master_secret", keys.LabelResumptionMaster, "ClientHello..client Finished", "RFC 8446 §7.1"}, digest)
}

// complete13 follows the client's Finished, the last message of the handshake.
func complete13(s *State, _ context.Context) error {
	h, r := s.Result.Suite.Hash, s.Result
	digest := s.transcript.sum(s.digest[:0])
	if s.Result.EarlyData != EarlyAccepted || s.ticketsSent == 0 { // else it was foretold
		s.resumptionMaster(digest)
	}
	s.keepTranscript()
	k := newKeys(s.keyBlock[:], r.Suite, s.clientApp[:h.Size], "client_application_traffic_secret_0", "application")
	if s.isServer() {
		if err := s.installIn(k); err != nil || s.early13.approved {
			return err
		}
		return s.approve()
	}
	s.records.InstallOut(k)
	return s.refusedECH()
}

// verifyData13 is the content of role's Finished. RFC 8446 §4.4.4.
func verifyData13(s *State, role wire.Role) []byte {
	h := s.Result.Suite.Hash
	base := s.clientHS[:h.Size]
	if role == wire.Server {
		base = s.serverHS[:h.Size]
	}
	digest := s.transcript.sum(s.digest[:0])
	out := keys.Finished13(h, s.verify[:0], base, digest)
	name := handshakeSecret(role)
	if s.late {
		name = lateSecret
	}
	reportFinished13(s.Hooks, h, role, name, base, digest, out)
	return out
}

// reportFinished13 reports how verifyData follows from base, which is called from.
func reportFinished13(hooks *trace.Hooks, h *suite.Hash, role wire.Role, from string, base, digest, verifyData []byte) {
	if hooks.Secret == nil {
		return
	}
	key := make([]byte, h.Size)
	keys.ExpandLabel(h, key, base, keys.LabelFinished, nil)
	name := role.String() + "_finished_key"
	hooks.Secret(trace.Secret{Name: name, How: "HKDF-Expand-Label", From: from, Label: keys.LabelFinished, InputIs: "nothing",
		Hash: h.Name, Value: key, Ref: "RFC 8446 §4.4.4"})
	hooks.Secret(trace.Secret{Name: role.String() + "_verify_data", How: "HMAC", From: name, Input: digest, InputIs: "the handshake so far",
		Hash: h.Name, Value: verifyData, Ref: "RFC 8446 §4.4.4"})
}

// NextKeys replaces a traffic secret by its successor and derives the keys.
// update counts from 1. secret is overwritten. RFC 8446 §7.2.
func NextKeys(c *suite.Suite, secret []byte, from wire.Role, update int, hooks *trace.Hooks) Keys {
	old := fmt.Sprintf("%s_application_traffic_secret_%d", from, update-1)
	name := fmt.Sprintf("%s_application_traffic_secret_%d", from, update)
	keys.NextTrafficSecret(c.Hash, secret[:0], secret)
	if hooks != nil && hooks.Secret != nil {
		hooks.Secret(trace.Secret{Name: name, How: "HKDF-Expand-Label", From: old, Label: keys.LabelTrafficUpdate, InputIs: "nothing",
			Hash: c.Hash.Name, Value: secret, Ref: "RFC 8446 §7.2"})
	}
	return newKeys(make([]byte, keysRoom), c, secret, name, fmt.Sprintf("application, update %d", update))
}
