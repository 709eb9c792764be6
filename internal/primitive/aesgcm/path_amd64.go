//go:build amd64 && !purego

package aesgcm

import (
	"unsafe"

	"github.com/vitrine-tls/vitrine/internal/primitive/cpu"
)

// A path is the code behind one key.
type path uint8

const (
	portable path = iota // crypto/cipher
	aes128x512
	aes256x512
	aes128x256
	aes256x256
)

// paths has the paths by the length of the key in bytes, the fastest first.
var paths = []struct {
	keyLen    int
	path      path
	available *bool
}{
	{16, aes128x512, &cpu.VAES512},
	{32, aes256x512, &cpu.VAES512},
	{16, aes128x256, &cpu.VAES256},
	{32, aes256x256, &cpu.VAES256},
}

func pathFor(keyLen int) path {
	for _, p := range paths {
		if p.keyLen == keyLen && *p.available {
			return p.path
		}
	}
	return portable
}

// The methods are switches, and no functions in the table above: of a function that
// is a value the compiler does not know that it keeps no argument, and would put the
// arguments on the heap.

func (p path) expand(s *schedule, key []byte) {
	switch p {
	case aes128x512, aes128x256:
		schedule128((*byte)(unsafe.Pointer(s)), &key[0])
	case aes256x512, aes256x256:
		schedule256((*byte)(unsafe.Pointer(s)), &key[0])
	}
}

// chunk is a power of two: as many multiples of it as there are in a message are taken from
// one place, and what is left may lie at another.
func (p path) chunk() int {
	if p == aes128x512 || p == aes256x512 {
		return 256
	}
	return 128
}

// seal encrypts to out all that is in front of the tag there: whole chunks from in, and
// the rest from last or, if last is nil, from what follows them in in.
func (p path) seal(s *schedule, out, in []byte, last *byte, nonce, data []byte) {
	n := len(out) - tagSize
	k, tag := (*byte)(unsafe.Pointer(s)), &out[n]
	dst, src, ad := unsafe.SliceData(out), unsafe.SliceData(in), unsafe.SliceData(data)
	switch p {
	case aes128x512:
		seal128x512(k, dst, src, n, &nonce[0], ad, len(data), tag, last)
	case aes256x512:
		seal256x512(k, dst, src, n, &nonce[0], ad, len(data), tag, last)
	case aes128x256:
		seal128x256(k, dst, src, n, &nonce[0], ad, len(data), tag, last)
	case aes256x256:
		seal256x256(k, dst, src, n, &nonce[0], ad, len(data), tag, last)
	}
}

// open decrypts in to out, which is as long, and sets tag to what it must be.
func (p path) open(s *schedule, out, in, nonce, data []byte, tag *[tagSize]byte) {
	k, n := (*byte)(unsafe.Pointer(s)), len(in)
	dst, src, ad := unsafe.SliceData(out), unsafe.SliceData(in), unsafe.SliceData(data)
	switch p {
	case aes128x512:
		open128x512(k, dst, src, n, &nonce[0], ad, len(data), &tag[0])
	case aes256x512:
		open256x512(k, dst, src, n, &nonce[0], ad, len(data), &tag[0])
	case aes128x256:
		open128x256(k, dst, src, n, &nonce[0], ad, len(data), &tag[0])
	case aes256x256:
		open256x256(k, dst, src, n, &nonce[0], ad, len(data), &tag[0])
	}
}
