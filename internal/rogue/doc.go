// Package rogue tests the library against a peer that misbehaves in one way at a
// time. It is for tests, for interop/soak and for the lab, which drives a [Relay].
//
// Two honest connections of package tls talk in memory, over all versions and key
// exchanges, and a rogue stands between them. It knows the keys, because both
// sides show them in their traces, and so it can do what an attacker with a stolen
// key or a broken implementation can: leave a message out, send it twice, too early
// or under other keys, change one bit of it, or put one in that is no part of the
// handshake, each correctly protected for the side that gets it, its victim. It can
// also mend what would give it away: a Finished or CertificateVerify is made anew
// over what the victim has seen, so that it is the victim's state machine that has
// to notice, and not its Finished. Without keys it can change the bytes on the wire.
//
// A [Flow] is one shape of connection, a [Deviation] is one thing that the rogue
// does differently, and a [Stage] plays one flow with one deviation after another
// and judges each run:
//
//   - no side completes a handshake whose messages are not those that its peer has
//     sent and received;
//   - a victim that was sent what cannot be part of its handshake does not complete
//     it at all, mended or not; what is legal all the same stands in legal.go, with
//     its reason;
//   - no run hangs: where both sides wait, the network ends at once.
//
// All is deterministic but for keys and randoms: there are no timers, and each end
// learns at once that nothing more will come.
package rogue
