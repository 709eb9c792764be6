package tls

import (
	"bytes"
	"context"
	stdtls "crypto/tls"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// quicEnd is one side of a connection over QUIC: ours, or crypto/tls's.
type quicEnd interface {
	Start(context.Context) error
	NextEvent() QUICEvent
	HandleData(QUICEncryptionLevel, []byte) error
	SetTransportParameters([]byte)
	SendSessionTicket(QUICSessionTicketOptions) error
	ConnectionState() ConnectionState
	Close() error
}

// stdQUIC is crypto/tls's side.
type stdQUIC struct{ *stdtls.QUICConn }

func (s stdQUIC) NextEvent() QUICEvent {
	e := s.QUICConn.NextEvent()
	return QUICEvent{Kind: e.Kind, Level: e.Level, Data: e.Data, Suite: e.Suite, Err: e.Err}
}

// quicSecret is a secret as one side was given it.
type quicSecret struct {
	suite  uint16
	secret string
}

// quicPlayer does what a QUIC implementation does with the events of one side.
type quicPlayer struct {
	quicEnd
	t              testing.TB
	name           string
	server         bool
	read, write    map[QUICEncryptionLevel]quicSecret
	peerParameters []byte
	complete       bool
	rejected       bool
	err            error
	log            []string // the events, in words
	ticket         *QUICSessionTicketOptions
	onEvent        func(QUICEvent)
	given          [4][]byte // what was given to it, by level
	mostAtOnce     int       // the size of the pieces that data is delivered in; 0 for whole
	delayed        []byte    // parameters that are set when they are asked for
	storeAs        func(*SessionState)
	resumedWith    *SessionState
}

func newQUICPlayer(t testing.TB, name string, end quicEnd, server bool) *quicPlayer {
	p := &quicPlayer{quicEnd: end, t: t, name: name, server: server,
		read: map[QUICEncryptionLevel]quicSecret{}, write: map[QUICEncryptionLevel]quicSecret{}}
	t.Cleanup(func() { end.Close() })
	return p
}

var eventWords = map[QUICEventKind]string{
	QUICSetReadSecret: "read", QUICSetWriteSecret: "write", QUICWriteData: "data", QUICTransportParameters: "parameters",
	QUICTransportParametersRequired: "parameters required", QUICRejectedEarlyData: "rejected", QUICHandshakeDone: "done",
	QUICResumeSession: "resume", QUICStoreSession: "store", QUICErrorEvent: "error",
}

// act does what an event says. It returns false where there is none.
func (p *quicPlayer) act(peer *quicPlayer) (bool, error) {
	e := p.NextEvent()
	if e.Kind == QUICNoEvent {
		return false, nil
	}
	words := eventWords[e.Kind]
	if e.Kind == QUICSetReadSecret || e.Kind == QUICSetWriteSecret || e.Kind == QUICWriteData {
		words += " " + e.Level.String()
	}
	p.log = append(p.log, words)
	if p.onEvent != nil {
		p.onEvent(e)
	}
	switch e.Kind {
	case QUICSetReadSecret:
		p.install(p.read, e)
		if _, ok := p.write[e.Level]; !ok && e.Level != QUICEncryptionLevelEarly {
			p.t.Errorf("%s: the secret for reading at %v came before that for writing", p.name, e.Level)
		}
		if e.Level == QUICEncryptionLevelApplication && !p.complete {
			p.t.Errorf("%s: 1-RTT data could be read before the handshake was complete", p.name)
		}
	case QUICSetWriteSecret:
		p.install(p.write, e)
	case QUICWriteData:
		return true, p.deliver(peer, e.Level, bytes.Clone(e.Data))
	case QUICTransportParameters:
		p.peerParameters = append([]byte{}, e.Data...)
	case QUICTransportParametersRequired:
		if p.delayed == nil {
			return true, errors.New("parameters are required")
		}
		p.SetTransportParameters(p.delayed)
	case QUICHandshakeDone:
		p.complete = true
		if p.server && p.ticket != nil {
			return true, p.SendSessionTicket(*p.ticket)
		}
	case QUICResumeSession:
		p.resumedWith = e.SessionState
	case QUICStoreSession:
		if p.storeAs != nil {
			p.storeAs(e.SessionState)
		}
	case QUICRejectedEarlyData:
		p.rejected = true
	case QUICErrorEvent:
		p.err = e.Err
		return true, e.Err
	}
	return true, nil
}

func (p *quicPlayer) install(to map[QUICEncryptionLevel]quicSecret, e QUICEvent) {
	if _, twice := to[e.Level]; twice {
		p.t.Errorf("%s: a second secret at %v", p.name, e.Level)
	}
	to[e.Level] = quicSecret{e.Suite, string(e.Data)}
}

func (p *quicPlayer) deliver(peer *quicPlayer, level QUICEncryptionLevel, data []byte) error {
	size := peer.mostAtOnce
	if size == 0 {
		size = max(1, len(data))
	}
	peer.given[level] = append(peer.given[level], data...)
	for piece := range slices.Chunk(data, size) {
		room := bytes.Clone(piece)
		err := peer.HandleData(level, room)
		clear(room) // it is the caller's again
		if err != nil {
			return err
		}
	}
	return nil
}

// runQUIC plays a connection until nothing is left to do.
func runQUIC(client, server *quicPlayer) error {
	for _, p := range []*quicPlayer{client, server} {
		if err := p.Start(context.Background()); err != nil {
			return fmt.Errorf("%s: Start: %w", p.name, err)
		}
	}
	return playQUIC(client, server)
}

// playQUIC is runQUIC for sides that have started.
func playQUIC(client, server *quicPlayer) error {
	for a, b, idle := client, server, 0; idle < 2; a, b = b, a {
		idle++
		for {
			more, err := a.act(b)
			if err != nil {
				return fmt.Errorf("%s: %w", a.name, err)
			}
			if !more {
				break
			}
			idle = 0
		}
	}
	if !client.complete || !server.complete {
		return errors.New("the handshake is not complete")
	}
	return nil
}

// quicConfigs are those of a client and a server that know each other.
func quicConfigs() (client, server *Config) {
	client, server = testPKI().client(), testPKI().server("ecdsa-p256")
	client.NextProtos, server.NextProtos = []string{"h3"}, []string{"h3"}
	client.MinVersion, server.MinVersion = VersionTLS13, VersionTLS13
	return client, server
}

// quicSides make a side of each kind, with its transport parameters set.
func oursQUIC(t testing.TB, c *QUICConfig, server bool) *quicPlayer {
	end, name := QUICClient(c), "our client"
	if server {
		end, name = QUICServer(c), "our server"
	}
	p := newQUICPlayer(t, name, end, server)
	end.SetTransportParameters(parametersOf(server))
	return p
}

func theirsQUIC(t testing.TB, c *Config, server bool) *quicPlayer { return sharedTheirs(c)(t, server) }

func parametersOf(server bool) []byte {
	if server {
		return []byte("of the server")
	}
	return []byte("of the client")
}

// checkQUIC checks that both sides of a complete connection agree.
func checkQUIC(t testing.TB, client, server *quicPlayer) {
	t.Helper()
	for _, level := range []QUICEncryptionLevel{QUICEncryptionLevelHandshake, QUICEncryptionLevelApplication} {
		if client.read[level].secret == "" || client.read[level] != server.write[level] {
			t.Errorf("%v: the client reads with %x, the server writes with %x", level, client.read[level], server.write[level])
		}
		if server.read[level].secret == "" || server.read[level] != client.write[level] {
			t.Errorf("%v: the server reads with %x, the client writes with %x", level, server.read[level], client.write[level])
		}
	}
	if string(client.peerParameters) != "of the server" || string(server.peerParameters) != "of the client" {
		t.Errorf("the client got the parameters %q, the server %q", client.peerParameters, server.peerParameters)
	}
	c, s := client.ConnectionState(), server.ConnectionState()
	for _, cs := range []ConnectionState{c, s} {
		if !cs.HandshakeComplete || cs.Version != VersionTLS13 || cs.NegotiatedProtocol != "h3" || cs.CipherSuite != client.read[QUICEncryptionLevelHandshake].suite {
			t.Errorf("state %+v", cs)
		}
	}
	if c.DidResume != s.DidResume || !c.DidResume && len(c.PeerCertificates) != 1 {
		t.Errorf("client %+v, server %+v", c, s)
	}
	a, errA := c.ExportKeyingMaterial("label", []byte("context"), 32)
	b, errB := s.ExportKeyingMaterial("label", []byte("context"), 32)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("exported %x (%v) and %x (%v)", a, errA, b, errB)
	}
}

// sharedTheirs makes sides of crypto/tls that share what a Config holds.
func sharedTheirs(c *Config) func(t testing.TB, server bool) *quicPlayer {
	std := toStd(c)
	std.ClientSessionCache = stdtls.NewLRUClientSessionCache(4)
	return func(t testing.TB, server bool) *quicPlayer {
		config := &stdtls.QUICConfig{TLSConfig: std}
		end, name := stdtls.QUICClient(config), "crypto/tls's client"
		if server {
			end, name = stdtls.QUICServer(config), "crypto/tls's server"
		}
		p := newQUICPlayer(t, name, stdQUIC{end}, server)
		end.SetTransportParameters(parametersOf(server))
		return p
	}
}
