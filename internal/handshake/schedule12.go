package handshake

import (
	"context"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// The key schedule up to TLS 1.2: which one, the profile says.

// secret reports a value of the key schedule to the trace.
func (s *State) secret(x trace.Secret) {
	if s.Hooks.Secret != nil {
		s.Hooks.Secret(x)
	}
}

// hash is that of the transcript and of the key schedule.
func (s *State) hash() *suite.Hash { return s.profile.hashOf(s.Result.Suite) }

func (p *Profile) hashOf(c *suite.Suite) *suite.Hash {
	if p.schedule == nil {
		return c.Hash
	}
	return p.schedule.Hash(c)
}

// master12 turns the premaster into the master secret. RFC 5246 §8.1, RFC 7627 §4.
func (s *State) master12(context.Context) error {
	r, h, schedule := s.Result, s.hash(), s.profile.schedule
	premaster := trace.Secret{Name: "premaster_secret", How: s.exchangeName(), Value: s.shared, Ref: "RFC 5246 §8.1"}
	if r.Suite.KeyExchange.PSK() {
		premaster.From, premaster.Salt, premaster.Ref = "psk", "other_secret", "RFC 4279 §2"
	}
	s.secret(premaster)
	x := trace.Secret{Name: "master_secret", How: "PRF", From: "premaster_secret", Hash: h.Name}
	if r.ExtendedMasterSecret {
		digest := s.transcript.sum(s.digest[:0])
		schedule.ExtendedMaster(h, s.master[:0], s.shared, digest)
		x.Label, x.Input, x.InputIs, x.Ref = keys.LabelExtendedMasterSecret, digest, "ClientHello..ClientKeyExchange", "RFC 7627 §4"
	} else {
		schedule.Master(h, s.master[:0], s.shared, r.Secrets.ClientRandom[:], r.Secrets.ServerRandom[:])
		x.Label, x.InputIs, x.Ref = schedule.Label(keys.LabelMasterSecret), "client_random + server_random", "RFC 5246 §8.1"
		x.Input = append(append(s.sign[:0], r.Secrets.ClientRandom[:]...), r.Secrets.ServerRandom[:]...)
	}
	clear(s.shared)
	x.Value = s.master[:]
	s.secret(x)
	return s.keys12()
}

// exchangeName names the key exchange and its group, for the trace.
func (s *State) exchangeName() string {
	name := s.Result.Suite.KeyExchange.String()
	if s.Result.Group != 0 {
		name += " " + s.Result.Group.String()
	}
	return name
}

// resumeMaster12 takes the master secret from the session.
func (s *State) resumeMaster12() error {
	s.secret(trace.Secret{Name: "master_secret", How: "resumed", Value: s.master[:], Ref: "RFC 5246 §7.3"})
	return s.keys12()
}

// keys12 cuts the key block into the keys of both directions. RFC 5246 §6.3.
func (s *State) keys12() error {
	r, schedule := s.Result, s.profile.schedule
	copy(r.Secrets.Master[:], s.master[:])
	block := schedule.KeyBlock(r.Suite, s.keyBlock[:0], s.master[:], r.Secrets.ClientRandom[:], r.Secrets.ServerRandom[:])
	if s.Hooks.Secret != nil {
		s.secret(trace.Secret{Name: "key_block", How: "PRF", From: "master_secret", Label: schedule.Label(keys.LabelKeyExpansion),
			Input: append(append(s.sign[:0], r.Secrets.ServerRandom[:]...), r.Secrets.ClientRandom[:]...), InputIs: "server_random + client_random",
			Hash: s.hash().Name, Value: s.keyBlock[:schedule.KeyBlockLen(r.Suite)], Ref: "RFC 5246 §6.3"})
	}
	p := record.Params{Version: r.Version, Suite: r.Suite, EncryptThenMAC: r.EncryptThenMAC, Compression: r.Compression}
	s.clientKeys, s.serverKeys = p, p
	s.clientKeys.Key, s.clientKeys.IV, s.clientKeys.MAC = block.ClientKey, block.ClientIV, block.ClientMAC
	s.serverKeys.Key, s.serverKeys.IV, s.serverKeys.MAC = block.ServerKey, block.ServerIV, block.ServerMAC
	return s.logKey("CLIENT_RANDOM", s.master[:])
}

// change12 puts the keys of role's direction into use after its
// change_cipher_spec. RFC 5246 §7.1.
func change12(role wire.Role) func(*State, context.Context) error {
	return func(s *State, _ context.Context) error {
		k := Keys{Params: s.clientKeys, SecretName: "key_block", Label: "client write"}
		if role == wire.Server {
			k.Params, k.Label = s.serverKeys, "server write"
		}
		if role == s.Role {
			s.records.InstallOut(k)
			return nil
		}
		return s.installIn(k)
	}
}

// verifyData12 is the content of role's Finished. RFC 5246 §7.4.9, RFC 6101 §5.6.9.
func verifyData12(s *State, role wire.Role) []byte {
	h := s.hash()
	out := s.profile.schedule.Finished(h, s.verify[:0], s.master[:], role, s.transcript.hash)
	name, label := "client_verify_data", keys.LabelClientFinished
	if role == wire.Server {
		name, label = "server_verify_data", keys.LabelServerFinished
	}
	copy(s.Result.Finished(role), out)
	if s.Hooks.Secret != nil {
		s.secret(trace.Secret{Name: name, How: "PRF", From: "master_secret", Label: s.profile.schedule.Label(label), Input: s.transcript.sum(s.digest[:0]),
			InputIs: "the handshake so far", Hash: h.Name, Value: out, Ref: "RFC 5246 §7.4.9"})
	}
	return out
}

// logKey writes a line for those who decrypt captures.
func (s *State) logKey(label string, secret []byte) error {
	if !s.Config.LogKeys {
		return nil
	}
	if err := s.Config.KeyLog(label, s.Result.Secrets.ClientRandom[:], secret); err != nil {
		return fault(wire.AlertInternalError, "the key log could not be written", "", err)
	}
	return nil
}
