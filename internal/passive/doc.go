// Package passive listens to a connection that it takes no part in: from the two
// byte streams, and what keys there are, it makes the trace events that the client's
// own engine would have made.
//
// A [Listener] is one connection. It is given the bytes of each direction in the order
// in which they were seen, and calls [trace.Hooks] while it reads them; what the client
// sent is trace.Sent. [Keys] is what is known besides the bytes: a key log, RSA private
// keys, pre-shared keys. It may grow while it is asked. [Sessions] is what the earlier
// connections of a capture left behind, so that a resumed session opens too.
//
// Nothing is guessed. A record counts as opened when its MAC or its AEAD says so, and
// what does not open is reported with the reason: trace.Record.Unopened. Bytes that were
// not captured are a trace.Gap.
//
// Without hooks a Listener only lists: it reads hellos, and passes over the body of each
// protected record.
//
//	listener.go   the API, and how the streams become records
//	clear.go      records in the clear, and what comes in place of TLS
//	open.go       protected records
//	epochs.go     which keys open which records
//	messages.go   handshake messages, gathered from records
//	handshake.go  what the messages agree on
//	secrets12.go  the key schedule up to TLS 1.2
//	secrets13.go  the key schedule of TLS 1.3
//	alone13.go    the same where a pre-shared key is all that enters it
//	gap.go        how to go on after bytes that are missing
//	keys.go       what a listener knows
//	sessions.go   what a connection leaves behind
//	summary.go    one line on a connection
//
// A Listener holds one record, one handshake message and the transcript's hash for each
// direction at most, whatever it is sent. Streams that are not TLS end it with what it
// has seen.
package passive
