package handshake

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/hpke"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// opening is a server's side of Encrypted Client Hello.
type opening struct {
	receiver *hpke.Receiver // nil where nothing was opened
	key      *ECHKey        // by which it was
	suite    wire.HPKESuite
	message  []byte // the inner hello, rebuilt
	// confirms: the hello that counts is an inner one, ours to open or, behind a server
	// that has opened it, as it came.
	confirms bool
}

// MaxECHTrials is how many keys of a server may have the same config_id: each is tried
// on a hello that bears it. RFC 9849 §10.4.
const MaxECHTrials = 8

// openHello looks for an inner hello in the one that came, and puts it in its place.
// What does not open is taken for what it shows: it may be noise, or for a key of old.
// RFC 9849 §7.
func (s *State) openHello(ctx context.Context) error {
	if s.previous != nil {
		return nil
	}
	var e wire.ECHClientHello
	found, err := s.hello.Extensions.Read(wire.ExtEncryptedClientHello, e.Read)
	switch {
	case err != nil:
		return syntax(err)
	case !found:
		return nil
	case e.Type == wire.ECHInner:
		s.ech = &ech{opening: opening{confirms: true}}
		return nil
	case !s.Config.ECHServer:
		return nil
	}
	if err := s.showOuter(); err != nil {
		return err
	}
	keys, err := s.Config.ECHKeys(ctx, s)
	if err != nil {
		return refusedBy("GetEncryptedClientHelloKeys", err)
	}
	s.ech = new(ech)
	plain, opened := s.ech.try(keys, &s.hello, &e)
	if !opened {
		s.Offer.again()
		s.ech.retry = retryConfigs(keys)
		s.choseHello()
		return nil
	}
	s.ech.accepted, s.ech.confirms, s.Result.ECHAccepted = true, true, true
	outerRandom := bytes.Clone(s.hello.Random)
	if err := s.takeInner(plain); err != nil {
		return err
	}
	s.choseHello()
	return s.logECH(outerRandom, s.ech.receiver.SharedSecret(), s.ech.key.Config.Raw)
}

// showOuter reads the outer hello for GetEncryptedClientHelloKeys.
func (s *State) showOuter() error {
	if err := s.readOffer(); err != nil {
		return err
	}
	s.Offer.Hello = &s.hello
	return checkServerName(s.Offer.ServerName)
}

// try opens e, which stands in hello, by the keys that may fit. It changes nothing but o.
func (o *opening) try(keys []ECHKey, hello *wire.ClientHello, e *wire.ECHClientHello) (plain []byte, opened bool) {
	var aad []byte
	trials := 0
	for i := range keys {
		k := &keys[i]
		if k.Config.ConfigID != e.ConfigID || !slices.Contains(k.Config.Suites, e.Suite) {
			continue
		}
		if trials++; trials > MaxECHTrials {
			break
		}
		receiver, err := k.Private.NewReceiver(e.Enc, e.Suite, ECHInfo(&k.Config))
		if err != nil {
			continue
		}
		if aad == nil {
			aad = OuterAAD(hello, e)
		}
		if plain, err := receiver.Open(aad, e.Payload); err == nil {
			o.receiver, o.key, o.suite = receiver, k, e.Suite
			return plain, true
		}
		receiver.Wipe()
	}
	return nil, false
}

// OuterAAD is the outer hello as its encryption covers it: the payload zero. RFC 9849 §5.2.
func OuterAAD(m *wire.ClientHello, e *wire.ECHClientHello) []byte {
	blank := *e
	blank.Payload = make([]byte, len(e.Payload))
	copied := *m
	copied.Extensions = slices.Clone(m.Extensions)
	for i := range copied.Extensions {
		if copied.Extensions[i].Type == wire.ExtEncryptedClientHello {
			copied.Extensions[i].Data = blank.Append(nil)
		}
	}
	return copied.Append(nil, wire.Context{})
}

// retryConfigs is the list for clients that come with another key; nil for none. RFC 9849 §7.1.
func retryConfigs(keys []ECHKey) []byte {
	var list []wire.ECHConfig
	for i := range keys {
		if keys[i].SendAsRetry {
			list = append(list, keys[i].Config)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return wire.AppendECHConfigs(nil, list)
}

// takeInner puts the hello that plain encodes in the place of the outer one.
func (s *State) takeInner(plain []byte) error {
	if err := s.ech.rebuild(&s.hello, plain); err != nil {
		return badInner(err)
	}
	s.Offer.Raw = s.ech.message
	s.Offer.again()
	s.reportECH(trace.Received, s.ech.receiver.SharedSecret(), ECHInfo(&s.ech.key.Config), s.ech.message)
	return nil
}

// rebuild makes the inner hello that plain encodes, and puts it in the place of hello, the outer one.
func (o *opening) rebuild(hello *wire.ClientHello, plain []byte) (err error) {
	if o.message, err = DecodeInner(hello, plain); err != nil {
		return err
	}
	if err := wire.Decode(hello, o.message[wire.HeaderLen:], wire.Context{}, nil); err != nil {
		return err
	}
	return checkInner(hello)
}

func badInner(err error) error {
	return fault(wire.AlertIllegalParameter, "the client's encrypted hello opens, and is not a ClientHello that may stand there", "RFC 9849 §7.1", err)
}

// checkInner: an inner hello says that it is one, and is for TLS 1.3 alone. RFC 9849 §7.1.
func checkInner(m *wire.ClientHello) error {
	if data, _ := m.Extensions.Find(wire.ExtEncryptedClientHello); len(data) != 1 || wire.ECHType(data[0]) != wire.ECHInner {
		return errors.New("it does not have encrypted_client_hello of type inner")
	}
	var versions []wire.Version
	if _, err := m.Extensions.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { versions = wire.ReadSupportedVersions(r, nil) }); err != nil {
		return err
	}
	versions = slices.DeleteFunc(versions, wire.IsGREASE)
	if !slices.Contains(versions, profile13.Version) || slices.Min(versions) != profile13.Version {
		return errors.New("it offers other versions than TLS 1.3")
	}
	return nil
}

// DecodeInner rebuilds the ClientHelloInner, header included, from its encoding and the
// outer hello. Each extension that it shares with that is looked for behind the one
// before, so the work is linear, and none comes twice. RFC 9849 §5.1.
func DecodeInner(outer *wire.ClientHello, plain []byte) ([]byte, error) {
	var e wire.EncodedInner
	r := wire.NewReader(plain, nil)
	e.Read(&r)
	if err := r.Finish("EncodedClientHelloInner"); err != nil {
		return nil, err
	}
	m := e.Hello
	m.SessionID, m.Extensions = outer.SessionID, nil
	for _, x := range e.Hello.Extensions {
		if x.Type != wire.ExtECHOuterExtensions {
			m.Extensions = append(m.Extensions, x)
			continue
		}
		shared, err := sharedExtensions(outer.Extensions, x.Data)
		if err != nil {
			return nil, err
		}
		m.Extensions = append(m.Extensions, shared...)
	}
	if err := extensionsFit(wire.TypeClientHello, m.Extensions); err != nil {
		return nil, err
	}
	return wire.AppendMessage(nil, &m, wire.Context{}), nil
}

// sharedExtensions are those of outer that data names.
func sharedExtensions(outer wire.Extensions, data []byte) (shared wire.Extensions, err error) {
	r := wire.NewReader(data, nil)
	types := wire.ReadECHOuterExtensions(&r, nil)
	if err := r.Finish("ech_outer_extensions"); err != nil {
		return nil, err
	}
	at := 0
	for _, t := range types {
		if t == wire.ExtEncryptedClientHello || t == wire.ExtECHOuterExtensions {
			return nil, errors.New("it shares " + t.String() + " with the outer one")
		}
		for at < len(outer) && outer[at].Type != t {
			at++
		}
		if at == len(outer) {
			return nil, errors.New("it shares " + t.String() + " with the outer one, which does not have it, or not in this order")
		}
		shared = append(shared, outer[at])
		at++
	}
	return shared, nil
}

// reopenHello opens a client's second hello as the first was.
func (s *State) reopenHello() error {
	if s.ech == nil || s.ech.receiver == nil {
		return nil
	}
	plain, err := s.ech.again(&s.hello)
	if err != nil {
		return err
	}
	return s.takeInner(plain)
}

// again opens hello, a client's second one, as the first was. RFC 9849 §7.1.1.
func (o *opening) again(hello *wire.ClientHello) (plain []byte, err error) {
	var e wire.ECHClientHello
	found, err := hello.Extensions.Read(wire.ExtEncryptedClientHello, e.Read)
	switch {
	case err != nil:
		return nil, syntax(err)
	case !found:
		return nil, fault(wire.AlertMissingExtension, "the client's second ClientHello lacks encrypted_client_hello, which its first had", "RFC 9849 §7.1.1", nil)
	case e.Type != wire.ECHOuter || e.Suite != o.suite || e.ConfigID != o.key.Config.ConfigID || len(e.Enc) != 0:
		return nil, fault(wire.AlertIllegalParameter, "the client's second ClientHello is not encrypted as its first was", "RFC 9849 §7.1.1", nil)
	}
	if plain, err = o.receiver.Open(OuterAAD(hello, &e), e.Payload); err != nil {
		return nil, fault(wire.AlertDecryptError, "the encrypted hello in the client's second ClientHello does not open", "RFC 9849 §7.1.1", err)
	}
	return plain, nil
}

// confirmECH writes the word of acceptance into our ServerHello m. RFC 9849 §7.2.
func (s *State) confirmECH(m *wire.ServerHello) {
	if s.ech == nil || !s.ech.confirms {
		return
	}
	place := echPlace(m.Random)
	clear(place)
	h := s.Result.Suite.Hash
	digest := s.transcript.with(h, wire.AppendMessage(nil, m, wire.Context{}), nil)
	word := s.echConfirmation(h, s.Result.Secrets.ClientRandom[:], ECHAcceptLabel, digest)
	copy(place, word[:])
}

// confirmRetryECH puts it into a HelloRetryRequest, as an extension. RFC 9849 §7.2.1.
func (s *State) confirmRetryECH(m *wire.ServerHello) {
	if s.ech == nil || !s.ech.confirms {
		return
	}
	data := make([]byte, wire.ECHConfirmationLen)
	m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtEncryptedClientHello, Data: data})
	h := s.Result.Suite.Hash
	digest := s.transcript.with(h, wire.AppendMessage(nil, m, wire.Context{}), nil)
	word := s.echConfirmation(h, s.Result.Secrets.ClientRandom[:], ECHRetryLabel, digest)
	copy(data, word[:])
}
