package kex

import (
	"bytes"
	"testing"
)

// Written by hand from RFC 4279 §2 to §4 and RFC 5489 §2.
func TestPSKPremaster(t *testing.T) {
	rsa := bytes.Repeat([]byte{0xab}, 48)
	for _, c := range []struct {
		name       string
		other, psk []byte
		want       string
	}{
		{"PSK", make([]byte, 4), []byte("\xde\xad\xbe\xef"), "0004" + "00000000" + "0004" + "deadbeef"},
		{"PSK of one byte", make([]byte, 1), []byte{7}, "0001" + "00" + "0001" + "07"},
		{"DHE_PSK", []byte{1, 2, 3}, []byte("\xca\xfe"), "0003" + "010203" + "0002" + "cafe"},
		{"ECDHE_PSK", unhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"), []byte{0xff},
			"0020" + "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742" + "0001" + "ff"},
	} {
		if got := PSKPremaster(nil, c.other, c.psk); !bytes.Equal(got, unhex(c.want)) {
			t.Errorf("%s: got %x, want %s", c.name, got, c.want)
		}
		if got := PSKPremaster([]byte{9}, c.other, c.psk); !bytes.Equal(got, unhex("09"+c.want)) {
			t.Errorf("%s, appended: got %x, want 09%s", c.name, got, c.want)
		}
	}
	long := bytes.Repeat([]byte{5}, MaxPSK)
	got := PSKPremaster(nil, rsa, long)
	if want := append(append(append([]byte{0, 48}, rsa...), 0xff, 0xff), long...); !bytes.Equal(got, want) {
		t.Errorf("RSA_PSK with the longest key: %d bytes that start with %x", len(got), got[:60])
	}
}
