// Package explain reports everything about one TLS connection. It shows every
// record and message with its fields and bytes, each choice and its reason, each
// secret and its source, application data, and the close.
//
// # Collecting
//
// A [Collector] takes what package trace reports. Set its hooks in the
// configuration of one connection, and ask for the account afterwards, also if
// the connection failed:
//
//	var c explain.Collector
//	config.Trace = c.Hooks()
//	conn, err := tls.Dial("tcp", "example.com:443", config)
//	...
//	account := c.Connection(explain.About{Target: "example.com:443", Trust: "verified for example.com", Err: err})
//	text.Write(os.Stdout, account, text.Options{})
//
// A Collector keeps at most [Collector.Budget] bytes, 16 MiB by default. When the
// budget runs out, it drops application data first, then handshakes, and alerts
// last. [Connection.Dropped] says what is missing. A check that needs it gives
// [Given].
//
// # Reading
//
// [Connection] is plain data. [Connection.JSON] writes all of it, with all bytes in
// full, in the shape that [Schema] describes. Package explain/text writes it for
// people. Both start with the same two things:
//
//   - [Connection.Outcome]: how it ended, what was agreed and proved, and what to
//     beware of;
//   - [Connection.Flights], the ladder: the flights of both sides, and a line for
//     each message with the few words that matter.
//
// # Checking
//
// The account does not trust the engine. It computes these again, with code that
// shares only ciphers and hashes with the engine:
//
//   - each secret of the key schedule, by the rule in the RFC of its version, SSL
//     3.0 to TLS 1.3, with transcript hashes of the messages on the wire;
//   - the keys of each direction, from their secret;
//   - each protected record, opened again with those keys, and decompressed if
//     that was agreed;
//   - each Finished, PSK binder and signature, and the renegotiation_info that ties
//     a renegotiation to the handshake before it.
//
// A renegotiation is a further handshake in the same account, with a transcript and
// secrets of its own. So is the authentication of a client after the handshake.
//
// [Checks] sums up the results. Some values are inputs, such as shared and
// pre-shared secrets: a trace cannot confirm them, so they are marked [Given].
//
// # Warning
//
// [Connection.Warnings] lists what a connection should not use, such as SSL 3.0,
// RC4 or compression, each with the attack that it allows.
//
// An account holds the secrets of its connection: anyone who reads it can read the
// connection. Guard it like a key.
package explain
