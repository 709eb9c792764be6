package explain

import (
	"time"

	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Format names the shape of the JSON. A field may be added under the same
// name; one that is removed or changes its meaning makes a new one.
const Format = "vitrine.explain/1"

// About is what the caller knows of a connection and its trace does not.
type About struct {
	// Target is the peer: "example.com:443". TargetIs says in a few words what that is,
	// where it is something special.
	Target, TargetIs string
	// Trust says in words how the peer's certificate was verified. Empty means
	// that it was not, and the outcome warns of that. A trace does not tell.
	Trust string
	// Verdict is what was found out about the peer's certificates; nil where nobody
	// looked.
	Verdict *Verdict
	// Before is one line about the connection before this one, for a resumption.
	Before string
	// Previous is that connection: what was resumed is checked against it.
	Previous *Connection
	// Sent says in words what the caller sent as data, and why; empty where it does not say.
	Sent string
	// Redacted is set where secrets, application data, names and addresses are stand-ins.
	Redacted bool
	// Captured is set where nobody at an end of the connection reported it, but somebody
	// that only listened. Its side is then the client's.
	Captured bool
	// Err is why the connection failed, nil if it did not, and Advice what to
	// change.
	Err    error
	Advice string
	// Warnings are problems that did not make it fail.
	Warnings []string
}

// Connection is the whole account of one connection. Its exported fields are
// the JSON, which schema.json of this package describes. Read it, do not
// change it.
type Connection struct {
	Format string `json:"format"`
	// Side is the side that was traced: "client" or "server".
	Side string `json:"side"`
	// Redacted is set where secrets, application data, names and addresses are stand-ins, so
	// that little can be checked: what cannot is given.
	Redacted bool `json:"redacted,omitempty"`
	// Captured is set where nobody at an end of the connection was asked: the account is
	// of its bytes as somebody saw them that only listened.
	Captured bool   `json:"captured,omitempty"`
	Target   string `json:"target,omitempty"`
	// TargetIs says what the target is, where it is something special.
	TargetIs string `json:"target_is,omitempty"`
	Trust    string `json:"trust,omitempty"`
	// Sent says in words what was sent as data, and why.
	Sent string `json:"sent,omitempty"`
	// Verdict is what was found out about the peer's certificates.
	Verdict *Verdict `json:"verdict,omitempty"`
	Before  string   `json:"before,omitempty"`
	// Failure is why the connection failed, in plain words, and Advice what to change.
	Failure  string   `json:"failure,omitempty"`
	Advice   string   `json:"advice,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	Summary  Summary  `json:"summary"`
	// Handshakes are all runs of the handshake.
	Handshakes []*Handshake `json:"handshakes"`
	// Flights are runs of records in one direction, and what they carry.
	Flights []Flight `json:"flights"`
	// Events are in the order in which things happened on the traced side.
	Events []Event `json:"events"`
	Checks Checks  `json:"checks"`
	// Dropped is what was not kept. Each kind in it is complete up to a moment, and
	// missing from then on.
	Dropped []Dropped `json:"dropped,omitempty"`

	start   time.Time
	side    wire.Role
	records int // counted so far
	// handshakes are all runs of the handshake, in order; there always is a first.
	handshakes []*handshake
	previous   *Connection
	nonces     [][]byte // of all tickets
	// kept are the values that a later connection can start from: the resumption
	// PSKs and, up to TLS 1.2, the master secrets.
	kept []Hex
}

// Start is the time of the first event; zero where it is not known, as of an account that
// was read from JSON.
func (c *Connection) Start() time.Time { return c.start }

// Dropped is what the Collector did not keep of one kind, because its budget ran
// out. If handshakes were dropped, the summary covers what was kept: a handshake
// that is not complete there may have completed.
type Dropped struct {
	// What it was: "application data", "handshakes and keys" or "alerts and
	// refused records".
	What string `json:"what"`
	// AtUS is when the first of it happened, in microseconds since the first event.
	AtUS    int64 `json:"at_us"`
	Records int   `json:"records"`
	Bytes   int64 `json:"bytes"`  // of these records on the wire
	Others  int   `json:"others"` // events that are not records
	// Event is the place among the events where the first of it would be, from 0.
	Event int `json:"event"`
}

// Summary is what was agreed, as read from the messages themselves.
type Summary struct {
	Version     string `json:"version,omitempty"`
	CipherSuite string `json:"cipher_suite,omitempty"`
	// KeyExchange is the suite's up to TLS 1.2: "ECDHE", "DHE_PSK".
	KeyExchange string `json:"key_exchange,omitempty"`
	// Group is a curve's name, or that of a finite field; DHBits is then its size.
	Group  string `json:"group,omitempty"`
	DHBits int    `json:"dh_bits,omitempty"`
	// PSKIdentity is the name of the pre-shared key.
	PSKIdentity     string `json:"psk_identity,omitempty"`
	SignatureScheme string `json:"signature_scheme,omitempty"`
	ServerName      string `json:"server_name,omitempty"`
	ALPN            string `json:"alpn,omitempty"`
	// Resumed is how: "id", "ticket" or "psk"; empty for a full handshake.
	Resumed    string `json:"resumed,omitempty"`
	HelloRetry bool   `json:"hello_retry,omitempty"`
	ClientAuth bool   `json:"client_auth,omitempty"`
	// LateClientAuth is set where the client was asked for its certificate after
	// the handshake, in TLS 1.3.
	LateClientAuth bool `json:"late_client_auth,omitempty"`
	// Renegotiations are the further handshakes that came to their end.
	Renegotiations int `json:"renegotiations,omitempty"`
	// Compression of the records; empty for none.
	Compression string `json:"compression,omitempty"`
	// SendLimit and ReceiveLimit are the most content of a record that the traced side may
	// send and be sent, in bytes; 0 where nothing was agreed on. LimitedBy is the extension
	// that says so.
	SendLimit    int    `json:"send_limit,omitempty"`
	ReceiveLimit int    `json:"receive_limit,omitempty"`
	LimitedBy    string `json:"limited_by,omitempty"`
	// Complete is set when both Finished messages were seen.
	Complete bool `json:"complete"`
	// RoundTrips is how often the client waited for the server before it could
	// send application data.
	RoundTrips int `json:"round_trips"`
	// HandshakeUS is the time from the first event to the first handshake's last Finished, in
	// microseconds.
	HandshakeUS int64 `json:"handshake_us"`
	// ClosedByClient and ClosedByServer are set for a close_notify of that side.
	ClosedByClient bool `json:"closed_by_client"`
	ClosedByServer bool `json:"closed_by_server"`
}

// A Handshake is one run of the handshake: the first of a connection, or another
// one inside it.
type Handshake struct {
	// Kind is "full", "resumption", "renegotiation", or "client authentication"
	// for one that only asks the client for its certificate.
	Kind string `json:"kind"`
	// Complete is set when its last Finished was seen.
	Complete bool `json:"complete"`
	// KeyExchange is the suite's, as "DHE_PSK"; empty in TLS 1.3 and for what has none.
	KeyExchange string `json:"key_exchange,omitempty"`
	Version     string `json:"version,omitempty"`
	CipherSuite string `json:"cipher_suite,omitempty"`
	// ServerCertificate and ClientCertificate are set where that side showed one.
	ServerCertificate bool `json:"server_certificate,omitempty"`
	ClientCertificate bool `json:"client_certificate,omitempty"`
	// Messages are those of the key exchange in their order, and Story says in a
	// sentence what they bring about.
	Messages []string `json:"messages"`
	Story    string   `json:"story,omitempty"`
	// Transcript are the messages that the transcript hash covers, in order; Hash names
	// the hash, and is empty where none was agreed on.
	Transcript []Point `json:"transcript,omitempty"`
	Hash       string  `json:"hash,omitempty"`
	// Cost is what the handshake took.
	Cost Cost `json:"cost"`
}

// A Point is a message of a transcript, and the hash of the transcript up to and
// with it.
type Point struct {
	// Event is the place of the message among the events, from 0.
	Event int    `json:"event"`
	Name  string `json:"name"`
	Hash  Hex    `json:"hash,omitempty"`
}

// A Flight is a run of records in one direction, and a row of the ladder.
type Flight struct {
	Number int    `json:"number"`
	From   string `json:"from"`
	// StartUS and EndUS are in microseconds since the first event.
	StartUS int64 `json:"start_us"`
	EndUS   int64 `json:"end_us"`
	Records int   `json:"records"`
	Bytes   int   `json:"bytes"` // on the wire
	// AfterGap is set where records before it were not kept.
	AfterGap bool `json:"after_gap,omitempty"`
	// Rungs are the lines of the ladder.
	Rungs []Rung `json:"rungs"`
}

// Mood is how a line shall strike its reader, which a renderer shows by colours or
// marks.
type Mood string

const (
	Plain   Mood = ""
	Quiet   Mood = "quiet"   // of no consequence
	Good    Mood = "good"    // as it should be
	Advice  Mood = "advice"  // what to do about it
	Warning Mood = "warning" // not what it should be
	Bad     Mood = "bad"     // wrong
)

// A Rung is one line of the ladder: a message, or records of one kind.
type Rung struct {
	AtUS   int64  `json:"at_us"`
	Name   string `json:"name"`
	Words  string `json:"words,omitempty"`
	Sealed bool   `json:"sealed,omitempty"`
	Mood   Mood   `json:"mood,omitempty"`
	// Note is set for a line that says something of the account: nothing went
	// over the wire.
	Note bool `json:"note,omitempty"`

	// of application data
	first          string
	says           []string
	split          []byte // the first byte, of which the rest comes next
	bytes, records int
}

// An Event is one thing that happened: exactly one of its pointers is set.
type Event struct {
	// AtUS is in microseconds since the first event.
	AtUS int64 `json:"at_us"`
	// Flight is the number of the flight during which it happened.
	Flight int `json:"flight"`
	// Handshake is the run of the handshake during or after which it happened, from 1.
	Handshake int      `json:"handshake"`
	Record    *Record  `json:"record,omitempty"`
	Message   *Message `json:"message,omitempty"`
	Choice    *Choice  `json:"choice,omitempty"`
	Secret    *Secret  `json:"secret,omitempty"`
	Keys      *Keys    `json:"keys,omitempty"`
	Alert     *Alert   `json:"alert,omitempty"`
	Gap       *Gap     `json:"gap,omitempty"`
	End       *End     `json:"end,omitempty"`

	hs *handshake
}

// Record is one record and, where it was protected, how and what was inside.
type Record struct {
	Number int    `json:"number"` // from 1, over both directions
	From   string `json:"from"`
	Epoch  int    `json:"epoch"`
	Seq    uint64 `json:"seq"`
	// Type is the true content type, the inner one under TLS 1.3 protection. Of
	// a refused record it is the outer one, and empty for what is no record.
	Type   string  `json:"type"`
	Header []Field `json:"header"`
	// Protection names the cipher, and Nonce what it was used with: the nonce
	// of an AEAD, the IV of a CBC record. Both are empty in the clear.
	Protection string `json:"protection,omitempty"`
	Nonce      Hex    `json:"nonce,omitempty"`
	NonceIs    string `json:"nonce_is,omitempty"`
	// Additional is what the protection covers besides the content: the additional
	// data of an AEAD, and what a MAC covers before the content.
	Additional   Hex    `json:"additional,omitempty"`
	AdditionalIs string `json:"additional_is,omitempty"`
	// Sealed are the parts of a protected record after its header: their offsets
	// are from there.
	Sealed []Field `json:"sealed,omitempty"`
	// Added is what protection had put behind the content inside: the type and the
	// zeros of TLS 1.3, the MAC and the padding of others. Inside are the parts of
	// both: of the content, before it was decompressed, and of what was added.
	Added   Hex     `json:"added,omitempty"`
	Inside  []Field `json:"inside,omitempty"`
	Padding int     `json:"padding"`
	// Compressed is the length of the content before it was decompressed, and
	// Packed what that was.
	Compressed int      `json:"compressed,omitempty"`
	Packed     Hex      `json:"packed,omitempty"`
	Carries    []string `json:"carries,omitempty"`
	Wire       Hex      `json:"wire"`
	Plain      Hex      `json:"plain"`
	// Note is a sentence on what is special about it.
	Note string `json:"note,omitempty"`
	// Body are the fields of an alert that it holds, and of application data that is HTTP.
	Body []Field `json:"body,omitempty"`
	// Says is in a few words what application data says, where that is HTTP.
	Says string `json:"says,omitempty"`
	// Refused is why it was refused: wire is then what had arrived of it, and
	// plain is empty. Refusal says in a few words what was refused.
	Refused string `json:"refused,omitempty"`
	Refusal string `json:"refusal,omitempty"`
	// Unopened is why somebody that only listened could not open it, as a clause: wire is
	// all that is known of it then, and plain is empty.
	Unopened string `json:"unopened,omitempty"`
	Check    Check  `json:"check"`

	from wire.Role
	typ  wire.ContentType
	shut bool // refused, and the re-derived keys do not open it either
	// bare: it has a MAC and is not encrypted; split: the one after it goes on
	// with the same data.
	bare, split bool
	// gap: records of its direction before it were not kept; resumes: records of
	// any direction were not.
	gap, resumes bool
	// unsure: a listener did not see, or did not open, what came before it.
	unsure bool
	// early: it was sent before the server had answered.
	early bool
}

// Message is one handshake message.
type Message struct {
	Name          string `json:"name"`
	From          string `json:"from"`
	PostHandshake bool   `json:"post_handshake,omitempty"`
	// SSL2 is set for a ClientHello in the format of SSL 2.0.
	SSL2 bool `json:"ssl2,omitempty"`
	// Meaning is a sentence on what the message is for.
	Meaning string `json:"meaning,omitempty"`
	Ref     string `json:"ref,omitempty"`
	// Words are the few that matter, as in the ladder.
	Words string `json:"words,omitempty"`
	// Pieces are the parts of records that carried it, in order.
	Pieces []Piece `json:"pieces"`
	Fields []Field `json:"fields"`
	// Covers is what the proof in it is over: of a Finished, a signature or a binder.
	Covers string `json:"covers,omitempty"`
	Raw    Hex    `json:"raw"`
	// Inner is the ClientHello that this one has encrypted, where it is known, or the
	// Certificate that this one has compressed. RFC 9849 §5, RFC 8879 §4.
	Inner *Message `json:"inner,omitempty"`
	// InnerCounts: the server has taken Inner, which then stands in the transcript.
	InnerCounts bool `json:"inner_counts,omitempty"`
	// Malformed is why the message could not be read to its end.
	Malformed string  `json:"malformed,omitempty"`
	Checks    []Check `json:"checks,omitempty"`
	// Cost is what the message took.
	Cost Cost `json:"cost"`

	from   wire.Role
	typ    wire.HandshakeType
	parsed wire.Message
	ctx    wire.Context
	hs     *handshake
	scheme wire.SignatureScheme // of its signature, also where it does not say so
}

// Piece is the part of a record's content that carried a message.
type Piece struct {
	Record int `json:"record"`
	Offset int `json:"offset"` // in the record's content
	Length int `json:"length"`
}

// Field is one field of a message or header. Those that are not groups tile
// the bytes exactly once.
type Field struct {
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	Depth  int    `json:"depth"`
	Group  bool   `json:"group,omitempty"`
	Name   string `json:"name"`
	Value  string `json:"value,omitempty"`
	// Meaning is a sentence on what the field is for, where one helps.
	Meaning string `json:"meaning,omitempty"`
	Ref     string `json:"ref,omitempty"`
	Bytes   Hex    `json:"bytes,omitempty"` // of a leaf
	// Details say what is in a certificate.
	Details []Detail `json:"details,omitempty"`
}

// A Detail is one thing that a certificate says.
type Detail struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Choice is one decision of the negotiation.
type Choice struct {
	What   string   `json:"what"`
	By     string   `json:"by"`
	Ours   []string `json:"ours,omitempty"`
	Theirs []string `json:"theirs,omitempty"`
	// Picked is empty where nothing suited both.
	Picked string `json:"picked"`
	Why    string `json:"why,omitempty"`
	Ref    string `json:"ref,omitempty"`
}

// Secret is a value of the key schedule.
type Secret struct {
	Name    string `json:"name"`
	Meaning string `json:"meaning,omitempty"`
	// Formula is how the RFC writes the derivation.
	Formula string `json:"formula"`
	How     string `json:"how"`
	From    string `json:"from,omitempty"`
	Salt    string `json:"salt,omitempty"`
	Label   string `json:"label,omitempty"`
	Input   Hex    `json:"input,omitempty"`
	InputIs string `json:"input_is,omitempty"`
	Hash    string `json:"hash,omitempty"`
	Ref     string `json:"ref,omitempty"`
	Value   Hex    `json:"value"`
	Check   Check  `json:"check"`

	lack string // why the value cannot be relied on; empty where it can
}

// Keys are the keys that one direction changes to.
type Keys struct {
	From           string `json:"from"`
	Epoch          int    `json:"epoch"`
	Version        string `json:"version"`
	CipherSuite    string `json:"cipher_suite"`
	Secret         string `json:"secret"`
	Label          string `json:"label,omitempty"`
	Formula        string `json:"formula,omitempty"`
	Key            Hex    `json:"key"`
	IV             Hex    `json:"iv,omitempty"`
	MAC            Hex    `json:"mac,omitempty"`
	EncryptThenMAC bool   `json:"encrypt_then_mac,omitempty"`
	Ref            string `json:"ref,omitempty"`
	Check          Check  `json:"check"`

	from wire.Role
	dir  trace.Direction
	raw  trace.Keys
	lack string // why they cannot be relied on; empty where they can
	// derived are the keys as they follow from the secret, which open records;
	// nil where they could not be derived.
	derived *recompute.Keys
}

// Alert is an alert, or the orderly close that close_notify is.
type Alert struct {
	From    string `json:"from"`
	Level   string `json:"level"`
	Code    string `json:"code"`
	Meaning string `json:"meaning,omitempty"`
	// Reason is why we sent it.
	Reason string `json:"reason,omitempty"`
	Ref    string `json:"ref"`

	from wire.Role
}

// Gap are bytes of one side that were not captured.
type Gap struct {
	From string `json:"from"`
	// Bytes is how many are missing; -1 where nobody knows.
	Bytes int64 `json:"bytes"`
	// Skipped is how many bytes were captured after them, in which no record's start was
	// found.
	Skipped int64 `json:"skipped,omitempty"`

	from wire.Role
}

// End is one side's close of the connection below TLS, as it was captured.
type End struct {
	From string `json:"from"`

	from wire.Role
}
