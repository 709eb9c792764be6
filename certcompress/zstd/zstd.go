// Package zstd compresses certificates by Zstandard (RFC 8878, RFC 8879), by the library
// github.com/klauspost/compress, which is written in Go.
package zstd

import (
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/wire"
)

// Algorithm is Zstandard.
func Algorithm() certcompress.Algorithm {
	return certcompress.Algorithm{ID: wire.CertificateZstd, Compress: compress, Decompress: decompress}
}

const (
	ownWindow = 256 << 10 // spans the largest Certificate
	maxWindow = 8 << 20   // what RFC 8878 §3.1.1.1.2 has every decoder support
)

func compress(src []byte) ([]byte, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(ownWindow), zstd.WithSingleSegment(true), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	out := w.EncodeAll(src, nil)
	return out, w.Close()
}

// reader is made once. It inflates into what it is given, so a frame's claims of a window
// and a length allocate nothing.
var reader = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(4), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecodeAllCapLimit(true))
})

func decompress(dst, src []byte) error {
	r, err := reader()
	if err != nil {
		return err
	}
	switch out, err := r.DecodeAll(src, dst[:0:len(dst)]); {
	case err == zstd.ErrDecoderSizeExceeded:
		return certcompress.ErrLong
	case err != nil:
		return err
	case len(out) < len(dst):
		return certcompress.ErrShort
	}
	return nil
}
