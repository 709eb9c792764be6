package recompute

import (
	"crypto/aes"
	"crypto/cipher"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

// independent builds, by its name, each AEAD that the record layer may have from
// internal/primitive. What is computed again here is computed by other code, so that
// every explained connection tries that code too.
var independent = map[string]func(key []byte) (cipher.AEAD, error){
	"AES-128-GCM": newGCM,
	"AES-256-GCM": newGCM,
}

func newAEAD(c *suite.Cipher, key []byte) (cipher.AEAD, error) {
	if build := independent[c.Name]; build != nil {
		return build(key)
	}
	return c.AEAD(key)
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
