package recompute

import (
	"crypto"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/wire"
)

// A signature of ML-DSA is judged by code of its own: it is good under its own scheme and
// over what was signed, and nowhere else.
func TestMLDSA(t *testing.T) {
	x := OverTranscript(wire.Server, make([]byte, 32))
	for set := otherkeys.MLDSA44; set <= otherkeys.MLDSA87; set++ {
		key := otherkeys.NewMLDSAKey(set, make([]byte, otherkeys.MLDSASeedSize))
		sig, err := key.Sign(nil, x.data, crypto.Hash(0))
		if err != nil {
			t.Fatal(err)
		}
		for scheme := wire.MLDSA44; scheme <= wire.MLDSA87; scheme++ {
			if good, known := Verify(key.Public(), scheme, x, sig); !known || good != (scheme == set.Scheme()) {
				t.Errorf("%v as %v: %v, %v", set, scheme, good, known)
			}
		}
		if good, _ := Verify(key.Public(), set.Scheme(), OverTranscript(wire.Client, make([]byte, 32)), sig); good {
			t.Errorf("%v: the server's signature is good for a client", set)
		}
		sig[len(sig)/2] ^= 1
		if good, _ := Verify(key.Public(), set.Scheme(), x, sig); good {
			t.Errorf("%v: a changed signature is good", set)
		}
	}
}
