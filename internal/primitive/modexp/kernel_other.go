//go:build !amd64 || purego

package modexp

// Without the kernels there is no modulus: the callers use the standard library.
var pairs, singles, eights []*shape
