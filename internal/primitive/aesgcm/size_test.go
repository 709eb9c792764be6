package aesgcm

import (
	"testing"
	"unsafe"
)

// One allocation of 576 bytes makes a key, and using it takes none.
func TestSize(t *testing.T) {
	if n := unsafe.Sizeof(gcm{}); n > 576 {
		t.Errorf("a key has %d bytes", n)
	}
	onEachPath(t, func(t *testing.T) {
		if pathFor(16) == portable {
			t.Skip("crypto/cipher has its own sizes")
		}
		key, buf := make([]byte, 16), make([]byte, 1000, 1000+tagSize)
		nonce, data := make([]byte, nonceSize), make([]byte, 13)
		if n := testing.AllocsPerRun(100, func() { ours(t, key) }); n != 1 {
			t.Errorf("%v allocations to make a key", n)
		}
		a := ours(t, key)
		if n := testing.AllocsPerRun(100, func() {
			sealed := a.Seal(buf[:0], nonce, buf, data)
			if _, err := a.Open(sealed[:0], nonce, sealed, data); err != nil {
				t.Fatal(err)
			}
			clear(buf)
		}); n != 0 {
			t.Errorf("%v allocations to seal and open", n)
		}
	})
}
