// Package certcompress has what compresses Certificate messages of TLS 1.3 (RFC 8879), as
// values that a Config lists.
//
//	config.CertificateCompression = []certcompress.Algorithm{brotli.Algorithm(), certcompress.Zlib()}
//
// This package has zlib, of the standard library. The packages brotli and zstd below it
// bring libraries of others, which so reach only programs that import them. Browsers take
// brotli, OpenSSL and GnuTLS what they were built with.
//
// A chain shrinks to about two thirds: its keys and signatures do not shrink at all. What
// that buys is a flight of the server that fits the first window of the path, which a long
// chain does not. What it costs is parsing a compressed format from a stranger, before it
// is known who that is. So nothing is compressed unless a Config says so.
package certcompress

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"

	"github.com/vitrine-tls/vitrine/wire"
)

// Algorithm is one way to compress. Its functions may be called by many goroutines at once.
type Algorithm struct {
	ID wire.CertificateCompression
	// Compress returns src compressed. It is called once for each chain, and what it
	// returns is kept, so it may take its time. It must not change src.
	Compress func(src []byte) ([]byte, error)
	// Decompress fills dst, of at most 256 KiB, with what src inflates to. It fails if that
	// has another length, or if something is left of src. src comes from the network; what
	// is allocated must not depend on what src claims.
	Decompress func(dst, src []byte) error
	// Always has a message go compressed even where that saves nothing.
	Always bool
}

// Zlib is zlib's format. RFC 1950.
func Zlib() Algorithm {
	return Algorithm{ID: wire.CertificateZlib, Compress: deflate, Decompress: inflate}
}

func deflate(src []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(src); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

func inflate(dst, src []byte) error {
	in := bytes.NewReader(src)
	r, err := zlib.NewReader(in)
	if err != nil {
		return err
	}
	if err := Fill(dst, r); err != nil {
		return err
	}
	if in.Len() > 0 {
		return ErrLeft
	}
	return nil
}

// What is wrong with compressed bytes whose format is right.
var (
	ErrShort = errors.New("it inflates to less than it says")
	ErrLong  = errors.New("it inflates to more than it says")
	ErrLeft  = errors.New("there are bytes after its end")
)

// Fill reads dst full from r, which must end there. It is for writing an Algorithm.
func Fill(dst []byte, r io.Reader) error {
	switch _, err := io.ReadFull(r, dst); err {
	case nil:
	case io.EOF, io.ErrUnexpectedEOF:
		return ErrShort
	default:
		return err
	}
	var more [1]byte
	switch n, err := io.ReadFull(r, more[:]); {
	case n > 0:
		return ErrLong
	case err != io.EOF:
		return err
	}
	return nil
}
