package suite

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
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

// The hashes of the suites; Hashes holds every row.
var (
	SHA1   = &Hash{Name: "SHA-1", Size: sha1.Size, BlockSize: sha1.BlockSize, New: sha1.New, Crypto: crypto.SHA1}
	SHA256 = &Hash{Name: "SHA-256", Size: sha256.Size, BlockSize: sha256.BlockSize, New: sha256.New, Crypto: crypto.SHA256}
	SHA384 = &Hash{Name: "SHA-384", Size: sha512.Size384, BlockSize: sha512.BlockSize, New: sha512.New384, Crypto: crypto.SHA384}

	Hashes = []*Hash{SHA1, SHA256, SHA384}
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
	// TagLen is the AEAD's overhead; 0 for CBC, whose MAC is a part of its own.
	TagLen int
	// BlockLen is the CBC block; 0 for an AEAD.
	BlockLen int
	// Bits is the strength against key search.
	Bits int
	// AEAD builds the cipher. It errs only if len(key) is not KeyLen.
	AEAD func(key []byte) (cipher.AEAD, error)
	// Block builds the block cipher of a CBC suite, with the same error.
	Block func(key []byte) (cipher.Block, error)
	// Stream builds the cipher of a stream suite, with the same error.
	Stream func(key []byte) (cipher.Stream, error)
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// AES-GCM has two rows for each key length because TLS 1.3 derives the whole
// nonce, while TLS 1.2 sends eight bytes of it in each record.
var (
	aes128GCM12 = &Cipher{Name: "AES-128-GCM", KeyLen: 16, FixedIVLen: 4, ExplicitNonceLen: 8, TagLen: 16, Bits: 128, AEAD: newGCM}
	aes256GCM12 = &Cipher{Name: "AES-256-GCM", KeyLen: 32, FixedIVLen: 4, ExplicitNonceLen: 8, TagLen: 16, Bits: 256, AEAD: newGCM}
	aes128GCM13 = &Cipher{Name: "AES-128-GCM", KeyLen: 16, FixedIVLen: 12, TagLen: 16, Bits: 128, AEAD: newGCM}
	aes256GCM13 = &Cipher{Name: "AES-256-GCM", KeyLen: 32, FixedIVLen: 12, TagLen: 16, Bits: 256, AEAD: newGCM}
	chacha20    = &Cipher{Name: "ChaCha20-Poly1305", KeyLen: 32, FixedIVLen: 12, TagLen: 16, Bits: 256, AEAD: chacha20poly1305.New}
	aes128CBC   = &Cipher{Name: "AES-128-CBC", KeyLen: 16, ExplicitNonceLen: 16, BlockLen: 16, Bits: 128, Block: aes.NewCipher}
	aes256CBC   = &Cipher{Name: "AES-256-CBC", KeyLen: 32, ExplicitNonceLen: 16, BlockLen: 16, Bits: 256, Block: aes.NewCipher}
)

// MAC is the record MAC of a CBC suite. RFC 5246 §6.2.3.1.
type MAC struct {
	// Name is the MAC's name for people: "HMAC-SHA-256".
	Name string
	// Len is the length of the tag and of the key, in bytes.
	Len  int
	Hash *Hash
}

var (
	hmacSHA1   = &MAC{Name: "HMAC-SHA-1", Len: 20, Hash: SHA1}
	hmacSHA256 = &MAC{Name: "HMAC-SHA-256", Len: 32, Hash: SHA256}
	hmacSHA384 = &MAC{Name: "HMAC-SHA-384", Len: 48, Hash: SHA384}
)
