// Package wire holds every codec and every IANA number of SSL/TLS.
//
// Each message is one file: its grammar in the presentation language of the
// RFC, its parse and its append side by side. The same codec serves the
// protocol engine, which reads with a bare [Reader], and the tools that show
// a connection, which attach a [Recorder] and get a [Span] for each field.
//
// Two laws hold for every input, and the tests and fuzz targets check them:
//
//   - the leaf spans tile the input exactly once;
//   - parse, then append, gives the same bytes.
//
// What selects a grammar but is not in the bytes themselves (the negotiated
// version, the key exchange, which side speaks) is passed as a [Context].
//
// Parsed messages alias the input: if you keep a message, you keep its bytes.
package wire
