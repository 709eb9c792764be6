package record

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

func TestHeader(t *testing.T) {
	for _, v := range []struct {
		bytes string
		want  Header
	}{
		{"16 03 01 02 00", Header{wire.ContentHandshake, wire.TLS10, 512}},
		{"17 03 03 41 00", Header{wire.ContentApplicationData, wire.TLS12, MaxCiphertext13}},
		{"ff fe fd fc fb", Header{255, 0xfefd, 0xfcfb}},
		{"00 00 00 00 00", Header{}},
	} {
		b := unhex(v.bytes)
		if got := ParseHeader(append(b, "rest"...)); got != v.want {
			t.Errorf("%x is %+v, want %+v", b, got, v.want)
		}
		if got := AppendHeader([]byte("x"), v.want); !bytes.Equal(got, append([]byte("x"), b...)) {
			t.Errorf("%+v became %x", v.want, got)
		}
	}
}
