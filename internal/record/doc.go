// Package record is the record layer: it turns content into protected records
// and records back into content, one direction of a connection at a time.
//
// A [Half] is that one direction. It starts in the clear; [Half.SetKeys] begins
// a new epoch with new keys and sequence number 0. How an epoch protects its
// records is a row of the table in protection.go, picked by the version and by
// what the suite is made of; each way stands in a file of its own:
//
//	clear.go     no keys yet
//	aead.go      AEAD with the associated data of TLS 1.2, and of TLS 1.3
//	stream.go    MAC, then a stream cipher
//	null.go      a MAC alone
//	cbc.go       MAC, then CBC, with an IV in the record or a chained one
//	etm.go       CBC, then MAC (RFC 7366)
//	mac.go       HMAC, and the MAC of SSL 3.0
//	hmac_ct.go   both over content whose length is a secret
//	secret.go    the other operations whose time must tell nothing
//	lifetime.go  how much one key may protect
//	deflate.go   compression, before all of this
//	inflate.go   and after all of it, with blocks of our own reading
//
// The package does no I/O, keeps no buffers and does not judge the order of
// records: dealing with change_cipher_spec, empty fragments and alerts is the
// caller's business.
package record
