package explain

import (
	"crypto/hkdf"
	"crypto/hmac"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

// The functions of the key schedules once more, straight from the standard
// library and on purpose not from the engine's own code: what they agree on
// was computed in two ways.

// extract is HKDF-Extract. RFC 5869 §2.2.
func extract(h *suite.Hash, salt, ikm []byte) []byte {
	out, err := hkdf.Extract(h.New, ikm, salt)
	if err != nil { // only for short keys under FIPS 140-only rules
		return nil
	}
	return out
}

// expandLabel is HKDF-Expand-Label with n bytes of output. RFC 8446 §7.1.
//
//	struct {
//	    uint16 length;
//	    opaque label<7..255> = "tls13 " + Label;
//	    opaque context<0..255>;
//	} HkdfLabel;
func expandLabel(h *suite.Hash, secret []byte, label string, context []byte, n int) []byte {
	label = "tls13 " + label
	info := append([]byte{byte(n >> 8), byte(n), byte(len(label))}, label...)
	info = append(append(info, byte(len(context))), context...)
	out, err := hkdf.Expand(h.New, secret, string(info), n)
	if err != nil {
		return nil
	}
	return out
}

func hmacOf(h *suite.Hash, key []byte, data ...[]byte) []byte {
	m := hmac.New(h.New, key)
	for _, d := range data {
		m.Write(d)
	}
	return m.Sum(nil)
}

// prf12 is the PRF of TLS 1.2 with n bytes of output. RFC 5246 §5.
func prf12(h *suite.Hash, secret []byte, label string, seed []byte, n int) []byte {
	seed = append([]byte(label), seed...)
	var out []byte
	for a := seed; len(out) < n; {
		a = hmacOf(h, secret, a)
		out = append(out, hmacOf(h, secret, a, seed)...)
	}
	return out[:n]
}

// hashNamed finds a hash by its name for people.
func hashNamed(name string) (*suite.Hash, error) {
	for _, h := range suite.Hashes {
		if h.Name == name {
			return h, nil
		}
	}
	return nil, fmt.Errorf("no hash is called %q", name)
}
