// Package faults breaks what package tls stands on, and sees that it fails as it
// should or does not fail at all. It has nothing but tests.
//
// Each flow of flows_test.go is run once undisturbed and then once for each kind of
// fault and each byte that either side sends: the network resets, ends or stalls the
// connection there, a write fails there or comes up short. The network is in memory
// (link_test.go) and the time that of a testing/synctest bubble, so that waiting
// costs nothing and a goroutine that is left is seen at once; tcp_test.go has
// sockets. What must hold is in side_test.go: an error of the right type within a
// second, the same from then on, and nothing delivered that was not sent.
//
// The rest of the surroundings follow: session stores and client caches that are
// down, slow, full or damaged (store_test.go, cache_test.go), and clocks that are wrong
// (clock_test.go).
package faults
