package hpke

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"reflect"
	"slices"
	"unsafe"

	"github.com/vitrine-tls/vitrine/wire"
)

// exchanged is the key that crypto/hpke asks for the Diffie-Hellman function of a KEM. It
// keeps what comes out.
type exchanged struct {
	kem      wire.HPKEKEM
	public   *ecdh.PublicKey // the receiver's
	enc      []byte
	exchange func(*ecdh.PublicKey) ([]byte, error)
	dh       []byte
}

func (x *exchanged) PublicKey() *ecdh.PublicKey { return x.public }
func (x *exchanged) Curve() ecdh.Curve          { return x.public.Curve() }

func (x *exchanged) ECDH(peer *ecdh.PublicKey) (shared []byte, err error) {
	shared, err = x.exchange(peer)
	x.dh = slices.Clone(shared)
	return shared, err
}

func (x *exchanged) wipe() {
	if x != nil {
		clear(x.dh)
		x.dh = nil
	}
}

// sharedSecret is ExtractAndExpand(dh, enc || pkR). RFC 9180 §4.1.
func (x *exchanged) sharedSecret() []byte {
	if x == nil || x.dh == nil {
		return nil
	}
	h, size := sha256.New, sha256.Size
	switch x.kem {
	case wire.KEMP384:
		h, size = sha512.New384, sha512.Size384
	case wire.KEMP521:
		h, size = sha512.New, sha512.Size
	}
	suite := binary.BigEndian.AppendUint16([]byte("KEM"), uint16(x.kem))
	prk, err := hkdf.Extract[hash.Hash](h, slices.Concat([]byte("HPKE-v1"), suite, []byte("eae_prk"), x.dh), nil)
	if err != nil {
		return nil
	}
	info := slices.Concat(binary.BigEndian.AppendUint16(nil, uint16(size)), []byte("HPKE-v1"), suite, []byte("shared_secret"), x.enc, x.public.Bytes())
	secret, err := hkdf.Expand[hash.Hash](h, prk, string(info), size)
	if err != nil {
		return nil
	}
	return secret
}

// alike: crypto/hpke's Sender and Recipient are the same context under two names. If a
// later Go has them otherwise, the sender's secret is not known, and a test fails.
var alike = func() bool {
	a, b := reflect.TypeFor[hpke.Sender](), reflect.TypeFor[hpke.Recipient]()
	return a.NumField() == 1 && b.NumField() == 1 && a.Field(0).Type == b.Field(0).Type && a.Field(0).Type.Kind() == reflect.Pointer
}()

func asSender(r *hpke.Recipient) *hpke.Sender { return (*hpke.Sender)(unsafe.Pointer(r)) }
