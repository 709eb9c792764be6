package record

import (
	"bytes"
	"testing"
)

func TestMasks(t *testing.T) {
	numbers := []int{0, 1, 2, 127, 128, 255, 256, 257, 65535, 65536, 1<<31 - 1}
	mask := map[bool]byte{true: 0xff, false: 0}
	for _, a := range numbers {
		for _, b := range numbers {
			if less(a, b) != mask[a < b] || equal(a, b) != mask[a == b] {
				t.Errorf("%d, %d: less %#x, equal %#x", a, b, less(a, b), equal(a, b))
			}
		}
	}
	if wide(0xff) != -1 || wide(0) != 0 {
		t.Error("wide")
	}
}

func TestUnpadTLS(t *testing.T) {
	for _, keep := range []int{0, 20, 48} {
		for _, size := range []int{1, 48, 64, 255, 256, 257, 320, 2000} {
			if size <= keep {
				continue
			}
			for padding := range 256 {
				plain := make([]byte, size)
				for i := range plain {
					plain[i] = ^byte(padding)
				}
				for i := max(0, size-padding-1); i < size; i++ {
					plain[i] = byte(padding)
				}
				wantN, wantOK := size-padding-1, byte(0xff)
				if padding+1+keep > size {
					wantN, wantOK = size-1, 0
				}
				if n, ok := unpadTLS(plain, keep, 16); n != wantN || ok != wantOK {
					t.Fatalf("keep %d of %d, padding %d: %d, %#x; want %d, %#x", keep, size, padding, n, ok, wantN, wantOK)
				}
				if wantOK == 0 {
					continue
				}
				for i := size - padding - 1; i < size-1; i++ {
					plain[i] ^= 1
					if n, ok := unpadTLS(plain, keep, 16); n != size-1 || ok != 0 {
						t.Fatalf("padding %d with byte %d wrong: %d, %#x", padding, i, n, ok)
					}
					plain[i] ^= 1
				}
			}
		}
	}
}

func TestUnpadSSL30(t *testing.T) {
	for _, blockLen := range []int{8, 16} {
		for _, keep := range []int{0, 16, 20} {
			for size := keep + 1; size < 70; size++ {
				for padding := range 256 {
					plain := append(bytesOf("any", size-1), byte(padding))
					wantN, wantOK := size-padding-1, byte(0xff)
					if padding >= blockLen || padding+1+keep > size {
						wantN, wantOK = size-1, 0
					}
					if n, ok := unpadSSL30(plain, keep, blockLen); n != wantN || ok != wantOK {
						t.Fatalf("keep %d of %d, padding %d: %d, %#x; want %d, %#x", keep, size, padding, n, ok, wantN, wantOK)
					}
				}
			}
		}
	}
}

func TestCopyAt(t *testing.T) {
	for _, size := range []int{16, 20, 32, 48} {
		for total := size; total < size+maxSecretBytes+70; total += 7 {
			src, dst := bytesOf("src", total), make([]byte, size)
			for at := max(0, total-size-maxSecretBytes); at <= total-size; at++ {
				copyAt(dst, src, at)
				if !bytes.Equal(dst, src[at:at+size]) {
					t.Fatalf("%d bytes at %d of %d: %x, want %x", size, at, total, dst, src[at:at+size])
				}
			}
		}
	}
}
