package passive

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// handshake is what the messages of one run of the handshake have agreed on.
type handshake struct {
	before  *handshake
	hello   *wire.ClientHello // nil where it was not seen
	answer  *wire.ServerHello // nil before it has come
	version wire.Version
	suite   *suite.Suite // nil: not known, or not before the answer
	// schedule is that of a version up to TLS 1.2.
	schedule *keys.Schedule

	transcript transcript
	// concealed is the hello inside the client's, nil where it is not known or does not count.
	concealed *concealed
	// torn: messages may be missing, so the transcript is not that of the two sides.
	torn bool
	// late is the transcript of a client that is authenticated after the handshake.
	late *transcript

	// exchanged: the ClientKeyExchange was seen, and exchange is what it says; session is
	// the hash of the transcript up to it.
	exchanged bool
	exchange  wire.ClientKeyExchange
	session   []byte
	leaf      []byte // the server's certificate
	opened    int    // how many RSA keys were tried in vain
	ticket    []byte // the one that the server gave, up to TLS 1.2
	resumed   bool

	master []byte
	block  keys.KeyBlock
	// source says where the master secret is from, in words.
	source string
	alone  *alone // nil but in TLS 1.3 with a pre-shared key that suffices
	// told are the secrets that were reported.
	told     map[string]bool
	finished [wire.Server + 1]bool
}

// schedules are those of the versions before TLS 1.3.
var schedules = map[wire.Version]*keys.Schedule{wire.SSL30: keys.SSL30, wire.TLS10: keys.TLS10, wire.TLS11: keys.TLS11, wire.TLS12: keys.TLS12}

// hash is that of the transcript; nil while it is not known.
func (hs *handshake) hash() *suite.Hash {
	switch {
	case hs.suite == nil:
		return nil
	case hs.schedule != nil:
		return hs.schedule.Hash(hs.suite)
	}
	return hs.suite.Hash
}

// random is the client's, nil where it is not known.
func (hs *handshake) random() []byte {
	if hs == nil || hs.hello == nil {
		return nil
	}
	return hs.hello.Random
}

// agreed is the last handshake up to hs that has a ServerHello; nil where there is none.
func (hs *handshake) agreed() *handshake {
	for hs != nil && hs.answer == nil {
		hs = hs.before
	}
	return hs
}

// context is that of a message of from's. hs may be nil.
func (hs *handshake) context(from wire.Role) wire.Context {
	c := wire.Context{From: from}
	if a := hs.agreed(); a != nil {
		c.Version = a.version
		if a.suite != nil {
			c.KeyExchange = a.suite.KeyExchange
		}
	}
	return c
}

// is13 reports that TLS 1.3 was picked.
func (hs *handshake) is13() bool { return hs != nil && hs.version >= wire.TLS13 }

// complete reports that both Finished were seen.
func (hs *handshake) complete() bool {
	return hs.finished[wire.Client] && hs.finished[wire.Server]
}

// newHandshake begins a run of the handshake. Of those before only the last that was
// agreed on is kept.
func (l *Listener) newHandshake() *handshake {
	hs := &handshake{before: l.hs.agreed(), told: map[string]bool{}}
	if hs.before != nil {
		hs.before.before = nil
	}
	l.hs = hs
	return hs
}

func (l *Listener) clientHello(d *direction, raw []byte, ssl2 bool) {
	l.tell(d, raw, ssl2, false)
	raw = bytes.Clone(raw) // the hello is kept
	hello := new(wire.ClientHello)
	if ssl2 {
		m := new(wire.SSL2ClientHello)
		if wire.Decode(m, raw, wire.Context{}, nil) != nil {
			return
		}
		hello = m.Hello()
	} else if wire.Decode(hello, raw[wire.HeaderLen:], wire.Context{}, nil) != nil {
		return
	}
	if l.sum.ClientHello == nil {
		l.sum.ClientHello = raw
	}
	first := l.hs == nil || !l.hs.retried()
	if !first && l.again(d, hello) {
		return
	}
	if first {
		l.newHandshake()
	}
	l.hs.hello = hello
	l.hs.transcript.add(raw)
	l.sum.hello(hello)
	if first {
		l.hs.concealed = l.reveal(d, hello)
	}
	l.beginEarly(d)
}

// retried: a HelloRetryRequest was seen, and what comes is the second ClientHello.
func (hs *handshake) retried() bool { return hs.answer == nil && hs.is13() }

func (l *Listener) serverHello(raw []byte) {
	raw = bytes.Clone(raw)
	answer := new(wire.ServerHello)
	if wire.Decode(answer, raw[wire.HeaderLen:], wire.Context{}, nil) != nil {
		return
	}
	hs := l.hs
	if hs == nil || hs.answer != nil { // whose ClientHello was not seen
		hs = l.newHandshake()
		hs.torn = true
	}
	hs.version, hs.suite = versionOf(answer), suite.ByID(answer.CipherSuite)
	hs.schedule = schedules[hs.version]
	l.judge(hs, raw, answer)
	if h := hs.hash(); h != nil {
		if answer.IsRetry() {
			hs.transcript.retry(h)
		}
		hs.transcript.use(h)
	}
	hs.transcript.add(raw)
	if answer.IsRetry() {
		l.sum.HelloRetry = true
		return
	}
	hs.answer = answer
	l.sum.ServerHello = raw
	hs.resumed = !hs.is13() && hs.hello != nil && len(answer.SessionID) > 0 && bytes.Equal(answer.SessionID, hs.hello.SessionID)
	l.sum.answer(hs)
	if hs.is13() {
		l.beginAlone(hs)
		l.enter(&l.dirs[wire.Server], handshaking)
		if c := &l.dirs[wire.Client]; c.stage == inClear {
			l.enter(c, handshaking)
		}
	}
}

// versionOf is the version that a ServerHello selects. RFC 8446 §4.2.1.
func versionOf(m *wire.ServerHello) wire.Version {
	v := m.LegacyVersion
	_, _ = m.Extensions.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { v = wire.U16[wire.Version](r, "selected_version") })
	return v
}

// uses reports that both hellos have an extension, which agrees on what it stands for.
func (hs *handshake) uses(t wire.ExtensionType) bool {
	return hs.answer != nil && hs.answer.Extensions.Has(t)
}
