package fleet

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/session"
	"golang.org/x/crypto/chacha20poly1305"
)

// A value in the store:
//
//	struct {
//	    uint8  version = 1;
//	    opaque key_id[8];
//	    opaque nonce[24];
//	    opaque sealed[length + 16];   // XChaCha20-Poly1305
//	} Sealed;
//
// The associated data are purpose and name, each after its length. Nonces of 192 bits may be
// random however many members seal: a fleet with 50,000 handshakes a second would use up the
// 2³² random nonces of AES-GCM in a day.
const (
	sealedVersion = 1
	idSize        = 8
	overhead      = 1 + idSize + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
)

// Purposes keep one kind of value from being taken for another.
const (
	purposeSession = "session"
	purposeTicket  = "ticket"
	purposeKeys    = "ticket keys"
	purposeEarly   = "early data"
)

// vault seals under the first of its keys and opens under all of them.
type vault []vaultKey

type vaultKey struct {
	id   [idSize]byte
	aead cipher.AEAD
}

func newVault(secrets [][32]byte) (vault, error) {
	if len(secrets) == 0 {
		return nil, errors.New("fleet: there is no fleet key; make one with: openssl rand -hex 32")
	}
	var v vault
	for i, secret := range secrets {
		if secret == [32]byte{} {
			return nil, fmt.Errorf("fleet: fleet key %d is all zeros", i+1)
		}
		k, err := newVaultKey(secret)
		if err != nil {
			return nil, err
		}
		if v.find(k.id[:]) != nil {
			return nil, fmt.Errorf("fleet: fleet key %d is there twice", i+1)
		}
		v = append(v, k)
	}
	return v, nil
}

func newVaultKey(secret [32]byte) (k vaultKey, err error) {
	id, err := hkdf.Expand(sha256.New, secret[:], "vitrine fleet v1 id", idSize)
	if err != nil {
		return k, err
	}
	copy(k.id[:], id)
	key, err := hkdf.Expand(sha256.New, secret[:], "vitrine fleet v1 key", chacha20poly1305.KeySize)
	if err != nil {
		return k, err
	}
	defer clear(key)
	k.aead, err = chacha20poly1305.NewX(key)
	return k, err
}

func (v vault) find(id []byte) *vaultKey {
	for i := range v {
		if bytes.Equal(v[i].id[:], id) {
			return &v[i]
		}
	}
	return nil
}

func (v vault) seal(purpose, name string, blob []byte) []byte {
	out := make([]byte, 0, overhead+len(blob))
	out = append(append(out, sealedVersion), v[0].id[:]...)
	nonce := out[len(out) : len(out)+chacha20poly1305.NonceSizeX]
	rand.Read(nonce)
	return v[0].aead.Seal(out[:len(out)+len(nonce)], nonce, blob, associated(purpose, name))
}

// Reasons why a value does not open. To those that look for a session it is not there.
var (
	errOtherKey = fmt.Errorf("%w: sealed under a fleet key that is not held here", session.ErrNotFound)
	errDamaged  = fmt.Errorf("%w: the value in the store was altered, or moved from another name", session.ErrNotFound)
)

func (v vault) open(purpose, name string, data []byte) ([]byte, error) {
	if len(data) < overhead || data[0] != sealedVersion {
		return nil, errDamaged
	}
	id, rest := data[1:1+idSize], data[1+idSize:]
	k := v.find(id)
	if k == nil {
		return nil, errOtherKey
	}
	nonce, sealed := rest[:chacha20poly1305.NonceSizeX], rest[chacha20poly1305.NonceSizeX:]
	blob, err := k.aead.Open(nil, nonce, sealed, associated(purpose, name))
	if err != nil {
		return nil, errDamaged
	}
	return blob, nil
}

func associated(purpose, name string) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(purpose)))
	out = append(out, purpose...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(name)))
	return append(out, name...)
}

// nameOf is what a key is called in the store: a digest, by which no session ID is shown there.
func nameOf(purpose, key string) string {
	sum := sha256.Sum256(associated(purpose, key))
	return string(sum[:24])
}
