// Package attacks plays the attacks that TLS is known for against package tls,
// one file for each. It has nothing but tests.
//
// An attack needs what the protocol's own machinery does not offer: a network
// that changes what it carries (network_test.go), and a peer that speaks TLS by
// hand, so that it can say anything at any time (forger_test.go). A test passes
// where the attack fails; where a switch of Config.Legacy opens the attack, the
// test throws it too and sees the attack succeed, so that it is known to work.
//
// Attacks that need the inside of a package are played there: on the state
// machine in internal/engine, on padding and MAC in internal/record, on key
// exchange in internal/kex. SECURITY.md has the list of all. That it names tests and
// switches which there are, and that docs/key-exchanges.md shows what flows, is
// checked here too.
package attacks
