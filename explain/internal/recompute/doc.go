// Package recompute is a second implementation of what a TLS connection
// computes: it shares nothing with the engine, so that what both agree on was
// computed in two ways. It takes bytes, cipher suites and parameters, and knows
// no connection. It is written to be read beside the RFCs: short, in their
// order and with their names, and neither fast nor in constant time.
//
// # What it covers
//
//   - PRFs (prf.go): that of SSL 3.0 (RFC 6101 §6.1, §6.2.2), of TLS 1.0 and 1.1
//     (RFC 2246 §5, RFC 4346 §5), of TLS 1.2 (RFC 5246 §5), and HKDF with the
//     labels of TLS 1.3 (RFC 5869, RFC 8446 §7.1).
//   - Key schedules (schedule.go, derive.go): each value as a [Rule] with its
//     label, its parents and its input, for SSL 3.0 to TLS 1.3, with pre-shared
//     keys (RFC 4279 §2), the extended master secret (RFC 7627 §4) and KeyUpdate
//     (RFC 8446 §7.2). Finished values are part of them.
//   - Keys (keys.go): the key block and how it is cut (RFC 5246 §6.3), traffic
//     keys (RFC 8446 §7.3).
//   - Records (record.go, inflate.go): AEAD (RFC 5288 §3, RFC 6655 §3, RFC 7905
//     §2, RFC 8446 §5), CBC with its padding and MAC (RFC 5246 §6.2.3, RFC 6101
//     §5.2.3), encrypt-then-MAC (RFC 7366 §3), RC4 and NULL, DEFLATE (RFC 3749).
//   - The transcript (transcript.go): its hash, also after a HelloRetryRequest
//     (RFC 8446 §4.4.1, RFC 5246 §7.4.9).
//   - Proofs (signature.go, proofs.go): signatures of every version (RFC 8446
//     §4.4.3, RFC 5246 §7.4.3 and §7.4.8, RFC 6101 §5.6.8), PSK binders (RFC 8446
//     §4.2.11.2), renegotiation_info (RFC 5746 §3).
//
// Ciphers, hashes and big numbers are those of the standard library and of
// internal/suite, whose tables say what a cipher suite is made of. Key exchanges
// are not covered: their results are inputs, as a trace has no private keys.
package recompute
