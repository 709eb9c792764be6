package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// A Front opens the hellos of one client for a server behind it that has no key: it is the
// client-facing server of split mode. RFC 9849 §3.1, §7.1.
type Front struct {
	// ServerName and Protocols are what the inner hello asks for, once Open has opened it.
	ServerName string
	Protocols  []string

	opening
}

// Open returns the inner hello in message, which is a client's first one; both have their
// header. nil is for a hello that none of keys opens: it counts as it is.
func (f *Front) Open(message []byte, keys []ECHKey) (inner []byte, err error) {
	var hello wire.ClientHello
	if err := wire.Decode(&hello, message[wire.HeaderLen:], wire.Context{}, nil); err != nil {
		return nil, syntax(err)
	}
	var e wire.ECHClientHello
	found, err := hello.Extensions.Read(wire.ExtEncryptedClientHello, e.Read)
	if err != nil {
		return nil, syntax(err)
	}
	if !found || e.Type != wire.ECHOuter {
		return nil, nil
	}
	plain, opened := f.try(keys, &hello, &e)
	if !opened {
		return nil, nil
	}
	if err := f.rebuild(&hello, plain); err != nil {
		return nil, badInner(err)
	}
	return f.message, f.read(hello.Extensions)
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
	return f.message, nil
}

// read keeps what the server behind is chosen by.
func (f *Front) read(x wire.Extensions) error {
	if _, err := x.Read(wire.ExtServerName, func(r *wire.Reader) { f.ServerName = wire.ReadServerName(r) }); err != nil {
		return syntax(err)
	}
	_, err := x.Read(wire.ExtALPN, func(r *wire.Reader) {
		for _, p := range wire.ReadALPN(r, nil) {
			f.Protocols = append(f.Protocols, string(p))
		}
	})
	if err != nil {
		return syntax(err)
	}
	return checkServerName(f.ServerName)
}

// Wipe clears the context that a second hello would be opened in.
func (f *Front) Wipe() { f.receiver.Wipe() }
