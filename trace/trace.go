// Package trace holds the hook and event types through which vitrine shows a
// connection: every record, message, secret, key, choice and alert, emitted by
// the code that runs the protocol, in the order in which things happen.
//
// Set [Hooks] as Config.Trace of package tls. A nil func costs nothing. The
// funcs are called synchronously, on the goroutine that runs the handshake,
// Read or Write, and the slices in an event are valid only during the call:
// copy what you keep. The two directions of a connection may call at the same
// time after the handshake, so a hook that keeps state needs its own lock.
//
// Events hold the connection's secrets. A trace must be guarded like a key.
package trace

import "github.com/vitrine-tls/vitrine/wire"

// Hooks are the functions to call, each of which may be nil.
type Hooks struct {
	// Connection, where it is set, is called as each connection begins, and returns
	// the Hooks for that one alone, nil for none; the other funcs beside it are not
	// called then. It keeps the events of two connections with one Config apart.
	Connection func() *Hooks

	// Inner is called after Message, where that has another inside: a ClientHello an encrypted
	// one, or a CompressedCertificate the Certificate.
	Inner   func(Inner)
	Record  func(Record)
	Message func(Message)
	Secret  func(Secret)
	Keys    func(Keys)
	Choice  func(Choice)
	Alert   func(Alert)

	// Gap and End are called for a connection that somebody only listens to.
	Gap func(Gap)
	End func(End)
}

// Direction says which way something went, seen from the traced side.
type Direction uint8

const (
	Sent Direction = iota + 1
	Received
)

func (d Direction) String() string {
	if d == Sent {
		return "sent"
	}
	return "received"
}

// Record is one TLS record. Sent records are reported after the messages they
// carry, received ones before.
type Record struct {
	Dir Direction
	// Epoch counts the key changes of this direction: 0 is in the clear, and
	// n is protected under the n-th Keys event of the same direction.
	Epoch int
	// Seq is the record's number within its epoch.
	Seq uint64
	// Type is the content type: under TLS 1.3 protection the inner one, while
	// Wire[0] is the outer one.
	Type wire.ContentType
	// Wire is the record as it was on the wire, header included. Of a refused
	// one it is what had arrived; where the peer does not speak TLS, that is
	// more than what would be the header and the body.
	Wire []byte
	// Plain is the content after opening or before sealing, without padding.
	Plain []byte
	// Padding is the number of zero bytes of TLS 1.3 record padding. RFC 8446 §5.4.
	Padding int
	// Err is why a received record was refused, which ends the connection: it is
	// not TLS, its header is wrong, or it does not open. Plain is nil then, and
	// Type the outer one.
	Err error
	// Unopened is why somebody that only listens could not open a protected record, as a
	// clause for people: its keys are not known, bytes of it are missing. Plain is nil
	// then, and Type the outer one. It may have been fine for its receiver.
	Unopened string
}

// Message is one handshake message, header included, whole.
type Message struct {
	Dir Direction
	// Raw is the message as it enters the transcript. RFC 8446 §4.
	Raw []byte
	// Context selects the grammar to parse Raw with.
	Context wire.Context
	// PostHandshake is set for messages after the last Finished.
	PostHandshake bool
	// SSL2 is set for a ClientHello in the format of SSL 2.0, which has no
	// handshake header. RFC 5246 §E.2.
	SSL2 bool
}

// Inner is the ClientHello that another one has encrypted, or the Certificate that a
// CompressedCertificate stands for. RFC 9849 §5, RFC 8879 §4.
type Inner struct {
	Dir Direction
	// Raw is the message, header included. A ClientHello has what it shares with the other
	// one, and no padding, as it enters the transcript.
	Raw []byte
}

// Secret is a value of the key schedule and the step that made it.
type Secret struct {
	// Name is the RFC's name of the value: "client_handshake_traffic_secret".
	Name string
	// How is the function that made it: "ECDHE", "RSA", "PRF", "HKDF-Extract",
	// "HKDF-Expand-Label".
	How string
	// From names the secret it was derived from; empty for a shared secret.
	From string
	// Salt names the secret used as HKDF-Extract's salt, where there is one.
	Salt string
	// Label is the PRF's or HKDF's label, without the "tls13 " prefix.
	Label string
	// Input is the PRF's seed, the HKDF context or the extracted key material.
	Input []byte
	// InputIs says what Input is: "ClientHello..ServerHello", "client_random + server_random".
	InputIs string
	// Hash is the hash's name: "SHA-256".
	Hash  string
	Value []byte
	// Ref is where it is specified: "RFC 8446 §7.1".
	Ref string
}

// Keys are the keys of one direction, installed at the moment of the call.
type Keys struct {
	Dir Direction
	// Epoch is the number that the direction's records bear from now on.
	Epoch   int
	Version wire.Version
	Suite   wire.CipherSuite
	// Secret names the secret that they were derived from.
	Secret string
	// Label names them in words: "handshake", "application", "application, update 1".
	Label        string
	Key, IV, MAC []byte
	// EncryptThenMAC is set where RFC 7366 was agreed.
	EncryptThenMAC bool
}

// Choice is one decision of the negotiation and its reason.
type Choice struct {
	// What was decided: "version", "cipher suite", "group", "signature scheme",
	// "certificate", "ALPN", "resumption".
	What string
	// By is the side that decided.
	By wire.Role
	// Ours and Theirs are what each side could do, best first; either may be nil.
	Ours, Theirs []string
	// Picked is empty where nothing was acceptable to both.
	Picked string
	Why    string
	Ref    string
}

// Alert is an alert, sent or received.
type Alert struct {
	Dir   Direction
	Level wire.AlertLevel
	Code  wire.AlertCode
	// Err is why we sent it; nil for close_notify and for received ones.
	Err error
}

// Gap are bytes of one direction that somebody that only listens did not see.
type Gap struct {
	Dir Direction
	// Bytes is how many are missing; -1 where nobody knows.
	Bytes int64
	// Skipped is how many bytes were seen after them, in which no record's start was found.
	Skipped int64
}

// End says that one direction was closed below TLS, as somebody that only listens has
// seen it. A direction without one was cut off where the capture ends.
type End struct {
	Dir Direction
}
