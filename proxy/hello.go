package proxy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/wire"
)

// helloRoom bounds a ClientHello with its records, in bytes. Real ones have 2 KiB at most.
const helloRoom = 32 << 10

// A hello is what a route is chosen by.
type hello struct {
	name string   // of a host; empty for none
	alpn []string // of those that routes ask for
	// inner: an encrypted hello says so, which is ours to open. here: the handshake is to be here,
	// whatever routes say.
	inner, here bool
}

var errNoHello = errors.New("the connection does not begin with a ClientHello of TLS")

// look reads the ClientHello, and leaves it where it is.
func (l *link) look() error {
	var h *hello
	var wrong error
	need := 0
	err := peek(l.client, helloRoom, func(b []byte) (enough bool) {
		if len(b) < need { // a hello that comes byte by byte is not read from its start each time
			return false
		}
		var msg []byte
		if msg, need, wrong = helloOf(b); msg != nil {
			h, wrong = l.door.read(msg)
		}
		return need == 0
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

// read finds out what a hello asks for, in the one that is encrypted in it where our keys open that. What opens and is no
// hello is for the handshake here to refuse.
func (d *door) read(msg []byte) (*hello, error) {
	if d.front == nil {
		return parseHello(msg, d.protocols)
	}
	inner, broken := d.front.Open(msg)
	if inner != nil {
		msg = inner.Message
	}
	h, err := parseHello(msg, d.protocols)
	if err == nil {
		h.inner = inner != nil
		h.here = broken != nil || inner == nil && d.public[h.name]
	}
	return h, err
}

// helloOf puts the ClientHello together from its records, in which it may stand in pieces.
// need is how many bytes more can be learned from, and 0 once the ClientHello is whole, or once
// it is clear that there is none. RFC 8446 §5.1.
func helloOf(b []byte) (msg []byte, need int, err error) {
	for at := 0; ; {
		rest := b[at:]
		if len(rest) > 0 && wire.ContentType(rest[0]) != wire.ContentHandshake || len(rest) > 1 && rest[1] != 3 {
			return nil, 0, errNoHello
		}
		if len(rest) < wire.RecordHeaderLen {
			return nil, len(b) + 1, nil
		}
		n := int(binary.BigEndian.Uint16(rest[3:]))
		if n == 0 || n > 1<<14 {
			return nil, 0, errNoHello
		}
		at += wire.RecordHeaderLen
		before := len(msg)
		msg = append(msg, b[at:min(at+n, len(b))]...)
		if len(msg) > 0 && wire.HandshakeType(msg[0]) != wire.TypeClientHello {
			return nil, 0, errNoHello
		}
		whole := wire.HeaderLen
		if len(msg) >= wire.HeaderLen {
			whole += int(msg[1])<<16 + int(msg[2])<<8 + int(msg[3])
			if whole > helloRoom {
				return nil, 0, errNoHello
			}
			if len(msg) >= whole {
				return msg[:whole], 0, nil
			}
		}
		if len(b) < at+n {
			return nil, max(len(b)+1, at+min(n, whole-before)), nil
		}
		at += n
	}
}

// parseHello keeps the protocols that routes ask for, and no others: a hello has room for 16,000.
func parseHello(msg []byte, protocols map[string]bool) (*hello, error) {
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
			if protocols[string(p)] && !slices.Contains(h.alpn, string(p)) {
				h.alpn = append(h.alpn, string(p))
			}
		}
	})
	if h.name != "" && !isHostName(h.name) {
		return nil, fmt.Errorf("%.255q is not the name of a host", h.name)
	}
	return h, err
}

// isHostName takes what a server of package tls takes: targets are told the name, and may look it up.
func isHostName(name string) bool {
	const most = 255 // RFC 1035 §2.3.4
	if len(name) > most {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || label[0] == '-' || strings.ContainsFunc(label, notInHostName) {
			address, err := netip.ParseAddr(name)
			return err == nil && address.Zone() == ""
		}
	}
	return true
}

func notInHostName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}
