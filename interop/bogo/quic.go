package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/vitrine-tls/vitrine/tls"
)

// endpoint is a connection as the exchange after the handshake needs it: of TCP, or of QUIC.
type endpoint interface {
	io.ReadWriter
	Handshake() error
	ConnectionState() tls.ConnectionState
	State() tls.State
	KeyUpdate(requestPeer bool) error
	ChannelBinding(kind string) ([]byte, error)
	CloseWrite() error
}

// mockQUIC is the runner's stand-in for QUIC: records with a type, a level, a cipher suite
// and a length, and then the secret that would protect the content, and the content. It
// encrypts nothing, and shows whether both sides have the same secrets.
type mockQUIC struct {
	socket      net.Conn
	q           *tls.QUICConn
	o           *options
	read, write [4]levelKeys
	readLevel   tls.QUICEncryptionLevel
	writeLevel  tls.QUICEncryptionLevel
	begun, done bool
	data        []byte // received and not read
}

type levelKeys struct {
	suite  uint16
	secret []byte
	set    bool
}

// The types of records.
const (
	mockAlert     = 21
	mockHandshake = 22
	mockData      = 23
)

func newMockQUIC(socket net.Conn, config *tls.Config, o *options) *mockQUIC {
	c := &tls.QUICConfig{TLSConfig: config, ClientHelloInfoConn: socket}
	q := tls.QUICClient(c)
	if o.server {
		q = tls.QUICServer(c)
	}
	if o.quicParameters != nil {
		q.SetTransportParameters(o.quicParameters)
	}
	m := &mockQUIC{socket: socket, q: q, o: o}
	m.read[0].set, m.write[0].set = true, true
	return m
}

func (m *mockQUIC) ConnectionState() tls.ConnectionState { return m.q.ConnectionState() }
func (m *mockQUIC) State() tls.State                     { return m.q.State() }
func (m *mockQUIC) CloseWrite() error                    { return nil }
func (m *mockQUIC) KeyUpdate(bool) error                 { return errors.New("QUIC has no KeyUpdate") }
func (m *mockQUIC) ChannelBinding(string) ([]byte, error) {
	return nil, errors.New("QUIC has no channel binding")
}

// Handshake runs the handshake, and does nothing once it is complete.
func (m *mockQUIC) Handshake() error {
	if err := m.begin(); err != nil {
		return err
	}
	for !m.done {
		if err := m.receive(); err != nil {
			return err
		}
	}
	return nil
}

func (m *mockQUIC) begin() error {
	if m.begun {
		return nil
	}
	m.begun = true
	return m.follow(m.q.Start(context.Background()))
}

// handshakeEarly is the handshake with early data, as that of options over TCP.
func (m *mockQUIC) handshakeEarly() (done bool, err error) {
	if err := m.begin(); err != nil {
		return false, err
	}
	if !m.o.server && m.writeLevel == tls.QUICEncryptionLevelEarly {
		if err := m.send(mockData, m.writeLevel, []byte(m.o.initialWrite)); err != nil {
			return false, err
		}
	}
	for !m.done {
		if err := m.receive(); err != nil {
			return false, err
		}
		if m.o.server && len(m.data) > 0 {
			invert(m.data)
			if err := m.send(mockData, m.writeLevel, m.data); err != nil {
				return false, err
			}
			m.data = nil
		}
	}
	return !m.o.server && m.State().EarlyData == "accepted", nil
}

// Read returns what was received as data.
func (m *mockQUIC) Read(p []byte) (int, error) {
	if err := m.Handshake(); err != nil {
		return 0, err
	}
	for len(m.data) == 0 {
		if err := m.receive(); err != nil {
			return 0, err
		}
	}
	n := copy(p, m.data)
	m.data = m.data[n:]
	return n, nil
}

func (m *mockQUIC) Write(p []byte) (int, error) {
	if err := m.Handshake(); err != nil {
		return 0, err
	}
	return len(p), m.send(mockData, m.writeLevel, p)
}

// receive takes one record.
func (m *mockQUIC) receive() error {
	var header [8]byte
	if _, err := io.ReadFull(m.socket, header[:]); err != nil {
		return err
	}
	level, size := tls.QUICEncryptionLevel(header[1]), binary.BigEndian.Uint32(header[4:])
	if size > 1<<20 {
		return fmt.Errorf("a record of %d bytes", size)
	}
	content := make([]byte, size)
	if _, err := io.ReadFull(m.socket, content); err != nil {
		return err
	}
	if int(level) >= len(m.read) {
		return fmt.Errorf("a record of the level %d", level)
	}
	keys := m.read[level]
	if keys.set && (keys.suite != binary.BigEndian.Uint16(header[2:]) || !bytes.HasPrefix(content, keys.secret)) {
		return fmt.Errorf("the peer has other secrets or another suite at the level %v", level)
	}
	content = content[min(len(keys.secret), len(content)):]
	if header[0] == mockData {
		if level == tls.QUICEncryptionLevelEarly && !keys.set && m.o.server {
			return nil // early data that we have not taken, and QUIC could not decrypt
		}
		if level != m.readLevel && (level != tls.QUICEncryptionLevelEarly || m.done) {
			return fmt.Errorf("data at the level %v", level)
		}
		m.data = append(m.data, content...)
		return nil
	}
	return m.follow(m.q.HandleData(level, content))
}

func (m *mockQUIC) send(typ byte, level tls.QUICEncryptionLevel, content []byte) error {
	keys := m.write[level]
	record := []byte{typ, byte(level)}
	record = binary.BigEndian.AppendUint16(record, keys.suite)
	record = binary.BigEndian.AppendUint32(record, uint32(len(keys.secret)+len(content)))
	_, err := m.socket.Write(append(append(record, keys.secret...), content...))
	return err
}

// follow does what the events say. An error of the handshake becomes an alert.
func (m *mockQUIC) follow(err error) error {
	if alert, ok := errors.AsType[tls.AlertError](err); ok {
		m.send(mockAlert, m.writeLevel, []byte{2, byte(alert)})
	}
	for err == nil {
		e := m.q.NextEvent()
		switch e.Kind {
		case tls.QUICNoEvent:
			return nil
		case tls.QUICSetReadSecret:
			m.read[e.Level], m.readLevel = levelKeys{e.Suite, bytes.Clone(e.Data), true}, e.Level
		case tls.QUICSetWriteSecret:
			m.write[e.Level], m.writeLevel = levelKeys{e.Suite, bytes.Clone(e.Data), true}, e.Level
		case tls.QUICWriteData:
			err = m.send(mockHandshake, e.Level, e.Data)
		case tls.QUICTransportParameters:
			if want := m.o.expect.quicParameters; want != nil && !bytes.Equal(e.Data, want) {
				err = fmt.Errorf("the transport parameters are %x, wanted %x", e.Data, want)
			}
		case tls.QUICTransportParametersRequired:
			err = errors.New("QUIC transport parameters are not configured")
		case tls.QUICHandshakeDone:
			m.done = true
			if m.o.server {
				err = m.q.SendSessionTicket(tls.QUICSessionTicketOptions{EarlyData: m.o.enableEarlyData})
			}
		case tls.QUICErrorEvent:
			err = e.Err
		}
	}
	return err
}
