package kex

import (
	"errors"

	"github.com/vitrine-tls/vitrine/wire"
)

// ML-KEM, FIPS 203: components of hybrids, and the larger a group of its own. The
// client's share is an encapsulation key, the server's a ciphertext.
// draft-ietf-tls-mlkem.
var (
	mlkem768 = &component{
		id: wire.GroupMLKEM768, clientLen: 1184, serverLen: 1088, secretLen: 32, kem: true,
		generate: generateMLKEM768, respond: respondMLKEM768,
	}
	mlkem1024 = &component{
		id: wire.GroupMLKEM1024, clientLen: 1568, serverLen: 1568, secretLen: 32, kem: true,
		generate: generateMLKEM1024, respond: respondMLKEM1024,
	}
)

// errEncapsulationKey is the modulus check of FIPS 203 §7.2.
var errEncapsulationKey = errors.New("not a valid ML-KEM encapsulation key")
