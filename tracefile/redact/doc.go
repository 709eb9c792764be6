// Package redact makes traces that can be shown to others: it puts stand-ins in the place
// of secrets, application data, names and addresses.
//
// A stand-in has the length of what it stands for, and with one [Redactor] the same value
// always has the same one: it can be seen that the name in the hello is that in the
// certificate, and that a session is offered which was issued before. Stand-ins follow
// from a key that each Redactor makes for itself, so nobody can try values out.
//
// # What is kept, and what is not
//
// What a peer chooses freely is replaced, and what the protocol gives names to is kept.
// In a message each field that is not known to be harmless is replaced (fields.go lists
// those that are). So versions, suites, groups, extensions, ALPN, randoms, key shares,
// lengths, times and alerts stay. Names, certificates, pre-shared key identities,
// tickets, session IDs, cookies, staples, signatures and Finished do not. In a
// certificate the structure, the algorithms and the dates stay. Its public key and serial
// number do not, because public logs find the name by them; nor does a signature, from
// which a key can be computed.
//
// Of a protected record the header stays. What is protected is replaced too: with a weak
// cipher, or a key that is stolen later, it could be read, and without the keys nothing in
// it can be checked.
//
// In sentences, like why a handshake failed, these are replaced: names and addresses, what
// stands in quotes, and every value that was replaced elsewhere.
//
// The times of the connection and the lengths of all things stay. Where those would give
// a secret away, do not show the trace.
package redact
