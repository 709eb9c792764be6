package record

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/rc4"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Parts of the suites of old, put together here so that every row of protections
// has cases whatever suites there are.
var (
	macMD5    = &suite.MAC{Name: "HMAC-MD5", Len: 16, Hash: suite.MD5}
	macSHA1   = &suite.MAC{Name: "HMAC-SHA-1", Len: 20, Hash: suite.SHA1}
	macSHA256 = &suite.MAC{Name: "HMAC-SHA-256", Len: 32, Hash: suite.SHA256}

	cipherNull = &suite.Cipher{Name: "NULL"}
	cipherRC4  = &suite.Cipher{Name: "RC4-128", KeyLen: 16, Bits: 128,
		Stream: func(key []byte) (cipher.Stream, error) { return rc4.NewCipher(key) }}
	cipher3DES = &suite.Cipher{Name: "3DES-EDE-CBC", KeyLen: 24, ExplicitNonceLen: 8, BlockLen: 8, Bits: 112, Block: des.NewTripleDESCipher}
	cipherDES  = &suite.Cipher{Name: "DES-CBC", KeyLen: 8, ExplicitNonceLen: 8, BlockLen: 8, Bits: 56, Block: des.NewCipher}
	cipherAES  = &suite.Cipher{Name: "AES-128-CBC", KeyLen: 16, ExplicitNonceLen: 16, BlockLen: 16, Bits: 128, Block: aes.NewCipher}
)

func legacySuite(c *suite.Cipher, m *suite.MAC, min wire.Version) *suite.Suite {
	return &suite.Suite{Name: c.Name + " " + m.Name, Cipher: c, MAC: m, Hash: suite.SHA256, Min: min, Max: wire.TLS12}
}

var legacySuites = []*suite.Suite{
	legacySuite(cipherNull, macMD5, wire.SSL30),
	legacySuite(cipherNull, macSHA1, wire.SSL30),
	legacySuite(cipherNull, macSHA256, wire.TLS12),
	legacySuite(cipherRC4, macMD5, wire.SSL30),
	legacySuite(cipherRC4, macSHA1, wire.SSL30),
	legacySuite(cipherDES, macSHA1, wire.SSL30),
	legacySuite(cipher3DES, macSHA1, wire.SSL30),
	legacySuite(cipher3DES, macMD5, wire.SSL30),
	legacySuite(cipherAES, macMD5, wire.SSL30),
}
