package handshake

import (
	"bytes"
	"crypto/rand"
	stdtls "crypto/tls"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/hpke"
	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// concealing is a client's side of Encrypted Client Hello. The flow makes the inner
// hello as it makes any other. The driver then has conceal make the outer one around it,
// and that is sent. Which of the two counts is known once the server has answered.
type concealing struct {
	inner, outer Config       // each hello is that of a client with this Config
	sender       *hpke.Sender // nil for a client that only pretends
	offer        *ECHOffer
	hello        wire.ClientHello // the inner one; it aliases raw
	raw          []byte
	outerRandom  [32]byte
	outerRunning transcript // until it is known which counts
	body         []byte     // of the extension in the outer hello, or what pretends to be one
	retry        []byte     // an ECHConfigList: received, or a server's to send
}

// inInner reports that the hello being made is the inner one, or that it counts.
func (s *State) inInner() bool { return s.ech != nil && s.Config == &s.ech.inner }

// conceals reports that the hello made by the flow is to go inside another.
func (s *State) conceals() bool { return s.inInner() && s.ech.sender != nil }

// wrapping reports that the hello being made is the one around it.
func (s *State) wrapping() bool {
	return s.ech != nil && s.ech.sender != nil && !s.inInner() && !s.ech.rejected
}

// fitsOffer is fits for a hello that another may have to hold.
func (s *State) fitsOffer(m *wire.ClientHello) error {
	if err := fits(m); err != nil || !s.conceals() {
		return err
	}
	size := 0
	for _, x := range m.Extensions {
		size += 4 + len(x.Data)
	}
	return tooLong("what our ClientHello has of extensions", size, maxConcealed)
}

// startECH prepares for two hellos, or to pretend. A renegotiation has one hello, which
// is encrypted anyway.
func (s *State) startECH() error {
	if s.ech != nil || s.previous != nil || !s.offers13() { // the first: it has waited meanwhile
		return nil
	}
	offer := s.Config.ECH
	if offer == nil {
		if s.Config.GREASE {
			return s.pretend()
		}
		return nil
	}
	s.ech = &ech{concealing: concealing{inner: *s.Config, outer: *s.Config, offer: offer}}
	h := s.ech
	h.inner.Versions = s.Config.Versions[:1:1]
	h.outer.ServerName, h.outer.Sessions, h.outer.Verify, h.outer.Beside = string(offer.Config.PublicName), false, false, false
	h.outer.AcceptTypes, h.outer.Suites = nil, slices.DeleteFunc(slices.Clone(s.Config.Suites), bareSuite) // a rejection is worth what a certificate proves
	sender, err := hpke.NewSender(offer.Config.KEM, offer.Config.PublicKey, offer.Suite, ECHInfo(&offer.Config))
	if err != nil {
		return fault(wire.AlertInternalError, "the public key of the ECHConfig cannot be used", "RFC 9849 §6.1", err)
	}
	h.sender = sender
	if err := s.random(h.outerRandom[:]); err != nil {
		return err
	}
	s.Config = &h.inner
	return nil
}

// bareSuite: with it a server is known by no certificate, or not by one alone.
func bareSuite(c *suite.Suite) bool {
	return c.KeyExchange != wire.KeyExchangeNone && !mayAskForCertificate(c)
}

// pretend makes an extension that nobody can tell from a real one, so that the real one
// does not stand out. RFC 9849 §6.2. The key is of the KEM that all have, the length one
// that padding gives for common names.
func (s *State) pretend() error {
	var draw [2]byte
	if err := s.random(draw[:]); err != nil {
		return err
	}
	key, err := kex.Generate(wire.GroupX25519)
	if err != nil {
		return fault(wire.AlertInternalError, "no key share could be made", "", err)
	}
	payload := make([]byte, 128+32*int(draw[1]%4)+hpke.Overhead)
	if err := s.random(payload); err != nil {
		return err
	}
	fake := wire.ECHClientHello{Suite: wire.HPKESuite{KDF: wire.KDFSHA256, AEAD: wire.AEADAES128}, ConfigID: draw[0], Enc: key.Share(), Payload: payload}
	s.ech = &ech{concealing: concealing{body: fake.Append(nil)}}
	return nil
}

// maxConcealed is the most bytes that the inner hello has of extensions: the outer one
// holds them beside its own copy of nearly all, and its length has two bytes.
const maxConcealed = 30000

// conceal puts the inner hello, which is in s.out and in the transcript, into an outer one,
// which takes its place in s.out. RFC 9849 §6.1.
func (s *State) conceal() error {
	if err := s.fitsOffer(&s.hello); err != nil {
		return err
	}
	h, c := s.ech, s.context(s.Role)
	h.raw = append(h.raw[:0], s.out...)
	wire.Decode(&h.hello, h.raw[wire.HeaderLen:], c, nil)
	first := !h.accepted
	s.Config = &h.outer
	m := s.buildClientHello()
	m.Random = h.outerRandom[:]
	at := slices.IndexFunc(m.Extensions, func(x wire.Extension) bool { return x.Type == wire.ExtEncryptedClientHello })
	plain := s.encodeInner(m.Extensions)
	e := wire.ECHClientHello{Suite: h.offer.Suite, ConfigID: h.offer.Config.ConfigID, Payload: make([]byte, len(plain)+hpke.Overhead)}
	if first {
		e.Enc = h.sender.Enc
	}
	m.Extensions[at].Data = e.Append(nil)
	if err := fits(m); err != nil {
		return err
	}
	s.out = wire.AppendMessage(s.out[:0], m, c)
	sealed, err := h.sender.Seal(s.out[wire.HeaderLen:], plain)
	if err != nil {
		return err
	}
	e.Payload = sealed
	h.body = e.Append(h.body[:0])
	m.Extensions[at].Data = h.body
	s.out = wire.AppendMessage(s.out[:0], m, c)
	if first {
		h.outerRunning.add(s.out)
		if err := s.logECH(h.outerRandom[:], h.sender.SharedSecret(), h.offer.Config.Raw); err != nil {
			return err
		}
	} else {
		s.takeInnerHello()
	}
	return nil
}

// encodeInner is the inner hello without what the outer one says as well, padded so that
// its length tells nothing of the name. RFC 9849 §5.1, §6.1.3.
func (s *State) encodeInner(outer wire.Extensions) []byte {
	h := s.ech
	e := wire.EncodedInner{Hello: h.hello}
	e.Hello.SessionID = nil
	e.Hello.Extensions = compressInner(h.hello.Extensions, outer)
	b := e.Append(nil)
	most := int(h.offer.Config.MaxNameLength)
	pad := most + 9 // what a server_name takes beside the name
	if name := len(h.inner.ServerName); name > 0 {
		pad = max(0, most-name)
	}
	pad += 31 - (len(b)+pad-1)%32
	return append(b, make([]byte, pad)...)
}

// compressInner replaces the longest run of inner extensions that the outer hello has as
// well, in the same order, by one that names them. RFC 9849 §5.1.
func compressInner(inner, outer wire.Extensions) wire.Extensions {
	from, to := 0, 0
	for i := range inner {
		if n := sharedRun(inner[i:], outer); n > to-from {
			from, to = i, i+n
		}
	}
	if from == to {
		return inner
	}
	types := make([]wire.ExtensionType, 0, to-from)
	for _, x := range inner[from:to] {
		types = append(types, x.Type)
	}
	shared := wire.Extension{Type: wire.ExtECHOuterExtensions, Data: wire.AppendECHOuterExtensions(nil, types)}
	return slices.Concat(inner[:from], wire.Extensions{shared}, inner[to:])
}

// sharedRun is how many of the first inner extensions outer has, in their order.
func sharedRun(inner, outer wire.Extensions) (n int) {
	const most = 127 // that can be named
	at := 0
	for n < min(len(inner), most) && mayShare(inner[n].Type) {
		i := slices.IndexFunc(outer[at:], func(x wire.Extension) bool {
			return x.Type == inner[n].Type && bytes.Equal(x.Data, inner[n].Data)
		})
		if i < 0 {
			break
		}
		at += i + 1
		n++
	}
	return n
}

// mayShare: that the two names are the same one is not for everybody to learn from the
// length, and the extension itself is not covered by its own encryption.
func mayShare(t wire.ExtensionType) bool {
	return t != wire.ExtServerName && t != wire.ExtEncryptedClientHello && t != wire.ExtPreSharedKey
}

// ownToInner are the extensions that the two hellos do not share. They stand first in the
// inner one, so that the others are one run.
func (s *State) ownToInner(t wire.ExtensionType) bool {
	return !mayShare(t) || t == wire.ExtServerCertificateType || t == wire.ExtCertWithExternPSK || t == wire.ExtSupportedVersions && len(s.ech.outer.Versions) > 1
}

// pretendPSK is a pre_shared_key for the outer hello: as long as the real one, and noise,
// so that nobody sees whether the inner hello resumes, or what. RFC 9849 §6.1.2.
func (s *State) pretendPSK(x wire.Extensions) wire.Extensions {
	data, found := s.ech.hello.Extensions.Find(wire.ExtPreSharedKey)
	if !found {
		return x
	}
	var offer wire.OfferedPSKs
	r := wire.NewReader(slices.Clone(data), nil)
	offer.Read(&r)
	for i := range offer.Identities {
		var age [4]byte
		rand.Read(age[:]) // never fails: it ends the program instead
		rand.Read(offer.Identities[i].Identity)
		offer.Identities[i].ObfuscatedTicketAge = binary.BigEndian.Uint32(age[:])
	}
	for _, binder := range offer.Binders {
		rand.Read(binder)
	}
	return append(x, wire.Extension{Type: wire.ExtPreSharedKey, Data: offer.Append(nil)})
}

// judgeECH sees by the server's first answer which hello it has taken. RFC 9849 §6.1.4, §6.1.5.
func (s *State) judgeECH(p *Profile) error {
	if !s.undecided() {
		return nil
	}
	c := suite.ByID(s.answer.CipherSuite)
	if p == nil || !p.HidesHello || c == nil {
		s.takeOuterHello()
		return nil
	}
	word, label := echPlace(s.answer.Random), ECHAcceptLabel
	digest := s.transcript.with(c.Hash, nil, nil)
	if s.answer.IsRetry() {
		found, err := s.answer.Extensions.Read(wire.ExtEncryptedClientHello, func(r *wire.Reader) { word = wire.ReadECHConfirmation(r) })
		if err != nil {
			return syntax(err)
		}
		if !found {
			s.takeOuterHello()
			return nil
		}
		label = ECHRetryLabel
		running := c.Hash.New()
		running.Write([]byte{byte(wire.TypeMessageHash), 0, 0, byte(len(digest))})
		running.Write(digest)
		running.Write(unconfirmed(&s.answer))
		digest = running.Sum(nil)
	} else {
		digest = s.transcript.with(c.Hash, unconfirmed(&s.answer), nil)
	}
	if !sameConfirmation(s.echConfirmation(c.Hash, s.ech.hello.Random, label, digest), word) {
		s.takeOuterHello()
		return nil
	}
	s.ech.accepted, s.Result.ECHAccepted = true, true
	s.ech.outerRunning.reset()
	s.takeInnerHello()
	s.choseHello()
	return nil
}

// undecided: two hellos are out, and the server has not answered.
func (s *State) undecided() bool {
	return s.ech != nil && s.ech.sender != nil && !s.ech.accepted && !s.ech.rejected
}

// takeInnerHello has the inner hello be the one. It was decoded before, into other memory.
func (s *State) takeInnerHello() {
	s.Config = &s.ech.inner
	wire.Decode(&s.hello, s.ech.raw[wire.HeaderLen:], wire.Context{}, nil)
}

// takeOuterHello goes on with the outer hello, for nothing but to hear from the server,
// with a certificate for its public name, that it did not take the inner one. What was
// offered in that is off the table. RFC 9849 §6.1.6.
func (s *State) takeOuterHello() {
	h := s.ech
	h.rejected = true
	s.transcript, h.outerRunning = h.outerRunning, s.transcript
	h.outerRunning.reset()
	s.Result.Secrets.ClientRandom = h.outerRandom
	s.Result.ServerName = h.outer.ServerName
	s.offered = nil
	s.dropPSKs(everyPSK)
	s.choseHello()
}

// confirmAgain: a server that took the inner hello in its HelloRetryRequest has to stay
// with that. RFC 9849 §6.1.5.
func (s *State) confirmAgain() error {
	if !s.retry || s.ech == nil || !s.ech.accepted {
		return nil
	}
	h := s.Result.Suite.Hash
	digest := s.transcript.with(h, unconfirmed(&s.answer), nil)
	if !sameConfirmation(s.echConfirmation(h, s.ech.hello.Random, ECHAcceptLabel, digest), echPlace(s.answer.Random)) {
		return fault(wire.AlertIllegalParameter, "the server took our encrypted hello in its HelloRetryRequest, and does not confirm that in its ServerHello", "RFC 9849 §6.1.5", nil)
	}
	return nil
}

// refusedECH ends a handshake whose outer hello was taken: the server has proved that it
// speaks for its public name, so what it says of its configs is true. RFC 9849 §6.1.6.
func (s *State) refusedECH() error {
	if !s.ECHRejected() {
		return nil
	}
	hint := "it has none to try again with: it does not speak Encrypted Client Hello now; connect without, if the name may be seen"
	if len(s.ech.retry) > 0 {
		hint = "connect again with the configs that it sent; for programs, they are in ECHRejectionError.RetryConfigList"
	}
	return &Error{Alert: wire.AlertECHRequired, Ref: "RFC 9849 §6.1.6", Hint: hint,
		Rule: fmt.Sprintf("the server did not take our encrypted hello, and has proved that it speaks for %q", s.ech.outer.ServerName),
		Err:  &stdtls.ECHRejectionError{RetryConfigList: s.ech.retry}}
}

// reportConcealed tells the trace of the hello inside the one that is sent.
func (s *State) reportConcealed() {
	s.reportECH(trace.Sent, s.ech.sender.SharedSecret(), ECHInfo(&s.ech.offer.Config), s.ech.raw)
}
