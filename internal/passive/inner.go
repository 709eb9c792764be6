package passive

import (
	"bytes"
	"crypto/subtle"
	"slices"

	hellos "github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/hpke"
	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Encrypted Client Hello, RFC 9849. By the lines ECH_SECRET and ECH_CONFIG of a key log the
// inner hello opens. Which of the two counts, the server's confirmation tells.

// concealed is the hello that a client has encrypted.
type concealed struct {
	opener     *hpke.Logged
	config     wire.ECHConfig
	suite      wire.HPKESuite
	hello      *wire.ClientHello
	transcript transcript // with this hello in it
	taken      bool       // by the server
}

// reveal opens the inner hello in a client's first one, if it has one and the log its secret.
func (l *Listener) reveal(d *direction, outer *wire.ClientHello) *concealed {
	var e wire.ECHClientHello
	if found, err := outer.Extensions.Read(wire.ExtEncryptedClientHello, e.Read); !found || err != nil || e.Type != wire.ECHOuter {
		return nil
	}
	shared, raw := l.keys.secret(logECHSecret, outer.Random), l.keys.secret(logECHConfig, outer.Random)
	if shared == nil || raw == nil {
		return nil
	}
	c := &concealed{suite: e.Suite}
	r := wire.NewReader(raw, nil)
	if c.config.Read(&r); r.Finish("ECHConfig") != nil || !c.config.Known() {
		return nil
	}
	info := hellos.ECHInfo(&c.config)
	var err error
	if c.opener, err = hpke.FromSecret(shared, c.config.KEM, e.Suite, info); err != nil {
		return nil
	}
	message := c.open(0, outer, &e)
	if message == nil {
		return nil
	}
	c.transcript.add(message)
	l.secret(l.hs, trace.Secret{Name: "ech_shared_secret", How: fromLog, Input: info, InputIs: "\"tls ech\" and the ECHConfig", Value: shared, Ref: "RFC 9850 §2.3"})
	l.inside(d, message)
	return c
}

// open opens the n-th hello, from 0, and keeps it. It returns the message, nil where it does not open.
func (c *concealed) open(n uint64, outer *wire.ClientHello, e *wire.ECHClientHello) []byte {
	plain, err := c.opener.Open(n, hellos.OuterAAD(outer, e), e.Payload)
	if err != nil {
		return nil
	}
	message, err := hellos.DecodeInner(outer, plain)
	if err != nil {
		return nil
	}
	hello := new(wire.ClientHello)
	if wire.Decode(hello, message[wire.HeaderLen:], wire.Context{}, nil) != nil {
		return nil
	}
	c.hello = hello
	return message
}

// inside reports the message in the one that was told of last.
func (l *Listener) inside(d *direction, message []byte) {
	if l.hooks != nil && l.hooks.Inner != nil {
		l.hooks.Inner(trace.Inner{Dir: dirOf(d.from), Raw: message})
	}
}

// again takes the inner hello of a second one, after a HelloRetryRequest: it is sealed as the
// second message. It reports false where that is to count as it is.
func (l *Listener) again(d *direction, outer *wire.ClientHello) bool {
	c := l.hs.concealed
	if c == nil {
		return false
	}
	var e wire.ECHClientHello
	if found, err := outer.Extensions.Read(wire.ExtEncryptedClientHello, e.Read); !found || err != nil || e.Type != wire.ECHOuter {
		return false
	}
	message := c.open(1, outer, &e)
	if message == nil {
		return false
	}
	l.hs.hello = c.hello
	l.hs.transcript.add(message)
	l.inside(d, message)
	return true
}

// judge sees by the server's answer, raw, which hello counts, before that is in a transcript.
// RFC 9849 §7.2, §7.2.1.
func (l *Listener) judge(hs *handshake, raw []byte, answer *wire.ServerHello) {
	c := hs.concealed
	if c == nil || c.taken {
		return
	}
	choice := trace.Choice{What: "encrypted_client_hello", By: wire.Server, Picked: "ClientHelloOuter", Why: "no key of the server opens the inner one", Ref: "RFC 9849 §7.1"}
	if hs.is13() && hs.suite != nil && l.confirmed(hs, raw, answer) {
		choice.Picked, choice.Why = "ClientHelloInner", "the server has a key by which it opens"
		c.taken = true
		hs.hello, hs.transcript = c.hello, c.transcript
		l.sum.hello(c.hello)
	} else {
		hs.concealed = nil
	}
	if l.hooks != nil && l.hooks.Choice != nil {
		l.hooks.Choice(choice)
	}
}

// confirmed compares the server's word with what it is for the inner hello.
func (l *Listener) confirmed(hs *handshake, raw []byte, answer *wire.ServerHello) bool {
	c, h := hs.concealed, hs.suite.Hash
	blank := new(wire.ServerHello)
	zeroed := bytes.Clone(raw)
	if wire.Decode(blank, zeroed[wire.HeaderLen:], wire.Context{}, nil) != nil {
		return false
	}
	label := hellos.ECHAcceptLabel
	place := blank.Random[len(blank.Random)-wire.ECHConfirmationLen:]
	if answer.IsRetry() {
		label = hellos.ECHRetryLabel
		if place, _ = blank.Extensions.Find(wire.ExtEncryptedClientHello); len(place) != wire.ECHConfirmationLen {
			return false
		}
	}
	word := slices.Clone(place)
	clear(place) // in zeroed
	seen := c.transcript
	if answer.IsRetry() {
		seen.retry(h)
	} else {
		seen.use(h)
	}
	seen.add(zeroed)
	digest := seen.sum()
	key := keys.Extract(h, nil, nil, c.hello.Random)
	want := make([]byte, wire.ECHConfirmationLen)
	keys.ExpandLabel(h, want, key, label, digest)
	if subtle.ConstantTimeCompare(want, word) != 1 {
		return false
	}
	l.tellConfirmation(hs, h, key, want, digest, label)
	return true
}

func (l *Listener) tellConfirmation(hs *handshake, h *suite.Hash, key, word, digest []byte, label string) {
	l.secret(hs, trace.Secret{Name: "ech_confirmation_key", How: "HKDF-Extract", Salt: "0", Input: hs.concealed.hello.Random,
		InputIs: "ClientHelloInner.random", Hash: h.Name, Value: key, Ref: "RFC 9849 §7.2"})
	l.secret(hs, trace.Secret{Name: "ech_accept_confirmation", How: "HKDF-Expand-Label", From: "ech_confirmation_key", Label: label, Input: digest,
		InputIs: "ClientHelloInner..ServerHello, the confirmation's bytes zero", Hash: h.Name, Value: word, Ref: "RFC 9849 §7.2"})
}
