package record

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// rfc8448 are the traffic keys and records of RFC 8448 §3, "Simple 1-RTT Handshake".
var rfc8448 = []struct {
	name    string
	key, iv string
	seq     uint64
	typ     wire.ContentType
	content []byte
	record  string
}{
	{"client Finished", "dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f", 0, wire.ContentHandshake,
		unhex("14 00 00 20 a8 ec 43 6d 67 76 34 ae 52 5a c1 fc eb e1 1a 03 9e c1 76 94 fa c6 e9 85 27 b6 42 f2 ed d5 ce 61"),
		`17 03 03 00 35 75 ec 4d c2 38 cc e6 0b 29 80 44 a7 1e 21 9c 56 cc 77 b0 51 7f e9 b9 3c 7a 4b fc
		 44 d8 7f 38 f8 03 38 ac 98 fc 46 de b3 84 bd 1c ae ac ab 68 67 d7 26 c4 05 46`},
	{"client application data", "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9", 0, wire.ContentApplicationData, counting(50),
		`17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9 14 aa 66 bc ab 3f
		 2b 98 19 a8 a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2 97 70 14 bd 1e 3d ea e6
		 3a ee bb 21 69 49 15 e4`},
	{"client close_notify", "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9", 1, wire.ContentAlert, []byte{1, 0},
		`17 03 03 00 13 c9 87 27 60 65 56 66 b7 4d 7f f1 15 3e fd 6d b6 d0 b0 e3`},
	{"server application data", "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984", 1, wire.ContentApplicationData, counting(50),
		`17 03 03 00 43 2e 93 7e 11 ef 4a c7 40 e5 38 ad 36 00 5f c4 a4 69 32 fc 32 25 d0 5f 82 aa 1b 36
		 e3 0e fa f9 7d 90 e6 df fc 60 2d cb 50 1a 59 a8 fc c4 9c 4b f2 e5 f0 a2 1c 00 47 c2 ab f3 32 54
		 0d d0 32 e1 67 c2 95 5d`},
	{"server close_notify", "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984", 2, wire.ContentAlert, []byte{1, 0},
		`17 03 03 00 13 b5 8f d6 71 66 eb f5 99 d2 47 20 cf be 7e fa 7a 88 64 a9`},
}

// counting is the bytes 0, 1, 2 ... n-1.
func counting(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func TestRFC8448(t *testing.T) {
	for _, v := range rfc8448 {
		t.Run(v.name, func(t *testing.T) {
			p := Params{Version: wire.TLS13, Suite: suite.ByID(wire.TLS_AES_128_GCM_SHA256), Key: unhex(v.key), IV: unhex(v.iv)}
			out, in := keyed(p), keyed(p)
			out.seq, in.seq = v.seq, v.seq
			rec := mustSeal(t, out, v.typ, v.content, 0)
			if !bytes.Equal(rec, unhex(v.record)) {
				t.Errorf("sealed  %x\nRFC has %x", rec, unhex(v.record))
			}
			typ, content, _, err := in.Open(unhex(v.record))
			if err != nil {
				t.Fatal(err)
			}
			wantContent(t, typ, v.typ, content, v.content)
		})
	}
}
