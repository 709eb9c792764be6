package proxy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/wire"
)

// helloRoom bounds a ClientHello with its records, in bytes. Real ones have 2 KiB at most.
const helloRoom = 32 << 10

// A hello is what a route is chosen by.
type hello struct {
	name string
	alpn []string
}

var errNoHello = errors.New("the connection does not begin with a ClientHello of TLS")

// look reads the ClientHello, and leaves it where it is.
func (l *link) look() error {
	var h *hello
	var wrong error
	err := peek(l.client, helloRoom, func(b []byte) (enough bool) {
		var msg []byte
		if msg, enough, wrong = helloOf(b); enough && wrong == nil {
			h, wrong = parseHello(msg)
		}
		return enough
	})
	if err == nil {
		err = wrong
	}
	if err != nil {
		return &refusal{event.NoRoute, fmt.Errorf("the server name cannot be read: %w", err)}
	}
	l.hello = h
	l.About.ServerName = h.name
	return nil
}

// helloOf puts the ClientHello together from its records, in which it may stand in pieces.
// enough is set once it is whole, or once it is clear that there is none. RFC 8446 §5.1.
func helloOf(b []byte) (msg []byte, enough bool, err error) {
	for len(b) > 0 {
		if wire.ContentType(b[0]) != wire.ContentHandshake || len(b) > 1 && b[1] != 3 {
			return nil, true, errNoHello
		}
		if len(b) < wire.RecordHeaderLen {
			return nil, false, nil
		}
		n := int(binary.BigEndian.Uint16(b[3:]))
		if n == 0 || n > 1<<14 {
			return nil, true, errNoHello
		}
		b = b[wire.RecordHeaderLen:]
		msg = append(msg, b[:min(n, len(b))]...)
		if len(msg) > 0 && wire.HandshakeType(msg[0]) != wire.TypeClientHello {
			return nil, true, errNoHello
		}
		if len(msg) >= wire.HeaderLen {
			whole := wire.HeaderLen + int(msg[1])<<16 + int(msg[2])<<8 + int(msg[3])
			if whole > helloRoom {
				return nil, true, errNoHello
			}
			if len(msg) >= whole {
				return msg[:whole], true, nil
			}
		}
		if len(b) < n {
			return nil, false, nil
		}
		b = b[n:]
	}
	return nil, false, nil
}

func parseHello(msg []byte) (*hello, error) {
	var m wire.ClientHello
	if err := wire.Decode(&m, msg[wire.HeaderLen:], wire.Context{}, nil); err != nil {
		return nil, err
	}
	h := new(hello)
	if _, err := m.Extensions.Read(wire.ExtServerName, func(r *wire.Reader) { h.name = strings.ToLower(wire.ReadServerName(r)) }); err != nil {
		return nil, err
	}
	_, err := m.Extensions.Read(wire.ExtALPN, func(r *wire.Reader) {
		for _, p := range wire.ReadALPN(r, nil) {
			h.alpn = append(h.alpn, string(p))
		}
	})
	return h, err
}
