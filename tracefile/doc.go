// Package tracefile reads and writes traces of connections: what package trace
// reports, in a file that can be kept, sent and explained later.
//
// A trace is NDJSON: one JSON object a line, in UTF-8. The first line of each
// connection has the member "connection", and is a [Header]. Each line after it is an
// [Event] of that connection, in the order in which the traced side saw it: one of
// the members "record", "message", "secret", "keys", "choice", "alert" and "dropped",
// and beside it "at_ns", the nanoseconds since the first event. Bytes are lower-case
// hex, numbers of the protocol are those of the wire. A member that is not known is
// passed over, so that later versions may add some. docs/trace-format.md lists all.
//
// A trace holds secrets only where its header says so. Without them the values of
// secrets and keys are missing, and the rest is there: what signatures prove can still
// be checked, and records cannot be opened. Application data, names and addresses are
// in every trace: guard it like the traffic itself.
package tracefile
