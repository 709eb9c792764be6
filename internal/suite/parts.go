package suite

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/vitrine-tls/vitrine/internal/primitive/aesgcm"
)

// Hash is a hash function of a PRF, an HKDF or a MAC. The rows below are the
// only values: compare hashes by pointer.
type Hash struct {
	// Name is the hash's name for people: "SHA-256".
	Name string
	// Size and BlockSize are in bytes.
	Size, BlockSize int
	New             func() hash.Hash
	Crypto          crypto.Hash
}

// The hashes of the suites; Hashes holds every row. MD5 and SHA-1 are those of
// MACs only.
var (
	MD5    = &Hash{Name: "MD5", Size: md5.Size, BlockSize: md5.BlockSize, New: md5.New, Crypto: crypto.MD5}
	SHA1   = &Hash{Name: "SHA-1", Size: sha1.Size, BlockSize: sha1.BlockSize, New: sha1.New, Crypto: crypto.SHA1}
	SHA256 = &Hash{Name: "SHA-256", Size: sha256.Size, BlockSize: sha256.BlockSize, New: sha256.New, Crypto: crypto.SHA256}
	SHA384 = &Hash{Name: "SHA-384", Size: sha512.Size384, BlockSize: sha512.BlockSize, New: sha512.New384, Crypto: crypto.SHA384}

	Hashes = []*Hash{MD5, SHA1, SHA256, SHA384}
)

// Cipher is a bulk cipher: AEAD, Block or Stream is set, and none for NULL. All
// lengths are in bytes.
type Cipher struct {
	// Name is the cipher's name for people: "AES-128-GCM".
	Name   string
	KeyLen int
	// FixedIVLen is how much IV the key schedule yields. RFC 5246 §6.3 (4 for
	// AES-GCM, RFC 5288 §3), RFC 7905 §2 and RFC 8446 §5.3 (12). It is 0 for
	// CBC from TLS 1.1 on, where each record carries its IV. A row holds the
	// value for TLS 1.2 or 1.3; the same algorithm may have two rows.
	FixedIVLen int
	// ExplicitNonceLen is the part of the nonce that each record carries:
	// 8 for AES-GCM in TLS 1.2, a block for CBC, else 0.
	ExplicitNonceLen int
	// TagLen is the AEAD's overhead; 0 for others, whose MAC is a part of its own.
	TagLen int
	// BlockLen is the CBC block; 0 for others.
	BlockLen int
	// Bits is the strength against key search: less than the key's length for DES
	// and 3DES, and 0 for NULL.
	Bits int
	// AEAD builds the cipher. It errs only if len(key) is not KeyLen.
	AEAD func(key []byte) (cipher.AEAD, error)
	// Block builds the block cipher of a CBC suite, with the same error.
	Block func(key []byte) (cipher.Block, error)
	// Stream builds the cipher of a stream suite, with the same error.
	Stream func(key []byte) (cipher.Stream, error)
}

func newRC4(key []byte) (cipher.Stream, error) {
	if len(key) != 16 { // it would take others too
		return nil, rc4.KeySizeError(len(key))
	}
	return rc4.NewCipher(key)
}

// AES-GCM and AES-CCM have two rows for each key length because TLS 1.3 derives
// the whole nonce, while TLS 1.2 sends eight bytes of it in each record.
var (
	aes128GCM12      = &Cipher{Name: "AES-128-GCM", KeyLen: 16, FixedIVLen: 4, ExplicitNonceLen: 8, TagLen: 16, Bits: 128, AEAD: aesgcm.New}
	aes256GCM12      = &Cipher{Name: "AES-256-GCM", KeyLen: 32, FixedIVLen: 4, ExplicitNonceLen: 8, TagLen: 16, Bits: 256, AEAD: aesgcm.New}
	aes128GCM13      = &Cipher{Name: "AES-128-GCM", KeyLen: 16, FixedIVLen: 12, TagLen: 16, Bits: 128, AEAD: aesgcm.New}
	aes256GCM13      = &Cipher{Name: "AES-256-GCM", KeyLen: 32, FixedIVLen: 12, TagLen: 16, Bits: 256, AEAD: aesgcm.New}
	chacha20         = &Cipher{Name: "ChaCha20-Poly1305", KeyLen: 32, FixedIVLen: 12, TagLen: 16, Bits: 256, AEAD: chacha20poly1305.New}
	aes128CCM12      = &Cipher{Name: "AES-128-CCM", KeyLen: 16, FixedIVLen: 4, ExplicitNonceLen: 8, TagLen: 16, Bits: 128, AEAD: newCCM}
	aes256CCM12      = &Cipher{Name: "AES-256-CCM", KeyLen: 32, FixedIVLen: 4, ExplicitNonceLen: 8, TagLen: 16, Bits: 256, AEAD: newCCM}
	aes128CCM13      = &Cipher{Name: "AES-128-CCM", KeyLen: 16, FixedIVLen: 12, TagLen: 16, Bits: 128, AEAD: newCCM}
	aes128ShortCCM12 = &Cipher{Name: "AES-128-CCM-8", KeyLen: 16, FixedIVLen: 4, ExplicitNonceLen: 8, TagLen: 8, Bits: 128, AEAD: newCCM8}
	aes256ShortCCM12 = &Cipher{Name: "AES-256-CCM-8", KeyLen: 32, FixedIVLen: 4, ExplicitNonceLen: 8, TagLen: 8, Bits: 256, AEAD: newCCM8}
	aes128ShortCCM13 = &Cipher{Name: "AES-128-CCM-8", KeyLen: 16, FixedIVLen: 12, TagLen: 8, Bits: 128, AEAD: newCCM8}
	aes128CBC        = &Cipher{Name: "AES-128-CBC", KeyLen: 16, ExplicitNonceLen: 16, BlockLen: 16, Bits: 128, Block: aes.NewCipher}
	aes256CBC        = &Cipher{Name: "AES-256-CBC", KeyLen: 32, ExplicitNonceLen: 16, BlockLen: 16, Bits: 256, Block: aes.NewCipher}
	tripleDES        = &Cipher{Name: "3DES-EDE-CBC", KeyLen: 24, ExplicitNonceLen: 8, BlockLen: 8, Bits: 112, Block: des.NewTripleDESCipher}
	singleDES        = &Cipher{Name: "DES-CBC", KeyLen: 8, ExplicitNonceLen: 8, BlockLen: 8, Bits: 56, Block: des.NewCipher}
	rc4128           = &Cipher{Name: "RC4-128", KeyLen: 16, Bits: 128, Stream: newRC4}
	null             = &Cipher{Name: "NULL"}
)

// MAC is the record MAC of a suite that is no AEAD. RFC 5246 §6.2.3.1; SSL 3.0
// computes another one with the same hash, RFC 6101 §5.2.3.1.
type MAC struct {
	// Name is the MAC's name for people: "HMAC-SHA-256".
	Name string
	// Len is the length of the tag and of the key, in bytes.
	Len  int
	Hash *Hash
}

var (
	hmacMD5    = &MAC{Name: "HMAC-MD5", Len: 16, Hash: MD5}
	hmacSHA1   = &MAC{Name: "HMAC-SHA-1", Len: 20, Hash: SHA1}
	hmacSHA256 = &MAC{Name: "HMAC-SHA-256", Len: 32, Hash: SHA256}
	hmacSHA384 = &MAC{Name: "HMAC-SHA-384", Len: 48, Hash: SHA384}
)
