package proxy

import (
	"bytes"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A hello that comes byte by byte is looked at where something more can be learned, and found
// whole at the same byte, however it is cut into records.
func TestHelloInPieces(t *testing.T) {
	msg := append([]byte{byte(wire.TypeClientHello), 0, 1, 0}, bytes.Repeat([]byte{7}, 256)...)
	for _, size := range []int{1, 3, 4, 100, 260, 1000} {
		var b []byte
		for rest := append(bytes.Clone(msg), 9, 9, 9); len(rest) > 0; {
			n := min(size, len(rest))
			b = append(append(b, 22, 3, 1, 0, byte(n)), rest[:n]...)
			if n > 255 {
				b[len(b)-n-2] = byte(n >> 8)
			}
			rest = rest[n:]
		}
		looks, need := 0, 0
		for i := 1; i <= len(b); i++ {
			if i < need {
				continue
			}
			looks++
			var got []byte
			var err error
			if got, need, err = helloOf(b[:i]); need == 0 {
				if !bytes.Equal(got, msg) || err != nil {
					t.Errorf("records of %d: %d bytes, %v", size, len(got), err)
				}
				break
			}
			if need <= i {
				t.Fatalf("records of %d: after %d bytes it needs %d", size, i, need)
			}
		}
		records := len(msg)/size + 1
		if need != 0 || looks > 6*records+6 {
			t.Errorf("records of %d: it needs %d after %d looks", size, need, looks)
		}
	}
}

// Of a hello is kept what routes ask for: a stranger can name 16,000 protocols. A name that is
// that of no host goes nowhere.
func TestWhatIsKeptOfAHello(t *testing.T) {
	for name, good := range map[string]bool{
		"front.test": true, "a_b.test": true, "192.0.2.1": true, "": true, "2001:db8::1": true,
		"a b": false, "a..test": false, "a.test\r\nx": false, "\x00": false, strings.Repeat("a.", 200) + "a": false, "-a.test": false,
	} {
		m := &wire.ClientHello{LegacyVersion: 0x303, Random: make([]byte, 32), CipherSuites: []wire.CipherSuite{wire.TLS_AES_128_GCM_SHA256}, CompressionMethods: []wire.CompressionMethod{0}}
		if name != "" {
			m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtServerName, Data: wire.AppendServerName(nil, name)})
		}
		many := append(strings.Split(strings.Repeat("x", 9000), ""), "two", "one", "two")
		m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtALPN, Data: wire.AppendALPN(nil, many...)})
		h, err := parseHello(wire.AppendMessage(nil, m, wire.Context{}), map[string]bool{"one": true, "two": true})
		if (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
		if good && (h == nil || h.name != name || strings.Join(h.alpn, " ") != "two one") {
			t.Errorf("%q: %+v", name, h)
		}
	}
}
