package tls

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/wire"
)

// What a client may send next, which the server behind decides by its first message.
const (
	unanswered = iota // early data; the server has not answered
	askedAgain        // a second ClientHello: the server has sent a HelloRetryRequest
	passingOn         // nothing that concerns us
)

// An ECHConn is a client as the server behind an [ECHFront] is to see it. One goroutine may read
// while another writes.
type ECHConn struct {
	net.Conn
	front *handshake.Front // nil where there is nothing to open
	stage atomic.Int32

	// What reads: a record as far as it has come, the hello that it belongs to, and what is
	// to be read next.
	record, message, out []byte
	seen                 []byte // all records up to the first hello's end
	failed               error

	// What writes.
	answer firstAnswer
	ahead  int // bytes that answer has heard, and the client has not been sent
}

// NetConn is the client's connection, which is to be left alone up to Settled.
func (c *ECHConn) NetConn() net.Conn { return c.Conn }

// CloseWrite ends what the client is sent. It errs where the client's connection cannot.
func (c *ECHConn) CloseWrite() error {
	half, is := c.Conn.(interface{ CloseWrite() error })
	if !is {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// Settled reports that all hellos have been read from c: from now on NetConn has the same bytes to
// read, and c holds no secret. It is for the goroutine that reads. Writes must go through c up to then, and may go on to.
func (c *ECHConn) Settled() bool {
	if c.stage.Load() != passingOn || len(c.record) > 0 || len(c.out) > 0 {
		return false
	}
	c.forget()
	return true
}

// forget drops what a second hello would be opened with.
func (c *ECHConn) forget() {
	c.front.Wipe()
	c.front, c.message = nil, nil
}

// Read reads what the client says, with inner hellos in the place of outer ones.
func (c *ECHConn) Read(p []byte) (int, error) {
	for c.failed == nil {
		if len(c.out) > 0 {
			n := copy(p, c.out)
			if c.out = c.out[n:]; len(c.out) == 0 {
				c.out = nil
			}
			return n, nil
		}
		if c.stage.Load() == passingOn {
			c.forget()
			if len(c.record) == 0 {
				return c.Conn.Read(p)
			}
			c.out, c.record = c.record, nil
			continue
		}
		err := c.nextRecord()
		if err == nil {
			err = c.judge()
		}
		if _, ours := err.(*handshake.Error); ours {
			c.forget()
			c.failed = c.refuse(err)
		} else if err != nil {
			return 0, err
		}
	}
	return 0, c.failed
}

// nextRecord reads up to the end of a record, and may be called again after a timeout.
func (c *ECHConn) nextRecord() error {
	for {
		need := wire.RecordHeaderLen
		if len(c.record) >= need {
			n := int(binary.BigEndian.Uint16(c.record[3:]))
			most := record.MaxCiphertext13
			if wire.ContentType(c.record[0]) == wire.ContentHandshake {
				most = record.MaxPlaintext
			}
			if c.record[1] != 3 || n > most || n == 0 {
				return errNoRecord
			}
			if need += n; len(c.record) == need {
				return nil
			}
		}
		at := len(c.record)
		c.record = append(c.record, make([]byte, min(need-at, 4096))...) // by what comes, not by what is claimed
		n, err := c.Conn.Read(c.record[at:])
		if c.record = c.record[:at+n]; n > 0 {
			continue
		}
		if err == io.EOF && at > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
}

// firstHello reads records up to the end of a client's ClientHello, and returns that.
func (c *ECHConn) firstHello() ([]byte, error) {
	for {
		if err := c.nextRecord(); err != nil {
			return nil, err
		}
		if wire.ContentType(c.record[0]) != wire.ContentHandshake {
			return nil, errNoClientHello
		}
		c.seen = append(c.seen, c.record...)
		if n, err := c.gather(); n > 0 || err != nil {
			return c.message[:n], err
		}
	}
}

// gather adds the record to the message, and returns how long that is once it is whole.
func (c *ECHConn) gather() (n int, err error) {
	c.message = append(c.message, c.record[wire.RecordHeaderLen:]...)
	c.record = c.record[:0]
	switch m := c.message; {
	case wire.HandshakeType(m[0]) != wire.TypeClientHello:
		return 0, errNoClientHello
	case wire.MessageLen(m) > engine.MaxHello:
		return 0, errLongHello
	case len(m) < wire.MessageLen(m):
		return 0, nil
	default:
		return wire.MessageLen(m), nil
	}
}

// judge passes a record on as it is, or the inner hello once the outer one is whole.
func (c *ECHConn) judge() error {
	if wire.ContentType(c.record[0]) != wire.ContentHandshake {
		if len(c.message) > 0 {
			return errInsideHello
		}
		c.out, c.record = c.record, nil
		return nil
	}
	switch c.stage.Load() {
	case passingOn: // the server has answered while the record came
		c.out, c.record = c.record, nil
		return nil
	case unanswered:
		return errEarlyHello
	}
	n, err := c.gather()
	if n == 0 || err != nil {
		return err
	}
	if n < len(c.message) {
		return errBehindHello
	}
	inner, err := c.front.Reopen(c.message)
	if err != nil {
		return err
	}
	c.out, c.message, c.record = inRecords(inner, wire.TLS12), nil, nil
	c.stage.Store(passingOn)
	return nil
}

// Write sends the client what the server behind says.
func (c *ECHConn) Write(p []byte) (int, error) {
	if c.stage.Load() != unanswered {
		return c.Conn.Write(p)
	}
	// The client may answer before Write is back, so this comes first.
	heard := min(c.ahead, len(p))
	if next := c.answer.hear(p[heard:]); next != unanswered {
		c.stage.Store(next)
	}
	c.ahead = max(c.ahead, len(p))
	n, err := c.Conn.Write(p)
	c.ahead -= n
	return n, err
}

// firstAnswer is the beginning of what a server says.
type firstAnswer struct {
	header  []byte
	left    int    // bytes of the record
	message []byte // the first handshake message, as far as random
}

// answerLen is what the first message is known by: its header, legacy_version and random.
const answerLen = wire.HeaderLen + 2 + 32

// hear takes the next bytes, and tells what the client may send next.
func (a *firstAnswer) hear(p []byte) int32 {
	for len(p) > 0 {
		if a.left == 0 {
			n := min(wire.RecordHeaderLen-len(a.header), len(p))
			a.header, p = append(a.header, p[:n]...), p[n:]
			if len(a.header) < wire.RecordHeaderLen {
				break
			}
			a.left = int(binary.BigEndian.Uint16(a.header[3:]))
			if wire.ContentType(a.header[0]) != wire.ContentHandshake || a.left == 0 {
				return passingOn // an alert, or nonsense: there will be no second hello
			}
			a.header = a.header[:0]
			continue
		}
		n := min(a.left, len(p), answerLen-len(a.message))
		a.message, p, a.left = append(a.message, p[:n]...), p[n:], a.left-n
		if len(a.message) < answerLen {
			continue
		}
		if wire.HandshakeType(a.message[0]) == wire.TypeServerHello && bytes.Equal(a.message[answerLen-32:], wire.HelloRetryRandom[:]) {
			return askedAgain
		}
		return passingOn
	}
	return unanswered
}
