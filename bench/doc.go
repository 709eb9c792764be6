// Bench measures vitrine beside crypto/tls and OpenSSL.
//
//	go run ./bench [handshake|primitives|certificates|bulk|memory|captures]... [--json] [--quick] [--load] [--only REGEXP]
//		[--compare OLD.json] [--report FILE] [--openssl FOLDER|system]
//		[--rounds N] [--cpuprofile FILE] [--memprofile FILE] [--mutexprofile FILE]
//
// A row of the table in rows.go is one named measurement; a contender is one
// TLS stack. Every contender runs in a child process of its own and obeys the
// same few jobs, read as lines from its standard input (job.go). The Go stacks
// are this program started again; OpenSSL is openssl/bench.c, compiled when a
// C compiler and libssl's headers are present. Which libssl that is the report
// says, as the running program met it. On Debian the script openssl/newer fetches
// the one of the next release, and changes nothing of the system: the bench takes
// it by itself from the user's cache folder, or from where --openssl says.
//
// The parent only deals out the
// rounds, one contender after the other, and takes medians, so a machine that
// slows down for a moment slows all of them down.
//
// With --load each round of a row has a second turn, for which load.go keeps every
// processor at work.
//
// --compare says what has changed since an earlier report of --json (compare.go), and
// --report shows such a file, or compares it, and measures nothing.
//
// docs/performance.md says what exactly each row counts.
package main
