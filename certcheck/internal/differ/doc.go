// Package differ holds certcheck beside other verifiers: crypto/x509, OpenSSL and GnuTLS
// judge the same chains, each of which deviates from a good one in one way or in two. It
// consists of tests.
//
// A deviation is a row (deviations*_test.go). It says which profile of certcheck is the
// first that refuses it, by the letter of its source and not by what certcheck does. Where
// a peer decides otherwise than the default profile, the kind of the disagreement has a row
// in docs/conformance.md, or the test fails; and so it does on a row that never occurs.
//
// OpenSSL and GnuTLS are small programs in C (testdata), compiled when the test starts,
// each of which judges thousands of chains in one process.
package differ
