//go:build valgrind && linux && amd64

package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"unsafe"
)

// Client requests: messages of a program to the valgrind that runs it. Outside
// of valgrind they do nothing, and their answer is 0.
// https://valgrind.org/docs/manual/mc-manual.html#mc-manual.clientreqs
const (
	runningOnValgrind = 0x1001
	countErrors       = 0x1201
	makeMemUndefined  = 'M'<<24 | 'C'<<16 | 1
	makeMemDefined    = 'M'<<24 | 'C'<<16 | 2
)

// request sends a client request with its arguments, and returns the answer.
//
//go:noescape
func request(code, arg1, arg2, arg3, arg4, arg5 uintptr) uintptr

func underValgrind() bool { return request(runningOnValgrind, 0, 0, 0, 0, 0) != 0 }

// reports is how many times something was reported so far.
func reports() int { return int(request(countErrors, 0, 0, 0, 0, 0)) }

// secret marks bytes as secret: nothing may be decided by them, nor by what is
// computed from them.
func secret(bs ...[]byte) {
	for _, b := range bs {
		mark(makeMemUndefined, unsafe.Pointer(unsafe.SliceData(b)), len(b))
	}
}

// public takes the mark from bytes that the protocol gives away.
func public(b []byte) {
	mark(makeMemDefined, unsafe.Pointer(unsafe.SliceData(b)), len(b))
}

// publicSlice takes the mark from a slice's length, and from its bytes.
func publicSlice(b *[]byte) {
	mark(makeMemDefined, unsafe.Pointer(b), int(unsafe.Sizeof(*b)))
	public(*b)
}

// mark does not let the stack move between the address and its use.
//
//go:nosplit
func mark(code uintptr, p unsafe.Pointer, n int) {
	request(code, uintptr(p), uintptr(n), 0, 0, 0)
}

// secretCopy is a copy of b that is secret.
func secretCopy(b []byte) []byte {
	c := append([]byte(nil), b...)
	secret(c)
	return c
}

// equal compares what is public now. It copies first, because a comparison of
// whole words looks past the end, where there may be secrets.
func equal(a, b []byte) bool { return bytes.Equal(bytes.Clone(a), bytes.Clone(b)) }

// secretReader is a source of randomness of which every byte is secret, and
// every run has the same.
type secretReader struct{ *rand.ChaCha8 }

func newSecretReader() io.Reader { return secretReader{rand.NewChaCha8([32]byte{})} }

func (r secretReader) Read(b []byte) (int, error) {
	r.ChaCha8.Read(b) // never fails
	secret(b)
	return len(b), nil
}
