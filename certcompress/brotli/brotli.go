// Package brotli compresses certificates by brotli (RFC 7932, RFC 8879), by the library
// github.com/andybalholm/brotli, which is written in Go. It is what browsers take.
package brotli

import (
	"bytes"

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

// turns bounds how many inflate at once: a stream may claim a window of 16 MiB, and a
// block that fills it, in a few bytes. The larger ones of RFC 9841 are refused.
var turns = make(chan struct{}, 2)

func decompress(dst, src []byte) error {
	turns <- struct{}{}
	defer func() { <-turns }()
	return certcompress.Fill(dst, brotli.NewReader(bytes.NewReader(src)))
}
