package tls

import (
	"context"
	"errors"
	"net"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/wire"
)

// An ECHFront opens encrypted hellos for servers that hold no key for them. It is the client-facing server of split
// mode: it reads the name inside, hands the inner hello to the server of that name, and cannot read anything that the
// two say to each other afterwards. The server behind needs no setting: this package, crypto/tls and OpenSSL tell the client
// that its inner hello counts. RFC 9849 §3.1, §7.
//
// An attacker who reads the network between front and server reads the name too, unless that way is encrypted.
//
// It may be used by several goroutines.
type ECHFront struct{ keys []handshake.ECHKey }

// NewECHFront makes a front for keys, which are not kept: they may be as for
// Config.EncryptedClientHelloKeys, at least one. It errs where they could not be used.
func NewECHFront(keys ...EncryptedClientHelloKey) (*ECHFront, error) {
	read, err := parseECHKeys(keys)
	if err != nil {
		return nil, err
	}
	if len(read) == 0 {
		return nil, &handshake.Error{Rule: "an ECHFront needs a key at least", Hint: "see GenerateECHKey", Ref: "RFC 9849 §7"}
	}
	return &ECHFront{read}, nil
}

// An InnerHello is what a client has encrypted.
type InnerHello struct {
	// Message is the whole ClientHello as the server behind is to see it, header included.
	Message []byte
	// ServerName is the name of the server that the client means, "" for none: letters, digits,
	// hyphens, underscores and dots, as it came, or an address.
	ServerName string
	// Protocols are those of ALPN, best first. The client chose them.
	Protocols []string
}

// Open opens hello, the first ClientHello of a client, whole and with its header. nil is for
// one that no key opens: it counts as it is, and a server with the same keys, and a certificate for
// their public name, tells the client of them. Errors are *[HandshakeError].
func (f *ECHFront) Open(hello []byte) (*InnerHello, error) {
	inner, front, err := f.open(hello)
	front.Wipe()
	return inner, err
}

func (f *ECHFront) open(hello []byte) (*InnerHello, *handshake.Front, error) {
	if !wholeHello(hello) {
		return nil, nil, &handshake.Error{Alert: wire.AlertDecodeError, Rule: "this is not one whole ClientHello", Ref: "RFC 8446 §4"}
	}
	front := new(handshake.Front)
	message, name, protocols, err := front.Open(hello, f.keys)
	if message == nil || err != nil {
		front.Wipe()
		return nil, nil, err
	}
	return &InnerHello{Message: message, ServerName: name, Protocols: protocols}, front, nil
}

func wholeHello(b []byte) bool {
	return len(b) > 0 && wire.MessageLen(b) == len(b) && wire.HandshakeType(b[0]) == wire.TypeClientHello
}

// Accept reads a client's ClientHello, and returns the client as the server behind is to see it: what is read from conn has
// the inner hello in the place of the outer one, also in a client's second hello, and all else is as it came. Copy both
// ways between conn and that server. Everything that the server answers must be written to conn.
//
// Where no key opens the hello, inner is nil, and conn has what the client sent: give it to [Server] with the same keys, or to
// the server that the outer hello asks for.
//
// Accept ends with ctx, and after 30 seconds. When it fails, it has sent the client an alert and closed the connection. The error
// is then a *[HandshakeError], ctx's or that of the network.
func (f *ECHFront) Accept(ctx context.Context, client net.Conn) (conn *ECHConn, inner *InnerHello, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTimeout, errTooLong)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { client.Close() })
	c := &ECHConn{Conn: client}
	message, err := c.firstHello()
	if err == nil {
		inner, c.front, err = f.open(message)
	}
	switch {
	case err == nil && inner == nil:
		c.out, c.seen, c.message = c.seen, nil, nil
		c.stage.Store(passingOn)
	case err == nil:
		if len(message) < len(c.message) {
			err = errBehindHello
		}
		c.out = inRecords(inner.Message, wire.TLS10)
		c.seen, c.message = nil, nil
	}
	if err != nil {
		err = c.refuse(err)
	}
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		client.Close()
		c.front.Wipe()
		return nil, nil, err
	}
	return c, inner, nil
}

var (
	errNoClientHello error = &handshake.Error{Alert: wire.AlertUnexpectedMessage, Rule: "the client does not begin with a ClientHello of TLS", Ref: "RFC 8446 §4.1.2"}
	errBehindHello   error = &handshake.Error{Alert: wire.AlertUnexpectedMessage, Rule: "something stands behind the client's ClientHello in its record", Ref: "RFC 8446 §5.1"}
	errInsideHello   error = &handshake.Error{Alert: wire.AlertUnexpectedMessage, Rule: "something stands between the records of the client's ClientHello", Ref: "RFC 8446 §5.1"}
	errEarlyHello    error = &handshake.Error{Alert: wire.AlertUnexpectedMessage, Rule: "the client sends a handshake message in the clear, and was not asked for a second ClientHello", Ref: "RFC 8446 §4.1.4"}
	errLongHello     error = &handshake.Error{Alert: wire.AlertIllegalParameter, Rule: "the client's ClientHello is longer than 128 KiB", Ref: "RFC 8446 §4.1.2"}
	errNoRecord      error = &handshake.Error{Alert: wire.AlertDecodeError, Rule: "the client sends something that is not a record of TLS", Ref: "RFC 8446 §5.1"}
)

// inRecords puts a message into records of version.
func inRecords(message []byte, version wire.Version) (out []byte) {
	for part := range slices.Chunk(message, record.MaxPlaintext) {
		out = append(wire.AppendU16(wire.AppendU16(append(out, byte(wire.ContentHandshake)), version), uint16(len(part))), part...)
	}
	return out
}

// refuse tells the client why the connection ends. It returns err.
func (c *ECHConn) refuse(err error) error {
	if known, is := errors.AsType[*handshake.Error](err); is {
		alert := []byte{byte(wire.ContentAlert), 3, 3, 0, 2, byte(wire.LevelFatal), byte(known.Alert)}
		_, _ = c.Conn.Write(alert) // the client may be gone
	}
	return err
}
