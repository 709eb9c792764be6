// Package fleet lets the servers of a fleet resume each other's sessions: it keeps sessions and
// ticket keys in a store that all of them reach.
//
// [Open] takes the URL of a store and the fleet's keys. [Sessions.Apply] prepares any number of
// tls.Configs, and [Sessions.Run] keeps their ticket keys up to date:
//
//	redis://USER:PASSWORD@HOST:6379/0      package session/redis; rediss:// with TLS
//	memcached://HOST:11211,HOST:11211      package session/memcached
//	nats://HOST:4222/BUCKET                package session/nats; tls:// with TLS
//	file:///var/lib/vitrine/sessions       package session/files, for the processes of one machine
//	(empty)                                this process alone
//
// # What the store learns
//
// Each value is sealed with XChaCha20-Poly1305 under a key of the fleet, and bound to what it is
// for and to its name. If you read the store you see how many sessions there are, how long each
// is and when it expires. If you write to it you can remove sessions, or put one back that was
// taken, and no more: a value copied to another name does not open. Names are digests.
//
// # Keys of the fleet
//
// They are secrets of 32 random bytes, the first of which seals; all of them open. To rotate,
// give all members the new key as the second one, then as the first one, and take the old one
// away two days later.
//
// # Ticket keys
//
// One record of the store has the schedule of ticket keys. Each member reads it every other
// second. Some hours before the next key is due, the members try to add it by a compare-and-set,
// and exactly one of them does. A member that is cut off goes on sealing with the last key that
// it knows, until the time of that key is over, and then gives out no tickets: whatever it has
// sealed can be opened by the others. Where the store has lost the record, the members put back
// what they know.
//
// # Failure
//
// A session that cannot be looked up in [Settings.Timeout] costs a full handshake, and so does
// each error. After some failures in a row the store is left alone ([ErrResting]); one call at a
// time then tries whether it is back, at least every two seconds. No handshake fails because of
// the store.
package fleet
