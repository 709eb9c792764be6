package engine

import (
	"testing"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/wire"
)

// What is agreed on is what records are like: with AES-128-CBC and HMAC-SHA1, a byte
// is in a block of its own before a MAC, or in one of two blocks with it. RFC 7366 §3.
func TestEncryptThenMACIsUsed(t *testing.T) {
	const block, mac = 16, 20
	for off, size := range map[bool]int{false: block + block + mac, true: block + 2*block} {
		c, s := hostsOld(wire.TLS12)(t)
		c.config.NoEncryptThenMAC = off
		l := connect(c, s).run().done(t)
		for _, side := range []*side{l.client, l.server} {
			if side.Result().EncryptThenMAC == off {
				t.Errorf("encrypt-then-MAC agreed on: %v", !off)
			}
			if _, err := side.Write([]byte{'x'}); err != nil {
				t.Fatal(err)
			}
			if got := len(side.take()) - record.HeaderLen; got != size {
				t.Errorf("encrypt-then-MAC %v: a record of a byte has %d bytes, want %d", !off, got, size)
			}
		}
	}
}
