package record

import (
	"bytes"
	"compress/flate"
	"testing"
)

// BenchmarkInflate is the cost of one record: usual ones, and the dearest that a
// hostile peer can send.
func BenchmarkInflate(b *testing.B) {
	text := bytes.Repeat([]byte("GET /some/thing HTTP/1.1\r\nHost: example.com\r\n"), 400)[:MaxPlaintext]
	mixed := bytesOf("random", MaxPlaintext)
	for i := range mixed {
		mixed[i] = "etaoin shrdlu<>=\"/"[mixed[i]%18]
	}
	for _, v := range []struct {
		name     string
		fragment []byte
	}{
		{"text", NewCompressor().Append(nil, text)[2:]},
		{"mixed", NewCompressor().Append(nil, mixed)[2:]},
		{"random", NewCompressor().Append(nil, bytesOf("random", MaxPlaintext))[2:]},
		{"empty dynamic blocks", full((*bitWriter).emptyDynamic)},
		{"dear dynamic blocks", full((*bitWriter).dearDynamic)},
		{"as many dear blocks as may be", manyBlocks()},
		{"empty fixed blocks", full((*bitWriter).emptyFixed)},
		{"empty stored blocks", bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, MaxCompressed/5)},
	} {
		b.Run(v.name, func(b *testing.B) {
			d, dst := NewDecompressor(), make([]byte, 0, MaxPlaintext)
			d.Append(nil, []byte{0x78, 0x9c})
			b.ReportAllocs()
			for b.Loop() {
				d.Append(dst, v.fragment)
			}
		})
		b.Run(v.name+", compress/flate", func(b *testing.B) {
			r := flate.NewReader(nil)
			for b.Loop() {
				flateInflate(r, nil, v.fragment)
			}
		})
	}
}
