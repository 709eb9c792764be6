// Package event says what happens in a proxy, to those that count it, log it or keep it.
package event

import (
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// Hooks are told of what happens, from many goroutines. Any may be nil. They must return soon:
// the connection waits.
type Hooks struct {
	// Accepted is called for each connection that a listener took, before its handshake.
	Accepted func(*Connection)
	// Refused is called for a connection that was turned away. For a limit on connections or a
	// wrong PROXY header no other hook is called; for another Reason, Closed comes after it. err
	// says more, such as what the client is known as; nil if the reason says all.
	Refused func(listener string, peer net.Addr, why Reason, err error)
	// AcceptFailed is called when a listener got an error in place of a connection, such as that
	// this process has too many files open. It tries again after a pause, of 1 s at most.
	AcceptFailed func(listener string, err error)
	// Handshaken is called at the end of each handshake with a client, good or failed, before
	// anything else is read or written: it may change the connection's trace hooks.
	Handshaken func(*Connection, Handshake)
	// RequestFailed is called for each request of HTTP mode that this proxy answers in place of a
	// target. Requests of one connection may be told at the same time.
	RequestFailed func(*Connection, Request)
	// Connected is called when a target was reached, or could not be.
	Connected func(*Connection, Target)
	// Closed is called once for each connection that was Accepted.
	Closed func(*Connection, Result)

	// Health is called when the state of an address of a target changes, and when it is first
	// known under a configuration. Addresses without checks have none.
	Health func(target, address string, up bool, why error)
	// Reloaded is called after each reload; err is nil where it was taken.
	Reloaded func(err error)
	// Certificate is called when one was loaded, renewed, stapled or could not be.
	Certificate func(Certificate)
	// Store is called after each call to the session store.
	Store func(operation string, took time.Duration, err error)
}

// A Connection is one that a client has made.
type Connection struct {
	ID       uint64 // counts from 1 in this process
	Listener string // the address as the configuration writes it
	Peer     net.Addr
	At       time.Time
	// What is known after the handshake and the choice of a route.
	ServerName string
	ALPN       string
	Target     string // the name of the target; empty while none is chosen
	Identity   string // of the client, as the rule that let it in names it; empty for none
	// Note belongs to the hooks, from Accepted to Closed. Nobody else touches it.
	Note any
}

// A Handshake is the outcome of one.
type Handshake struct {
	Took  time.Duration
	State *tls.ConnectionState // nil where Err is not
	// Conn is for asking about the connection, not for reading and writing.
	Conn *tls.Conn
	Err  error
}

// A Target is the outcome of reaching for one.
type Target struct {
	Name, Address string
	Took          time.Duration
	Err           error
}

// A Request is one that no target has answered.
type Request struct {
	ID     string // which the client's answer has too
	Method string // as the client wrote them
	Host   string
	Path   string
	Status int // of the answer
	Err    error
}

// A Result is what a connection amounted to.
type Result struct {
	Took     time.Duration
	Received int64 // bytes of the client, without TLS
	Sent     int64 // bytes to the client
	Err      error // nil for an orderly end
}

// A Certificate is news of one.
type Certificate struct {
	Source string // as the configuration writes it
	What   string // as in package certstore
	Names  []string
	Until  time.Time
	Err    error
}

// A Reason says why a connection was turned away.
type Reason string

// Reasons.
const (
	TooMany        Reason = "connections"  // the limit for all
	TooManyOfPeer  Reason = "per-address"  // the limit for one address
	TooManyWaiting Reason = "handshakes"   // too many wait for their handshake
	NoMemory       Reason = "memory"       // the budget is used up
	NoRoute        Reason = "no route"     // no route fits, and there is no target
	NotAllowed     Reason = "not allowed"  // the client's identity meets no rule
	BadHeader      Reason = "proxy header" // a PROXY header was wrong or missing
	BadStartTLS    Reason = "starttls"     // what came before TLS was not what the protocol asks for
	Stopping       Reason = "stopping"
)
