// Package diff compares two connections: what differs in their offers and their order, in
// choices, certificates, extensions and messages, and how long each took.
//
//	d := diff.Of(a, b)
//	if !d.Equal() {
//		d.Text(os.Stdout, 80)
//	}
//
// Values that are new in every connection are not compared: randoms, key shares, session IDs
// and tickets, signatures, Finished, padding, and the values of GREASE (RFC 8701; its places
// are compared). Times never make a difference; Difference.Timing has them.
//
// It needs nothing that the JSON of an account lacks. A [Difference] is JSON itself, for
// other programs and for pages.
package diff
