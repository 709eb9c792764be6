// Package session holds what two TLS peers keep of a connection in order to
// resume it later: the [Session] value, and the two doors through which a
// server gets back to it.
//
// # One blob, two doors
//
// A [Session] is written as one opaque blob ([Session.Append], [Parse]). What
// the server hands to the client is never the blob but a handle to it:
//
//   - a session ID, which is a key of a [Store] in which the server keeps the
//     blob (TLS 1.2 and before, RFC 5246 §7.3; and single-use tickets);
//   - a ticket, which is the blob itself, sealed by a [Sealer] so that only
//     servers with the same keys can open it (RFC 5077, RFC 8446 §4.6.1).
//
// [Memory] is a Store for one process. Within a budget of bytes it keeps the
// sessions used last, 9,800 sessions per MiB. [Memory.Stats] says how it fares.
// A store that evicts much, and does not expire much, is too small.
//
// [TicketKeys] is a Sealer that makes and rotates its own keys, or is given those
// of a fleet.
//
// # The keys of a fleet
//
// Servers that open each other's tickets need the same keys, and none gets a new
// one at the same moment as the others. So a key goes through stages ([Stage]),
// by the clock alone:
//
//	you publish it    it opens tickets, and seals none
//	from its moment   it seals and opens
//	the next one's    it opens, while the tickets it sealed are good
//	25 hours later    it is wiped from memory
//
// Give each server a schedule ([TicketKeys.SetSchedule]) with the key of today and
// that of tomorrow, and each day one with a key more, some hours before it
// seals. [TicketKeys.Keys] shows the name and stage of each key, so that you can
// see that all servers have it. Clocks may differ by up to an hour.
//
// # Binding
//
// A session proves that a full handshake took place under certain rules. If
// another virtual host, with other rules, accepted it, a client could step
// around that host's client authentication. So each session carries the digest
// of the rules it was made under ([Binding]): the virtual host, the policy for
// client certificates, the set of client CAs, whatever else must not change.
// A Sealer takes the same digest as associated data, so a ticket made for one
// set of rules does not open under another; if you take a blob from a Store,
// compare [Session.Binding] yourself.
//
// # Failure
//
// Losing a session costs one full handshake, never a connection. So every
// error of this package means "do a full handshake"; [ErrNotFound] is the
// ordinary one. Secrets are kept out of what fmt, log/slog and encoding/json
// print of a Session; the blob, and what a Store holds, do contain them, and
// must be guarded like private keys.
package session
