package passive

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// stage is which keys of TLS 1.3 protect a direction.
type stage uint8

const (
	inClear stage = iota
	early
	handshaking
	application
)

// nameLate is the RFC's name of the secret behind a Finished after the handshake. RFC 8446 §4.4.
const nameLate = "client_application_traffic_secret_N"

func nameHandshake(from wire.Role) string { return from.String() + "_handshake_traffic_secret" }

func nameTraffic(from wire.Role, n int) string {
	return fmt.Sprintf("%v_application_traffic_secret_%d", from, n)
}

// traffic are the traffic secrets by stage and side: their lines in a key log, and how
// the keys made of them are called.
var traffic = map[stage]map[wire.Role]struct{ log, name, label string }{
	early: {wire.Client: {logEarly, "client_early_traffic_secret", "early data"}},
	handshaking: {
		wire.Client: {logClientHandshake, nameHandshake(wire.Client), "handshake"},
		wire.Server: {logServerHandshake, nameHandshake(wire.Server), "handshake"}},
	application: {
		wire.Client: {logClientTraffic, nameTraffic(wire.Client, 0), "application"},
		wire.Server: {logServerTraffic, nameTraffic(wire.Server, 0), "application"}},
}

// trafficOf is a traffic secret, nil where it is not known; it is reported the first
// time. The client's early one fits suites of its hash only.
func (l *Listener) trafficOf(hs *handshake, at stage, from wire.Role) []byte {
	if hs == nil || hs.suite == nil {
		return nil
	}
	row := traffic[at][from]
	return l.known(hs, row.log, row.name)
}

// known is a secret by its line in a key log, reported the first time; nil where it is
// not known.
func (l *Listener) known(hs *handshake, line, name string) []byte {
	value, how, ref := l.secret13(hs, line)
	if value != nil && !hs.told[name] {
		l.secret(hs, trace.Secret{Name: name, How: how, Hash: hs.suite.Hash.Name, Value: value, Ref: ref})
	}
	return value
}

// reveal13 reports what the log gives from the server's Finished on.
func (l *Listener) reveal13(hs *handshake) {
	if hs.suite == nil {
		return
	}
	l.trafficOf(hs, application, wire.Client)
	l.trafficOf(hs, application, wire.Server)
	l.known(hs, logExporter, "exporter_master_secret")
}

// opener13 makes what opens records under a traffic secret.
func opener13(s *suite.Suite, secret []byte, name, label string) *opener {
	key, iv := make([]byte, s.Cipher.KeyLen), make([]byte, s.Cipher.FixedIVLen)
	keys.TrafficKeys(s, secret, key, iv)
	o := newOpener(record.Params{Version: wire.TLS13, Suite: s, Key: key, IV: iv})
	o.name, o.label, o.secret, o.source = name, label, secret, "the key log"
	return o
}

// openerAt makes what opens a side's records at that stage; nil where it is not known.
func (l *Listener) openerAt(hs *handshake, at stage, from wire.Role) *opener {
	secret := l.trafficOf(hs, at, from)
	if secret == nil || hs.suite.Cipher.AEAD == nil {
		return nil
	}
	row := traffic[at][from]
	o := opener13(hs.suite, secret, row.name, row.label)
	if _, how, _ := l.secret13(hs, row.log); how == fromPSK {
		o.source = "the pre-shared key"
	}
	return o
}

// finished13 reports what a Finished should say, from the secret base that is called from.
func (l *Listener) finished13(hs *handshake, side wire.Role, t *transcript, from string, base []byte) {
	if base == nil || hs.torn || t == nil || t.hash == nil {
		return
	}
	h, digest := hs.suite.Hash, t.sum()
	key := make([]byte, h.Size)
	keys.ExpandLabel(h, key, base, keys.LabelFinished, nil)
	name := side.String() + "_finished_key"
	l.secret(hs, trace.Secret{Name: name, How: "HKDF-Expand-Label", From: from, Label: keys.LabelFinished, InputIs: "nothing",
		Hash: h.Name, Value: key, Ref: "RFC 8446 §4.4.4"})
	l.secret(hs, trace.Secret{Name: side.String() + "_verify_data", How: "HMAC", From: name, Input: digest, InputIs: "the handshake so far",
		Hash: h.Name, Value: keys.Finished13(h, nil, base, digest), Ref: "RFC 8446 §4.4.4"})
}

// nextOpener is that after a KeyUpdate, the n-th of its direction. It tells nothing yet.
func (o *opener) nextOpener(from wire.Role, n int) *opener {
	s := o.params.Suite
	secret := keys.NextTrafficSecret(s.Hash, nil, o.secret)
	next := opener13(s, secret, nameTraffic(from, n), fmt.Sprintf("application, update %d", n))
	next.before = nameTraffic(from, n-1)
	return next
}

// tellUpdate reports the secret of a KeyUpdate.
func (l *Listener) tellUpdate(hs *handshake, o *opener) {
	l.secret(hs, trace.Secret{Name: o.name, How: "HKDF-Expand-Label", From: o.before, Label: keys.LabelTrafficUpdate, InputIs: "nothing",
		Hash: o.params.Suite.Hash.Name, Value: o.secret, Ref: "RFC 8446 §7.2"})
}
