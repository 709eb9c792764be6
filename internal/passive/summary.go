package passive

import (
	"fmt"
	"time"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/wire"
)

// Summary is one line on a connection: what has been seen of it so far.
type Summary struct {
	// Start and End are the times of the first and the last call.
	Start, End time.Time
	// ClientHello and ServerHello are those messages, header included: the first
	// ClientHello, in the format of SSL 2.0 without a header, and the ServerHello that is
	// no HelloRetryRequest. They are nil where none was seen, and not to be changed.
	ClientHello, ServerHello []byte
	// ServerName is the name that the client asked for.
	ServerName string
	// Version, Suite and ALPN are what the server picked; 0 and empty where that was not seen.
	Version wire.Version
	Suite   wire.CipherSuite
	ALPN    string
	// Resumed is how: "id", "ticket" or "psk".
	Resumed    string
	HelloRetry bool
	// Complete is set when both Finished were seen or, where they are not readable, both
	// sides went on to protected data.
	Complete bool
	// Outcome says in a few words how it went.
	Outcome string
	// Readable is set where records can be opened. Missing says in a few words what is
	// missing where they cannot; it is empty where nothing was protected.
	Readable bool
	Missing  string
	// Client and Server are what each side sent.
	Client, Server Sent
}

// Sent counts what one side has sent.
type Sent struct {
	Records, Opened int
	Bytes           int64
	// Missing is set where bytes are missing, Closed where the direction was closed.
	Missing, Closed bool
	// Alert is its last one that could be read, in words.
	Alert string
}

// Summary returns what has been seen so far.
func (l *Listener) Summary() Summary { return l.sum }

func (s *Summary) side(from wire.Role) *Sent {
	if from == wire.Client {
		return &s.Client
	}
	return &s.Server
}

// fail keeps the first thing that went wrong.
func (s *Summary) fail(why string) {
	if s.Outcome == "" {
		s.Outcome = why
	}
}

func (s *Summary) alert(from wire.Role, a wire.Alert) {
	s.side(from).Alert = a.Code.String()
	if a.Level == wire.LevelFatal && a.Code != wire.AlertCloseNotify {
		s.fail(fmt.Sprintf("the %v sent the alert %v", from, a.Code))
	}
}

// hello takes in what the client asks for.
func (s *Summary) hello(m *wire.ClientHello) {
	_, _ = m.Extensions.Read(wire.ExtServerName, func(r *wire.Reader) { s.ServerName = wire.ReadServerName(r) })
}

// answer takes in what the server picked.
func (s *Summary) answer(hs *handshake) {
	s.Version, s.Suite = hs.version, hs.answer.CipherSuite
	s.alpn(hs.answer.Extensions)
	if hs.answer.Extensions.Has(wire.ExtPreSharedKey) {
		s.Resumed = "psk"
	}
}

func (s *Summary) alpn(x wire.Extensions) {
	_, _ = x.Read(wire.ExtALPN, func(r *wire.Reader) {
		for _, name := range wire.ReadALPN(r, nil) {
			s.ALPN = string(name)
		}
	})
}

// resumes notes that hs resumes a session, and how.
func (s *Summary) resumes(hs *handshake) {
	if hs.before != nil || hs.hello == nil {
		return
	}
	s.Resumed = "id"
	if ticket, _ := hs.hello.Extensions.Find(wire.ExtSessionTicket); len(ticket) > 0 {
		s.Resumed = "ticket"
	}
}

// unopened keeps the first reason why a record does not open.
func (s *Summary) unopened(why string) {
	if s.Missing == "" {
		s.Missing = why
	}
}

// alertBody is the length of the body of a protected alert in TLS 1.3: the alert, its type and
// the longest tag.
const alertBody = 2 + 1 + 16

// sealed notes that a protected record was seen. Up to TLS 1.2, where its side has changed
// its keys for the first time, that is its Finished. In TLS 1.3 the client goes on with
// protected records once it has seen the server's Finished, unless it refuses what it saw:
// then an alert is all that it sends, which its length shows.
func (s *Summary) sealed(l *Listener, d *direction, h record.Header) {
	if d.opener == nil && l.lists() {
		l.look(d)
		if d.opener == nil && s.Missing == "" {
			s.unopened(l.noKey(d))
		}
	}
	if d.stage != inClear && d.from == wire.Client && s.ServerHello != nil && (d.opener == nil || l.lists()) && h.Length > alertBody {
		s.Complete = true
	}
	if hs := d.of; hs != nil && d.stage == inClear && d.epoch == 1 && (d.opener == nil || l.lists()) && !hs.finished[d.from] {
		hs.finished[d.from] = true
		if hs.complete() {
			l.completed12(hs)
		}
	}
}
