// Package explain gives a whole account of one TLS connection: every record
// and message with its fields and bytes, each choice and why, each secret and
// how it follows from the others, application data, and the close.
//
// # Collecting
//
// A [Collector] takes what package trace reports. Set its hooks in the
// configuration of one connection, and ask for the account afterwards, also
// when the connection failed:
//
//	var c explain.Collector
//	config.Trace = c.Hooks()
//	conn, err := tls.Dial("tcp", "example.com:443", config)
//	...
//	account := c.Connection(explain.About{Target: "example.com:443", Trust: "verified for example.com", Err: err})
//	text.Write(os.Stdout, account, text.Options{})
//
// It keeps at most [Collector.Budget] bytes, 16 MiB by default. A connection that
// has more is told up to there: application data is dropped before handshakes, and
// these before alerts. [Connection.Dropped] and the text say what is missing, and
// what cannot be checked without it counts as [Given].
//
// # Reading
//
// Package explain/text writes it for people. The first screen is the outcome and a
// ladder: the flights of both sides, a line for each message with the few words
// that matter, double arrows where it was encrypted. Below it is everything in
// the order in which it happened. [Connection.JSON] writes the same, with all
// bytes in full, in the shape that [Schema] describes.
//
// # Checking
//
// Nothing that the engine reports is taken on trust. What can be computed again
// is, with code that shares nothing with the engine's:
//
//   - each secret of the key schedule, by the rule that the RFC of its version
//     has for it, SSL 3.0 to TLS 1.3, with transcript hashes of the messages as
//     they were on the wire;
//   - the keys of each direction, from their secret;
//   - each protected record, opened again from its bytes with those keys, and
//     decompressed where that was agreed;
//   - each Finished, PSK binder and signature, and what ties a renegotiation to
//     the handshake before it.
//
// A renegotiation, and the authentication of a client after the handshake, are
// further runs of the handshake in the same account: each has a transcript and
// secrets of its own.
//
// [Checks] sums up what came of it. A shared or pre-shared secret and its like are
// inputs, which a trace cannot confirm: they are marked [Given].
//
// # Warning
//
// What a connection uses and should not, such as SSL 3.0, RC4 or compression, is
// among [Connection.Warnings], each with the attack that it opens the door to.
//
// An account holds the secrets of its connection: whoever reads it can read the
// connection. Guard it like a key.
package explain
