// Package aesgcm is AES-GCM (NIST SP 800-38D) with keys of 128 and 256 bits,
// nonces of 12 bytes and tags of 16: what TLS needs, RFC 5288 and RFC 8446 §5.2.
//
// [New] gives a cipher.AEAD that does what crypto/cipher's does, byte for byte and
// with the same rules for slices that overlap. Which code stands behind it is a row
// of a table, picked once for each key:
//
//	VAES and VPCLMULQDQ, 512 bits    four blocks in an instruction, with AVX-512
//	VAES and VPCLMULQDQ, 256 bits    two, with AVX2
//	crypto/cipher                    on everything else
//
// Package cpu says which of them may be used, and how a user switches them off.
//
// # The assembly
//
// It is generated (go generate; the generator's comment explains the mathematics)
// and does a message in one call: counters, key stream, GHASH and tag. One loop
// encrypts and hashes, 16 blocks a turn, and reduces the hash once for each turn; with 256
// bits 8 blocks may follow. Additional data is hashed a block at a time, because TLS
// has 5 or 13 bytes of it.
//
// No branch and no address depends on a key, on data or on a tag. TestStructure holds
// this for every instruction. Lengths and positions are public.
//
// # The memory
//
// A key is one object of 576 bytes: the round keys, and 20 powers of H. They are
// computed when the key is made, in less time than crypto/cipher takes for its own,
// and the object is less than half the size of crypto/cipher's. Package record wipes and
// drops it while a connection is idle.
package aesgcm

//go:generate go run ./generate -pkg aesgcm -out kernel_amd64.s -stubs kernel_amd64.go
