package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// A Front opens the hellos of one client for a server behind it that has no key: it is the
// client-facing server of split mode. RFC 9849 §3.1, §7.1.
type Front struct {
	name string // that the inner hello asks for
	opening
}

// Open returns the inner hello in message, which is a client's first one; both have their
// header. inner is nil for a hello that none of keys opens: it counts as it is. name and protocols are
// what the inner hello asks for.
func (f *Front) Open(message []byte, keys []ECHKey) (inner []byte, name string, protocols []string, err error) {
	var hello wire.ClientHello
	if err := wire.Decode(&hello, message[wire.HeaderLen:], wire.Context{}, nil); err != nil {
		return nil, "", nil, syntax(err)
	}
	var e wire.ECHClientHello
	found, err := hello.Extensions.Read(wire.ExtEncryptedClientHello, e.Read)
	if err != nil {
		return nil, "", nil, syntax(err)
	}
	if !found || e.Type != wire.ECHOuter {
		return nil, "", nil, nil
	}
	plain, opened := f.try(keys, &hello, &e)
	if !opened {
		return nil, "", nil, nil
	}
	if err := f.rebuild(&hello, plain); err != nil {
		return nil, "", nil, badInner(err)
	}
	if f.name, protocols, err = asksFor(hello.Extensions); err != nil {
		return nil, "", nil, err
	}
	inner, f.message = f.message, nil
	return inner, f.name, protocols, nil
}

// Reopen does the same for a client's second hello, after a HelloRetryRequest of the server
// behind. It is only called where Open has returned a hello.
func (f *Front) Reopen(message []byte) (inner []byte, err error) {
	var hello wire.ClientHello
	if err := wire.Decode(&hello, message[wire.HeaderLen:], wire.Context{}, nil); err != nil {
		return nil, syntax(err)
	}
	plain, err := f.again(&hello)
	if err != nil {
		return nil, err
	}
	if err := f.rebuild(&hello, plain); err != nil {
		return nil, badInner(err)
	}
	name, _, err := asksFor(hello.Extensions)
	if err != nil {
		return nil, err
	}
	if name != f.name { // by which the server was chosen
		return nil, fault(wire.AlertIllegalParameter, "the client's second ClientHello, encrypted, is for another server than its first", "RFC 8446 §4.1.2", nil)
	}
	inner, f.message = f.message, nil
	return inner, nil
}

// asksFor is what the server behind is chosen by.
func asksFor(x wire.Extensions) (name string, protocols []string, err error) {
	if _, err := x.Read(wire.ExtServerName, func(r *wire.Reader) { name = wire.ReadServerName(r) }); err != nil {
		return "", nil, syntax(err)
	}
	_, err = x.Read(wire.ExtALPN, func(r *wire.Reader) {
		for _, p := range wire.ReadALPN(r, nil) {
			protocols = append(protocols, string(p))
		}
	})
	if err != nil {
		return "", nil, syntax(err)
	}
	return name, protocols, checkServerName(name)
}

// Wipe clears the context that a second hello would be opened in. f may be nil.
func (f *Front) Wipe() {
	if f != nil {
		f.receiver.Wipe()
	}
}
