// Package lab runs a connection of the library with itself, once as it is and once
// with somebody in the middle, and tells what both sides made of it.
//
// A [Setup] says what kind of connection it is, a [Deviation] what the one in the
// middle does differently: on the wire, as anybody on the path can, or inside, with the
// keys known. [Run] is a real run in memory, over the relay of internal/rogue. Its
// [Result] has the accounts of both sides, and a [Finding]: which side noticed, where,
// by which rule, with which alert, and what would have come of it without the defence.
//
// [Shelf] has guided experiments: a story, some runs, and claims about these runs that
// are checked each time.
//
// All keys, certificates and data of the lab are made for it, and are worth nothing
// anywhere else.
package lab
