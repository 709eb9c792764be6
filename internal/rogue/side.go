package rogue

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// side is what a trace tells of one side of a run. The network's mutex guards it until
// the run is over.
type side struct {
	role    wire.Role
	version wire.Version
	// in seals what the side opens: it has the same keys and sequence number.
	in      record.Half
	squeeze *record.Compressor // nil: nothing is compressed
	packs   bool               // compression was agreed on

	master  []byte
	traffic sides[[]byte] // handshake traffic secrets of TLS 1.3, by sender

	// transcript is all handshake messages, sent and received, of one handshake
	// after the other; the last begins at begin.
	transcript []byte
	begin      int
	finished   sides[[]int] // where in transcript each role's Finished end

	completed int // handshakes that the side says are complete
	err       error
	data      []byte // application data received
	eof       bool   // the end of the data was told as io.EOF
	closed    bool   // a close_notify came
}

func (s *side) clear(v wire.Version) {
	*s = side{role: s.role, version: v, transcript: s.transcript[:0]}
}

// message notes one that becomes part of a transcript.
func (s *side) message(m trace.Message) {
	typ := wire.HandshakeType(m.Raw[0])
	switch {
	case typ == wire.TypeHelloRequest, typ == wire.TypeKeyUpdate, typ == wire.TypeNewSessionTicket && m.PostHandshake:
		return // part of none
	case typ == wire.TypeClientHello && len(s.finished[wire.Client]) > 0 && len(s.finished[wire.Client]) == len(s.finished[wire.Server]):
		s.begin = len(s.transcript)
	case typ == wire.TypeServerHello && s.version < wire.TLS13:
		s.packs = compressionOf(m.Raw) != wire.CompressionNull
	}
	s.transcript = append(s.transcript, m.Raw...)
	if typ == wire.TypeFinished {
		from := s.role
		if m.Dir == trace.Received {
			from = from.Peer()
		}
		s.finished[from] = append(s.finished[from], len(s.transcript))
	}
}

// compressionOf is the method that a ServerHello names behind its session ID.
func compressionOf(serverHello []byte) wire.CompressionMethod {
	const sessionID = 4 + 2 + 32
	if len(serverHello) <= sessionID {
		return wire.CompressionNull
	}
	at := sessionID + 1 + int(serverHello[sessionID]) + 2
	if len(serverHello) <= at {
		return wire.CompressionNull
	}
	return wire.CompressionMethod(serverHello[at])
}

func (s *side) secret(x trace.Secret) {
	switch x.Name {
	case "master_secret":
		s.master = bytes.Clone(x.Value)
	case "client_handshake_traffic_secret":
		s.traffic[wire.Client] = bytes.Clone(x.Value)
	case "server_handshake_traffic_secret":
		s.traffic[wire.Server] = bytes.Clone(x.Value)
	}
}

func (s *side) keys(k trace.Keys) {
	if k.Dir != trace.Received {
		return
	}
	p := record.Params{Version: k.Version, Suite: suite.ByID(k.Suite), Key: k.Key, IV: k.IV, MAC: k.MAC, EncryptThenMAC: k.EncryptThenMAC}
	if s.squeeze = nil; s.packs {
		s.squeeze, p.Compression = record.NewCompressor(), wire.CompressionDeflate
	}
	s.in.SetKeys(p)
}

// seal makes a record of content that the side will open. What is clear is under no
// keys.
func (s *side) seal(typ wire.ContentType, content []byte, clear bool) []byte {
	half, version := &s.in, min(s.version, wire.TLS12)
	if clear {
		half = new(record.Half)
	} else if s.squeeze != nil {
		content = s.squeeze.Append(nil, content)
	}
	rec, err := half.Seal(nil, typ, version, content, 0)
	if err != nil {
		return nil // as if it were lost: its sender's keys are used up
	}
	return rec
}
