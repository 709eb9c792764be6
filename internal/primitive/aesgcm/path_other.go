//go:build !amd64 || purego

package aesgcm

// A path is the code behind one key; here there is only crypto/cipher.
type path struct{}

var portable path

func pathFor(int) path { return portable }

func (path) expand(*schedule, []byte)                              {}
func (path) chunk() int                                            { return 1 }
func (path) seal(_ *schedule, _, _ []byte, _ *byte, _, _ []byte)   {}
func (path) open(_ *schedule, _, _, _, _ []byte, _ *[tagSize]byte) {}
