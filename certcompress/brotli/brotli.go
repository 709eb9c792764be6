// Package brotli compresses certificates by brotli (RFC 7932, RFC 8879), by the library
// github.com/andybalholm/brotli, which is written in Go. It is what browsers take.
package brotli

import (
	"bytes"
	"errors"

	"github.com/andybalholm/brotli"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/wire"
)

// Algorithm is brotli.
func Algorithm() certcompress.Algorithm {
	return certcompress.Algorithm{ID: wire.CertificateBrotli, Compress: compress, Decompress: decompress}
}

// A window of 256 KiB spans the largest Certificate.
const window = 18

func compress(src []byte) ([]byte, error) {
	var out bytes.Buffer
	w := brotli.NewWriterOptions(&out, brotli.WriterOptions{Quality: brotli.BestCompression, LGWin: window})
	if _, err := w.Write(src); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

// turns bounds how many inflate at once: a stream may claim a window of 4 MiB, and a
// block that fills it, in a few bytes.
var turns = make(chan struct{}, 2)

// maxWindow is the base-2 logarithm of the largest window that is taken, as encoders with
// their defaults need no larger one.
const maxWindow = 22

var errWindow = errors.New("brotli: the window is larger than 4 MiB")

func decompress(dst, src []byte) error {
	if windowOf(src) > maxWindow {
		return errWindow
	}
	turns <- struct{}{}
	defer func() { <-turns }()
	return certcompress.Fill(dst, brotli.NewReader(bytes.NewReader(src)))
}

// windowOf is what a stream says of its window in its first bits. Large windows (RFC 9841)
// and what is reserved count as the largest. RFC 7932 §9.1.
func windowOf(src []byte) int {
	switch {
	case len(src) == 0 || src[0]&1 == 0:
		return 16
	case src[0]>>1&7 != 0:
		return 17 + int(src[0]>>1&7)
	case src[0]>>4&7 == 0:
		return 17
	case src[0]>>4&7 == 1:
		return 30
	}
	return 8 + int(src[0]>>4&7)
}
