package capture

import (
	"bytes"
	"os"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

func FuzzRead(f *testing.F) {
	file, err := os.ReadFile(sample)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	s := speak(f, tls.VersionTLS13, devca.ECDSA, "hello", nil)
	f.Add(pcapOf(f, linkEthernet, testEnds().frames(f, segments(s.said), ethernet)...))
	f.Fuzz(func(t *testing.T, file []byte) {
		found := 0
		totals, err := Read(bytes.NewReader(file), Options{Decrypt: true, Found: func(c *Connection) error {
			found++
			if c.Number == 0 || c.Outcome == "" || c.Lost < 0 || !c.Client.IsValid() {
				t.Errorf("%+v", c)
			}
			return nil
		}})
		if found != totals.TLS || totals.Segments > totals.Packets || err == nil && totals.Bytes > int64(len(file)) && !bytes.HasPrefix(file, gzipMagic[:]) {
			t.Errorf("%d found; %+v, %v", found, totals, err)
		}
	})
}

func FuzzLayers(f *testing.F) {
	for _, frame := range testEnds().frames(f, []seg{{from: wire.Client, b: []byte("hello")}}, ethernet) {
		f.Add(uint16(linkEthernet), frame.b, 0)
		f.Add(uint16(linkRaw), frame.b[14:], 10)
	}
	f.Fuzz(func(t *testing.T, link uint16, b []byte, more int) {
		var l layers
		p := &packet{data: b, length: len(b) + more%1500, link: linkType(link)}
		for range 2 { // so that fragments meet
			if l.decode(p) && (l.cut < 0 || len(l.payload) > maxDatagram+len(b)) {
				t.Errorf("a payload of %d bytes, %d cut", len(l.payload), l.cut)
			}
		}
	})
}

// FuzzStream sends parts of a stream in any order, and wants them back in theirs. Each part
// is 4 bytes: what it is, where it begins, how long it is, what it acknowledges.
func FuzzStream(f *testing.F) {
	f.Add([]byte{0, 0, 20, 0, 1, 0, 20, 20, 0, 40, 20, 0, 0, 20, 20, 20})
	stream := []byte("220 ")
	for len(stream) < 1024 {
		stream = append(stream, byte(len(stream)%251))
	}
	f.Fuzz(func(t *testing.T, parts []byte) {
		tr := newTracker(&Options{Keys: &Keys{}})
		k, _ := (&segment{src: address{1}, dst: address{2}}).key()
		fl := tr.begin(k, 0)
		for from := range 2 {
			tr.segment(fl, from, &segment{seq: ^uint32(0) - 100, flags: flagSYN}, 0)
		}
		for ; len(parts) >= 4; parts = parts[4:] {
			from, at, n, ack := int(parts[0]&1), int(parts[1])*2, int(parts[2]), uint32(parts[3])*2
			s := &segment{seq: ^uint32(0) - 99 + uint32(at), ack: ^uint32(0) - 99 + ack, flags: parts[0] >> 1 & (flagFIN | flagACK), payload: stream[at : at+n]}
			if !fl.done {
				tr.segment(fl, from, s, int64(parts[0]))
			}
			h := &fl.halves[from]
			if fl.prelude != nil && !h.lost && !bytes.HasPrefix(stream, fl.prelude.text[from]) {
				t.Fatalf("%q was handed on", fl.prelude.text[from])
			}
			if h.kept < 0 || len(h.waiting) == 0 != (h.kept == 0) {
				t.Fatalf("%d bytes in %d pieces", h.kept, len(h.waiting))
			}
		}
		if fl.conflicts > 0 {
			t.Fatalf("%d conflicts in copies that are the same", fl.conflicts)
		}
		tr.end()
		if tr.left != (budget{maxAllWaiting, maxAllHistory, maxAllPrelude}) {
			t.Fatalf("%+v is left", tr.left)
		}
	})
}
