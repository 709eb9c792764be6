//go:build amd64 && !purego

package aesgcm

import (
	"testing"

	"github.com/vitrine-tls/vitrine/internal/primitive/cpu"
)

// The fastest path that may run is the one that runs, for each length of key.
func TestFastestPath(t *testing.T) {
	has512, has256 := cpu.VAES512, cpu.VAES256
	defer func() { cpu.VAES512, cpu.VAES256 = has512, has256 }()
	for _, c := range []struct {
		vaes512, vaes256 bool
		want             map[int]path
	}{
		{true, true, map[int]path{16: aes128x512, 24: portable, 32: aes256x512, 0: portable}},
		{false, true, map[int]path{16: aes128x256, 24: portable, 32: aes256x256, 0: portable}},
		{false, false, map[int]path{16: portable, 24: portable, 32: portable, 0: portable}},
	} {
		cpu.VAES512, cpu.VAES256 = c.vaes512, c.vaes256
		for keyLen, want := range c.want {
			if got := pathFor(keyLen); got != want {
				t.Errorf("512 bits %v, 256 bits %v, a key of %d bytes: path %d, want %d", c.vaes512, c.vaes256, keyLen, got, want)
			}
		}
	}
}
