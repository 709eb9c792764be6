package capture

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"flag"
	"io"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// mostMemory is what reading a capture may take, whatever is in it.
const mostMemory = 256 << 20

// heap is how much memory is in use, with what the collector has not looked at yet.
func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// flood is a capture in which the same connection comes n times, each time from another
// client, and the connections are all open at the same time.
type flood struct {
	frames  [][]byte // of the connection
	n, i, j int      // connections, and where we are
	buf     bytes.Buffer
	peak    uint64
	most    int // connections at a time
}

func newFlood(t *testing.T, all []seg, n int) *flood {
	f := &flood{n: n, most: 1 << 17}
	for _, frame := range testEnds().frames(t, all) {
		f.frames = append(f.frames, frame.b)
	}
	f.buf.Write(pcapOf(t, linkRaw))
	return f
}

// Read gives packet j of up to most connections, then packet j+1 of them, and so on.
func (f *flood) Read(b []byte) (int, error) {
	for f.buf.Len() < len(b) && f.n > 0 {
		f.packet(f.frames[f.j], f.i)
		if f.i++; f.i%min(f.most, f.n) == 0 {
			f.i -= min(f.most, f.n)
			if f.j++; f.j == len(f.frames) {
				f.j = 0
				f.n -= min(f.most, f.n)
				f.i = f.n << 1 // other clients
			}
		}
		if f.i%100_000 == 0 {
			f.peak = max(f.peak, heap())
		}
	}
	return f.buf.Read(b)
}

func (f *flood) packet(frame []byte, client int) {
	var head [pcapPacketHeaderLen]byte
	binary.LittleEndian.PutUint32(head[8:], uint32(len(frame)))
	binary.LittleEndian.PutUint32(head[12:], uint32(len(frame)))
	f.buf.Write(head[:])
	at := f.buf.Len()
	f.buf.Write(frame)
	b := f.buf.Bytes()[at:]
	end := 12 // the source
	if b[12] != 192 {
		end = 16
	}
	binary.BigEndian.PutUint32(b[end:], 10<<24|uint32(client))
}

var flooding = flag.Int("flood", 100_000, "how many connections stay open in TestAMillionConnections")

// A million connections, all of which stay open, are read in bounded memory; fewer than
// that show it as well, and sooner: what is kept is full by then. -flood says how many.
func TestAMillionConnections(t *testing.T) {
	open := *flooding
	if programs.Brief() || race { // nothing runs at the same time in it
		open = 25_000
	}
	s := speak(t, tls.VersionTLS12, devca.ECDSA, "hello", nil)
	all := segments(s.said[:2]) // the hellos
	for _, flood := range []struct {
		name string
		kept []seg
		n    int
	}{{"open", all[:len(all)-2], open}, {"closed", all, min(open, 60_000)}} {
		name, n := flood.name, flood.n
		f := newFlood(t, flood.kept, n)
		found := 0
		totals, err := Read(f, Options{Found: func(c *Connection) error {
			if found++; c.Name != "localhost" && !c.Midway && c.ClientHello != nil {
				t.Fatalf("%+v", c)
			}
			return nil
		}})
		if err != nil || totals.TLS != found || found < n/4 || totals.Crowded == 0 {
			t.Errorf("%s: %d found of %d; %+v, %v", name, found, n, totals, err)
		}
		t.Logf("%s: %d MB, %+v", name, f.peak>>20, totals)
		if f.peak > mostMemory {
			t.Errorf("%s: it took %d MB", name, f.peak>>20)
		}
	}
}

// Segments that wait for what never comes displace each other.
func TestManyThatWait(t *testing.T) {
	tr := newTracker(&Options{Keys: &Keys{}})
	e := testEnds()
	junk := bytes.Repeat([]byte("x"), maxSeg)
	var all []seg
	for i := range uint32(300) {
		all = append(all, seg{from: wire.Client, seq: 10_000 + i*3000, noAck: true, b: junk})
	}
	all = append([]seg{{from: wire.Client, syn: true, noAck: true}}, all...)
	for i := range 200 {
		e.client = netip.AddrPortFrom(e.client.Addr(), uint16(20000+i))
		for _, f := range e.frames(t, all) {
			tr.packet(&packet{data: f.b, length: f.length, link: linkRaw, at: f.at.UnixNano()})
			if tr.left.waiting < 0 {
				t.Fatalf("%d bytes too many wait", -tr.left.waiting)
			}
		}
	}
	for key, f := range tr.flows {
		for _, h := range f.halves {
			if h.kept > maxWaiting+2*maxSeg || len(h.waiting) > maxPieces+1 {
				t.Fatalf("%v keeps %d bytes in %d pieces", key, h.kept, len(h.waiting))
			}
		}
	}
	tr.end()
	if tr.left != (budget{maxAllWaiting, maxAllHistory, maxAllPrelude}) {
		t.Errorf("at the end %+v is left", tr.left)
	}
}

// One byte at a time, each apart from the others.
func TestManySmallPieces(t *testing.T) {
	tr := newTracker(&Options{Keys: &Keys{}})
	all := []seg{{from: wire.Client, syn: true, noAck: true}}
	for i := range uint32(3 * maxPieces) {
		all = append(all, seg{from: wire.Client, seq: 10 + 2*i, noAck: true, b: []byte("x")})
	}
	for _, f := range testEnds().frames(t, all) {
		tr.packet(&packet{data: f.b, length: f.length, link: linkRaw, at: testTime.UnixNano()})
	}
	for _, f := range tr.flows {
		for _, h := range f.halves {
			if len(h.waiting) > maxPieces+1 {
				t.Errorf("%d pieces are kept", len(h.waiting))
			}
		}
	}
}

// Beginnings of mail that never end are not all kept.
func TestManyBeginnings(t *testing.T) {
	tr := newTracker(&Options{Keys: &Keys{}})
	e := testEnds()
	said := []saying{line(wire.Server, "220 mail\r\n"), {wire.Server, bytes.Repeat([]byte("x\n"), 20000)}}
	all := segments(said)
	for i := range 600 {
		e.client = netip.AddrPortFrom(e.client.Addr(), uint16(20000+i))
		for _, f := range e.frames(t, all[:len(all)-2]) {
			tr.packet(&packet{data: f.b, length: f.length, link: linkRaw, at: f.at.UnixNano()})
		}
	}
	if tr.left.preludes < -maxPrelude || tr.totals.Unread == 0 {
		t.Errorf("%d bytes are left, %d connections are said not to be read", tr.left.preludes, tr.totals.Unread)
	}
}

// zeros is a reader of n zeros.
type zeros struct{ n int64 }

func (z *zeros) Read(b []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(b)), z.n)
	clear(b[:n])
	z.n -= n
	return int(n), nil
}

// Secrets without end are passed over.
func TestHugeSecrets(t *testing.T) {
	size := int64(1 << 30)
	if programs.Brief() {
		size = 40 << 20
	}
	head := ngHead(binary.LittleEndian, linkRaw, 9)
	head = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(head, blockSecrets), uint32(size))
	before := heap()
	totals, err := Read(io.MultiReader(bytes.NewReader(head), &zeros{size - 8}), Options{})
	if after := heap(); after > before+(16<<20) {
		t.Errorf("it took %d MB", (after-before)>>20)
	}
	if err != nil || len(totals.Notes) != 1 || !strings.Contains(totals.Notes[0], "too large") {
		t.Errorf("%q, %v", totals.Notes, err)
	}
	many := ngHead(binary.LittleEndian, linkRaw, 9)
	small := ngSecrets(binary.LittleEndian, bytes.Repeat(append(bytes.Repeat([]byte("x"), 4000), '\n'), 200))
	for range 60 {
		many = append(many, small...)
	}
	if totals, err := Read(bytes.NewReader(many), Options{}); err != nil || len(totals.Notes) == 0 || len(totals.Notes) > maxNotes {
		t.Errorf("of many blocks: %q, %v", totals.Notes, err)
	}
}

// A capture that grows without end when it is unpacked takes no memory for it.
func TestCompressedBomb(t *testing.T) {
	size := int64(512 << 20)
	if programs.Brief() {
		size = 40 << 20
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(pcapOf(t, linkRaw))
	_, _ = io.Copy(z, &zeros{size})
	_ = z.Close()
	before := heap()
	totals, err := Read(bytes.NewReader(packed.Bytes()), Options{})
	if after := heap(); err != nil || totals.Bytes < size || after > before+(16<<20) {
		t.Errorf("%d bytes, %d MB, %v", totals.Bytes, (after-before)>>20, err)
	}
}
