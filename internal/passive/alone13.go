package passive

import (
	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/wire"
)

// fromPSK marks a secret of TLS 1.3 that follows from a pre-shared key alone.
const fromPSK = "pre-shared key"

// alone is the key schedule of TLS 1.3 where a pre-shared key is all that enters it: a
// listener that has the key has everything. RFC 8446 §4.2.9 (psk_ke), §7.1.
type alone struct {
	master, resumption []byte
	traffic            map[string][]byte // by the label of a key log
}

// beginAlone begins it after the ServerHello, if both sides do without a key exchange and
// the key is known.
func (l *Listener) beginAlone(hs *handshake) {
	if !hs.uses(wire.ExtPreSharedKey) || hs.uses(wire.ExtKeyShare) || hs.torn || hs.suite == nil || hs.hello == nil {
		return
	}
	var offered wire.OfferedPSKs
	var picked int
	_, err := hs.hello.Extensions.Read(wire.ExtPreSharedKey, offered.Read)
	_, err2 := hs.answer.Extensions.Read(wire.ExtPreSharedKey, func(r *wire.Reader) { picked = int(wire.U16[uint16](r, "selected_identity")) })
	if err != nil || err2 != nil || picked >= len(offered.Identities) {
		return
	}
	identity, h := offered.Identities[picked].Identity, hs.suite.Hash
	psk := l.keys.psk(identity)
	if x, ok := l.sessions.get(identity); psk == nil && ok && x.suite.Hash == h {
		psk = x.secret
	}
	if psk == nil {
		return
	}
	next := func(secret []byte) []byte {
		return keys.DeriveSecret(h, nil, secret, keys.LabelDerived, keys.EmptyHash(h))
	}
	secret := keys.Extract(h, nil, next(keys.Extract(h, nil, nil, psk)), nil)
	digest := hs.transcript.sum()
	hs.alone = &alone{master: keys.Extract(h, nil, next(secret), nil), traffic: map[string][]byte{
		logClientHandshake: keys.DeriveSecret(h, nil, secret, keys.LabelClientHandshakeTraffic, digest),
		logServerHandshake: keys.DeriveSecret(h, nil, secret, keys.LabelServerHandshakeTraffic, digest),
	}}
}

// goOn derives what follows the Finished of a side, with which the transcript ends now.
func (a *alone) goOn(hs *handshake, from wire.Role) {
	if a == nil || hs.torn {
		return
	}
	h, digest := hs.suite.Hash, hs.transcript.sum()
	if from == wire.Client {
		a.resumption = keys.DeriveSecret(h, nil, a.master, keys.LabelResumptionMaster, digest)
		return
	}
	for line, label := range map[string]string{logClientTraffic: keys.LabelClientTraffic, logServerTraffic: keys.LabelServerTraffic, logExporter: keys.LabelExporter} {
		a.traffic[line] = keys.DeriveSecret(h, nil, a.master, label, digest)
	}
}

// ticket13 keeps the key of a ticket for connections that resume by it.
func (l *Listener) ticket13(hs *handshake, raw []byte) {
	m := new(wire.NewSessionTicket)
	if hs.alone == nil || hs.alone.resumption == nil || wire.Decode(m, raw[wire.HeaderLen:], hs.context(wire.Server), nil) != nil {
		return
	}
	l.sessions.put(m.Ticket, left{keys.ResumptionPSK(hs.suite.Hash, nil, hs.alone.resumption, m.Nonce), hs.suite})
}

// secret13 finds a secret by its line in a key log, and says where it is from.
func (l *Listener) secret13(hs *handshake, line string) (value []byte, how, ref string) {
	if value = l.keys.secret(line, hs.random()); len(value) == hs.suite.Hash.Size {
		return value, fromLog, "RFC 9850 §2"
	}
	if hs.alone != nil {
		return hs.alone.traffic[line], fromPSK, "RFC 8446 §7.1"
	}
	return nil, "", ""
}
