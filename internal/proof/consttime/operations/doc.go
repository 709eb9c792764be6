// Command operations handles secrets as a connection does, under valgrind, with
// the secrets marked as not initialised: whatever of the library branches on one,
// or indexes with one, is reported. Package consttime builds and runs it, and
// judges the reports.
//
// It is built with the tag valgrind, for Linux on amd64; else there is nothing here.
package main
