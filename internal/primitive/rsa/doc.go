// Package rsa signs and decrypts with RSA private keys of 2048, 3072 and 4096 bits, and
// verifies with public ones of these sizes, several times faster than crypto/rsa on
// processors with AVX-512 IFMA, and 1.5 to 2 times faster on those that have only MULX and
// ADX. For every other key, and on every other machine, crypto/rsa
// or the key's owner does the work.
//
// A private operation raises to a secret power modulo both primes at once, see
// package modexp. Three things protect it:
//
//   - No branch and no address depends on a secret.
//   - The exponent of each prime gets a random multiple of the prime less one, and the
//     number gets a random multiple of the prime, so that no two operations compute
//     with the same numbers. This is what blinding is for; it needs no inverse and
//     no state that connections would share.
//   - The result leaves only after the public exponent has brought it back to what went
//     in: a fault in one half would give the other prime away (Boneh, DeMillo, Lipton).
//     What fails is computed again by crypto/rsa, which checks too.
//
// By IFMA, callers that come at the same moment with keys of 2048 bits are served together,
// up to four at once, which takes a third less time for each. Nobody waits for others to
// come.
//
// What is computed from a key once is kept as long as the key is reachable, and not
// longer.
package rsa
