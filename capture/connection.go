package capture

import (
	"net/netip"
	"time"

	"github.com/vitrine-tls/vitrine/fingerprint"
	"github.com/vitrine-tls/vitrine/internal/passive"
	"github.com/vitrine-tls/vitrine/wire"
)

// Connection is a TLS connection of a capture.
type Connection struct {
	// Number counts the connections from 1, in the order in which TLS began on them. It is
	// the same each time that the same capture is read.
	Number int
	// Start and End are the times of the first and the last packet.
	Start, End time.Time
	// Client and Server are the ends. Of a connection that begins Midway, Client is the end
	// that has called, or the one with the higher port.
	Client, Server netip.AddrPort
	// Began says what came before TLS, like "SMTP's STARTTLS"; it is empty for nothing.
	Began string
	// Midway is set where the beginning was not captured.
	Midway bool

	// ClientHello is the first one, header included; nil if none was seen.
	ClientHello []byte
	// Name is the server name that the client asked for.
	Name string
	// Version, Suite and ALPN are what the server picked; 0 or empty where that was not seen.
	Version wire.Version
	Suite   wire.CipherSuite
	ALPN    string
	// Resumed is how a session was resumed: "id", "ticket" or "psk"; or it is empty.
	Resumed string
	// JA3 and JA4 are fingerprints of the ClientHello, empty where there is none.
	JA3, JA4 string

	// Complete is set when the handshake was seen to its end.
	Complete bool
	// Failed is set when the handshake failed, or the connection did after it.
	Failed bool
	// Outcome says in a few words how the connection went.
	Outcome string
	// Readable is set where keys are known. Missing says in a few words what is missing
	// where they are not; it is empty where nothing was protected.
	Readable bool
	Missing  string

	// ClientSent and ServerSent count what the two sides have sent.
	ClientSent, ServerSent Sent
	// Gaps and Lost count what was not captured: places, and as far as known, bytes.
	Gaps int
	Lost int64
	// Conflicts counts segments whose content was another when it came again. What was seen
	// first is what was read; the receiver may have read the other.
	Conflicts int
	// Open is set where the capture does not show the connection's end.
	Open bool
	// Crowded is set where the connection was left before its end, since there were too many
	// at a time.
	Crowded bool
	// Comments are those of the file on packets of the connection, at most 8.
	Comments []string
}

// Sent counts what one side has sent.
type Sent struct {
	Bytes   int64
	Records int
	Opened  int // of them, those that were decrypted
}

// Duration is the time from the first to the last packet.
func (c *Connection) Duration() time.Duration { return c.End.Sub(c.Start) }

// complete fills in what the listener has found.
func (c *conversation) complete(f *flow, s passive.Summary) {
	k := &c.c
	k.End = c.now
	k.ClientHello, k.Name, k.Version, k.Suite, k.ALPN, k.Resumed = s.ClientHello, s.ServerName, s.Version, s.Suite, s.ALPN, s.Resumed
	if hello, err := fingerprint.Hello(s.ClientHello); err == nil {
		k.JA3, k.JA4 = fingerprint.JA3(hello), fingerprint.JA4(hello)
	}
	k.Complete, k.Readable, k.Missing = s.Complete, s.Readable, s.Missing
	k.ClientSent = Sent{s.Client.Bytes, s.Client.Records, s.Client.Opened}
	k.ServerSent = Sent{s.Server.Bytes, s.Server.Records, s.Server.Opened}
	k.Gaps, k.Lost, k.Conflicts = c.holes, c.lost, f.conflicts
	k.Crowded = c.crowded
	k.Open = c.reset == 0 && !(f.halves[0].ended && f.halves[1].ended)
	k.Outcome, k.Failed = c.outcome(s)
}

// outcome says how the connection went.
func (c *conversation) outcome(s passive.Summary) (words string, failed bool) {
	by := ""
	if c.reset > 0 {
		by = c.role(c.reset - 1).String()
	}
	switch {
	case s.Outcome != "":
		return s.Outcome, true
	case s.Complete && by != "":
		return "complete, then reset by the " + by, false
	case s.Complete:
		return "complete", false
	case by != "":
		return "reset by the " + by + " during the handshake", true
	case c.c.Midway:
		return "begun before the capture", false
	case c.crowded:
		return "left: too many connections at a time", false
	case c.c.Open || c.holes > 0:
		return "the handshake's end is not in the capture", false
	}
	return "ended during the handshake", true
}
