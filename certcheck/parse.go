package certcheck

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"hash/maphash"
	"runtime"
	"slices"
	"sync"
	"weak"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/wire"
)

// Limits on what a peer can make us read and compute.
const (
	MaxChain   = 16   // certificates that a peer may send
	MaxDepth   = 10   // certificates from the leaf to the root, both included
	MinRSABits = 1024 // below this an RSA key is not even read
	MaxRSABits = 8192 // above this, checking a signature takes too long

	// MaxRSAExponent is the largest public exponent, the one that nearly every key
	// has. One of 31 bits makes each check take two to three times as long.
	MaxRSAExponent = 65537
)

// Parse reads certificates in DER, as they stood in a Certificate message,
// leaf first. Equal bytes give the same *x509.Certificate for as long as
// anyone holds it, so callers must not change what it points to. raw is not
// kept. The error is an [*Error].
func Parse(raw [][]byte) ([]*x509.Certificate, error) {
	if len(raw) > MaxChain {
		return nil, tooMany(len(raw))
	}
	certs := make([]*x509.Certificate, len(raw))
	for i, der := range raw {
		c, err := known.parse(der)
		if err != nil {
			return nil, &Error{
				Alert:  wire.AlertBadCertificate,
				Reason: fmt.Sprintf("certificate %d of %d cannot be read: %s", i+1, len(raw), quote(err.Error())),
				Hint:   "have it issued again; it does not follow RFC 5280",
				Err:    err,
			}
		}
		if err := readableKey(c); err != nil {
			return nil, err
		}
		certs[i] = c
	}
	return certs, nil
}

func tooMany(n int) *Error {
	return &Error{
		Alert:  wire.AlertBadCertificate,
		Reason: fmt.Sprintf("%d certificates were sent, at most %d are read", n, MaxChain),
		Hint:   "send only the certificate and the intermediates that lead to its root",
	}
}

// readableKey refuses keys with which checking a signature costs too much, or
// proves nothing.
func readableKey(c *x509.Certificate) error {
	key := otherkeys.RSA(c)
	if key == nil {
		return nil
	}
	bits := key.N.BitLen()
	switch {
	case bits < MinRSABits || bits > MaxRSABits:
		return unreadable("the RSA key of %s has %d bits; from %d to %d are supported", subject(c), bits, MinRSABits, MaxRSABits)
	case key.E > MaxRSAExponent:
		return unreadable("the RSA key of %s has the exponent %d; up to %d is supported", subject(c), key.E, MaxRSAExponent)
	}
	return nil
}

func unreadable(format string, args ...any) error {
	return &Error{
		Alert:  wire.AlertUnsupportedCertificate,
		Reason: fmt.Sprintf(format, args...),
		Hint:   "use an RSA key of 2048 to 4096 bits with the exponent 65537, or ECDSA",
	}
}

// cache finds a certificate that is already parsed by the hash of its bytes.
// It holds weak pointers only: an entry goes with the last user of it. Every handshake
// looks, on all processors at once, and so looking takes no lock.
type cache struct {
	seed maphash.Seed
	byID sync.Map // uint64 to weak.Pointer[x509.Certificate]
}

var known = &cache{seed: maphash.MakeSeed()}

func (k *cache) parse(der []byte) (*x509.Certificate, error) {
	id := maphash.Bytes(k.seed, der)
	if c := k.get(id); c != nil && bytes.Equal(c.Raw, der) {
		return c, nil
	}
	c, err := x509.ParseCertificate(slices.Clone(der)) // c keeps slices of its input
	if err != nil {
		return nil, err
	}
	return k.put(id, c), nil
}

func (k *cache) get(id uint64) *x509.Certificate {
	if p, ok := k.byID.Load(id); ok {
		return p.(weak.Pointer[x509.Certificate]).Value()
	}
	return nil
}

// put adds c, unless another goroutine was first: then it returns that one.
func (k *cache) put(id uint64, c *x509.Certificate) *x509.Certificate {
	p := weak.Make(c)
	for {
		before, taken := k.byID.LoadOrStore(id, p)
		if taken {
			if first := before.(weak.Pointer[x509.Certificate]).Value(); first != nil {
				if bytes.Equal(first.Raw, c.Raw) {
					return first
				}
				return c // two certificates of one hash: the second is not cached
			}
			if !k.byID.CompareAndSwap(id, before, p) {
				continue
			}
		}
		runtime.AddCleanup(c, func(id uint64) {
			k.byID.CompareAndDelete(id, p) // not one that took its place
		}, id)
		return c
	}
}
