package tracefile

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Format names the shape of the lines. A member may be added under the same name; one
// that is removed or changes its meaning makes a new one.
const Format = "vitrine.trace/1"

// Header begins a connection.
type Header struct {
	// Format is [Format].
	Format string `json:"format"`
	// Start is the time of the first event.
	Start time.Time `json:"start,omitzero"`
	// Target is the peer: "example.com:443".
	Target string `json:"target,omitempty"`
	// Trust says in words how the peer's certificate was verified.
	Trust string `json:"trust,omitempty"`
	// Verdict is what was found out about the peer's certificates: JSON of the reader's
	// choice. Package explain writes its Verdict.
	Verdict json.RawMessage `json:"verdict,omitempty"`
	// Captured is set where nobody at the ends of the connection made the trace, but
	// somebody that listened: what the client sent is "sent".
	Captured bool `json:"captured,omitempty"`
	// Before is one line about the connection before this one, for a resumption.
	Before string `json:"before,omitempty"`
	// Resumes is set where the session is that of the connection before in this file.
	Resumes bool `json:"resumes,omitempty"`
	// Sent says in words what the traced side sent as data, and why.
	Sent string `json:"sent,omitempty"`
	// Failure is why the connection failed, and Advice what to change.
	Failure  string   `json:"failure,omitempty"`
	Advice   string   `json:"advice,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	// Secrets is set where the values of secrets and keys are in the file.
	Secrets bool `json:"secrets"`
	// Redacted is set where secrets, application data, names and addresses are stand-ins, as
	// package tracefile/redact makes them. The values of secrets and keys are there then,
	// and Secrets is not set.
	Redacted bool `json:"redacted,omitempty"`
	// Notice warns people that read the file.
	Notice string `json:"notice,omitempty"`
}

// notice is the Notice of a trace with secrets.
const notice = "This trace holds the connection's secrets. If you have it, you can read what was said: guard it like a key."

// redactedNotice is that of one with stand-ins.
const redactedNotice = "This trace is redacted: secrets, application data, names and addresses are stand-ins."

// Event is what happened at one moment.
type Event struct {
	// At is the time since the first event of the connection.
	At time.Duration
	// What is a trace.Record, Message, Inner, Secret, Keys, Choice, Alert, Gap or End, or [Dropped].
	// Its slices are the reader's own.
	What any
	// Missed counts the records of each direction that were seen before and are not in
	// the trace, by trace.Direction.
	Missed [trace.Received + 1]int
}

// Dropped is what was not kept of one kind of events, from a moment on.
type Dropped struct {
	// What are the events: "application data".
	What string `json:"what"`
	// Event is the place among the events where the first would be.
	Event   int           `json:"event"`
	At      time.Duration `json:"from_ns"`
	Records int           `json:"records"`
	Bytes   int64         `json:"bytes"` // of these records on the wire
	Others  int           `json:"others"`
}

// line is one line of the file.
type line struct {
	Connection *Header  `json:"connection,omitempty"`
	AtNS       int64    `json:"at_ns,omitempty"`
	Missed     []int    `json:"missed,omitempty"` // sent, received
	Record     *record  `json:"record,omitempty"`
	Message    *message `json:"message,omitempty"`
	Inner      *inner   `json:"inner,omitempty"`
	Secret     *secret  `json:"secret,omitempty"`
	Keys       *keys    `json:"keys,omitempty"`
	Choice     *choice  `json:"choice,omitempty"`
	Alert      *alert   `json:"alert,omitempty"`
	Gap        *gap     `json:"gap,omitempty"`
	End        *end     `json:"end,omitempty"`
	Dropped    *Dropped `json:"dropped,omitempty"`
}

type record struct {
	Dir      direction        `json:"dir"`
	Epoch    int              `json:"epoch"`
	Seq      uint64           `json:"seq"`
	Type     wire.ContentType `json:"type"`
	Wire     octets           `json:"wire"`
	Plain    octets           `json:"plain,omitempty"`
	Padding  int              `json:"padding,omitempty"`
	Refused  string           `json:"refused,omitempty"`
	Unopened string           `json:"unopened,omitempty"`
}

type message struct {
	Dir         direction        `json:"dir"`
	Raw         octets           `json:"raw"`
	Version     wire.Version     `json:"version,omitempty"`
	KeyExchange wire.KeyExchange `json:"key_exchange,omitempty"`
	From        role             `json:"from,omitempty"`
	// Certificate is how the sender shows its key.
	Certificate   wire.CertificateType `json:"certificate_type,omitempty"`
	PostHandshake bool                 `json:"post_handshake,omitempty"`
	SSL2          bool                 `json:"ssl2,omitempty"`
}

type inner struct {
	Dir direction `json:"dir"`
	Raw octets    `json:"raw"`
}

type secret struct {
	Name    string `json:"name"`
	How     string `json:"how"`
	From    string `json:"from,omitempty"`
	Salt    string `json:"salt,omitempty"`
	Label   string `json:"label,omitempty"`
	Input   octets `json:"input,omitempty"`
	InputIs string `json:"input_is,omitempty"`
	Hash    string `json:"hash,omitempty"`
	Value   octets `json:"value,omitempty"`
	Ref     string `json:"ref,omitempty"`
}

type keys struct {
	Dir            direction        `json:"dir"`
	Epoch          int              `json:"epoch"`
	Version        wire.Version     `json:"version"`
	CipherSuite    wire.CipherSuite `json:"cipher_suite"`
	Secret         string           `json:"secret"`
	Label          string           `json:"label,omitempty"`
	Key            octets           `json:"key,omitempty"`
	IV             octets           `json:"iv,omitempty"`
	MAC            octets           `json:"mac,omitempty"`
	EncryptThenMAC bool             `json:"encrypt_then_mac,omitempty"`
}

type choice struct {
	What   string   `json:"what"`
	By     role     `json:"by"`
	Ours   []string `json:"ours,omitempty"`
	Theirs []string `json:"theirs,omitempty"`
	Picked string   `json:"picked"`
	Why    string   `json:"why,omitempty"`
	Ref    string   `json:"ref,omitempty"`
}

type alert struct {
	Dir    direction       `json:"dir"`
	Level  wire.AlertLevel `json:"level"`
	Code   wire.AlertCode  `json:"code"`
	Reason string          `json:"reason,omitempty"`
}

type gap struct {
	Dir     direction `json:"dir"`
	Bytes   int64     `json:"bytes"`
	Skipped int64     `json:"skipped,omitempty"`
}

type end struct {
	Dir direction `json:"dir"`
}

// octets are bytes as lower-case hex.
type octets []byte

func (o octets) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, o), nil }

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.AppendDecode(nil, text)
	return err
}

// direction and role are written as words.
type (
	direction trace.Direction
	role      wire.Role
)

var errWord = errors.New(`a direction is "sent" or "received", and a side "client" or "server"`)

func (d direction) MarshalText() ([]byte, error) { return []byte(trace.Direction(d).String()), nil }

func (d *direction) UnmarshalText(text []byte) error {
	for _, known := range []trace.Direction{trace.Sent, trace.Received} {
		if known.String() == string(text) {
			*d = direction(known)
			return nil
		}
	}
	return errWord
}

func (r role) MarshalText() ([]byte, error) { return []byte(wire.Role(r).String()), nil }

func (r *role) UnmarshalText(text []byte) error {
	for _, known := range []wire.Role{wire.Client, wire.Server} {
		if known.String() == string(text) {
			*r = role(known)
			return nil
		}
	}
	return errWord
}
