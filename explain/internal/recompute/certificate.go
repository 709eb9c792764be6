package recompute

import (
	"bytes"
	"compress/zlib"
	"io"

	"github.com/vitrine-tls/vitrine/wire"
)

// maxCertificate is the most bytes that a Certificate has.
const maxCertificate = 256 << 10

// Inflate is what a CompressedCertificate has inside, of which it says the length: nil where it
// does not inflate to that. known is false for algorithms that the standard library lacks. RFC 8879 §4.
func Inflate(a wire.CertificateCompression, compressed []byte, length int) (inside []byte, known bool) {
	if a != wire.CertificateZlib {
		return nil, false
	}
	r, err := zlib.NewReader(bytes.NewReader(compressed))
	if err != nil || length > maxCertificate {
		return nil, true
	}
	if inside, err = io.ReadAll(io.LimitReader(r, int64(length)+1)); err != nil || len(inside) != length {
		return nil, true
	}
	return inside, true
}
