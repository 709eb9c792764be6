// Package consttime checks that nothing in this module branches on a secret or
// indexes with one. Its test runs the program beside it, operations, under
// valgrind, which keeps track of memory that was never initialised: of every bit,
// through copies and through arithmetic. The program marks secrets as such memory,
// and so valgrind reports each conditional jump and each address that depends on
// one. It does not measure time, so the result is the same on every run.
//
//	go test ./internal/proof/consttime       // needs valgrind, and Linux on amd64
//
// A report in this module, in a module that it imports, or in the standard library
// on behalf of either, is a failure, unless it is one of known: what a branch
// gives away there is public, or is not ours to change. That the check can fail is
// seen with the same operations on sources with leaks in them (leaks), each of
// which must be reported.
//
// What it does not see: instructions whose time depends on their operands, like
// divisions; what a secret decides on a path that no operation takes; and what
// comes out of a look-up in a table, which valgrind reports but no longer tracks.
package consttime
