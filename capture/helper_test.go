package capture

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	glayers "github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// saying is what one side sends at a time.
type saying struct {
	from wire.Role
	b    []byte
}

// tap is the client's end of a connection, on which somebody listens.
type tap struct {
	net.Conn
	mu  sync.Mutex
	all []saying
}

func (c *tap) hear(from wire.Role, b []byte) {
	if len(b) > 0 {
		c.mu.Lock()
		c.all = append(c.all, saying{from, bytes.Clone(b)})
		c.mu.Unlock()
	}
}

func (c *tap) Read(b []byte) (n int, err error) {
	n, err = c.Conn.Read(b)
	c.hear(wire.Server, b[:n])
	return n, err
}

func (c *tap) Write(b []byte) (n int, err error) {
	c.hear(wire.Client, b) // before anybody can answer
	return c.Conn.Write(b)
}

var authority = sync.OnceValues(func() (*devca.CA, error) { return devca.New() })

// spoken is a TLS connection: what was said on it, and the client's key log.
type spoken struct {
	said []saying
	log  []byte
}

// speak makes a connection, on which the client sends text and the server echoes it.
func speak(t testing.TB, version uint16, key devca.KeyType, text string, change func(client, server *tls.Config)) *spoken {
	t.Helper()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"localhost"}, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	client := &tls.Config{ServerName: "localhost", RootCAs: ca.Pool(), MinVersion: version, MaxVersion: version, KeyLogWriter: &log}
	server := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: version, MaxVersion: version}
	if change != nil {
		change(client, server)
	}
	said := converse(t, client, server, text)
	return &spoken{said, log.Bytes()}
}

// converse makes a connection, and returns what was said on it.
func converse(t testing.TB, client, server *tls.Config, text string) []saying {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	served := make(chan struct{})
	go func() {
		defer close(served)
		if raw, err := ln.Accept(); err == nil {
			conn := tls.Server(raw, server)
			defer conn.Close()
			_, _ = io.Copy(conn, conn)
		}
	}()
	raw, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	heard := &tap{Conn: raw}
	conn := tls.Client(heard, client)
	if _, err := conn.Write([]byte(text)); err == nil {
		if _, err := io.ReadFull(conn, make([]byte, len(text))); err != nil {
			t.Fatal(err)
		}
	}
	conn.Close()
	<-served
	heard.mu.Lock()
	defer heard.mu.Unlock()
	return heard.all
}

// seg is a segment that a test sends: its numbers count from 0 in each direction, SYN left
// out.
type seg struct {
	from     wire.Role
	seq, ack uint32
	syn, fin bool
	rst      bool
	noAck    bool
	b        []byte
	snap     int // bytes of the payload that are captured, where it is not 0
}

// maxSeg is the payload of a segment.
const maxSeg = 1400

// segments sends what was said over TCP, from SYN to FIN.
func segments(said []saying) (all []seg) {
	all = []seg{{from: wire.Client, syn: true, noAck: true}, {from: wire.Server, syn: true}, {from: wire.Client}}
	var next [3]uint32
	other := func(r wire.Role) wire.Role { return wire.Client + wire.Server - r }
	for _, s := range said {
		for part := range slices.Chunk(s.b, maxSeg) {
			all = append(all, seg{from: s.from, seq: next[s.from], ack: next[other(s.from)], b: part})
			next[s.from] += uint32(len(part))
		}
		all = append(all, seg{from: other(s.from), seq: next[other(s.from)], ack: next[s.from]})
	}
	all = append(all, seg{from: wire.Client, seq: next[wire.Client], ack: next[wire.Server], fin: true})
	return append(all, seg{from: wire.Server, seq: next[wire.Server], ack: next[wire.Client] + 1, fin: true})
}

// ends are the ends of a connection of a test.
type ends struct {
	client, server netip.AddrPort
	isn            [3]uint32
}

func testEnds() ends {
	return ends{netip.MustParseAddrPort("192.0.2.1:49152"), netip.MustParseAddrPort("198.51.100.7:443"), [3]uint32{0, 1000, 7000}}
}

// frame is a packet of a capture that a test writes.
type frame struct {
	at     time.Time
	b      []byte
	length int
}

var testTime = time.Unix(1_700_000_000, 123_456_000)

// frames puts segments into packets, with the given layers below IP.
func (e ends) frames(t testing.TB, all []seg, below ...gopacket.SerializableLayer) (out []frame) {
	t.Helper()
	for i, s := range all {
		src, dst := e.client, e.server
		if s.from == wire.Server {
			src, dst = dst, src
		}
		tcp := &glayers.TCP{
			SrcPort: glayers.TCPPort(src.Port()), DstPort: glayers.TCPPort(dst.Port()), Window: 1000,
			Seq: e.isn[s.from] + 1 + s.seq, Ack: e.isn[wire.Client+wire.Server-s.from] + 1 + s.ack,
			SYN: s.syn, FIN: s.fin, RST: s.rst, ACK: !s.noAck,
		}
		if s.syn {
			tcp.Seq--
		}
		if s.noAck {
			tcp.Ack = 0
		}
		var ip gopacket.SerializableLayer
		if src.Addr().Is4() {
			four := &glayers.IPv4{Version: 4, TTL: 64, Protocol: glayers.IPProtocolTCP, SrcIP: src.Addr().AsSlice(), DstIP: dst.Addr().AsSlice()}
			_ = tcp.SetNetworkLayerForChecksum(four)
			ip = four
		} else {
			six := &glayers.IPv6{Version: 6, HopLimit: 64, NextHeader: glayers.IPProtocolTCP, SrcIP: src.Addr().AsSlice(), DstIP: dst.Addr().AsSlice()}
			_ = tcp.SetNetworkLayerForChecksum(six)
			ip = six
		}
		b := serialize(t, append(slices.Clone(below), ip, tcp, gopacket.Payload(s.b))...)
		f := frame{testTime.Add(time.Duration(i) * time.Millisecond), b, len(b)}
		if s.snap > 0 {
			f.b = f.b[:len(f.b)-len(s.b)+s.snap]
		}
		out = append(out, f)
	}
	return out
}

func serialize(t testing.TB, all ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buffer := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, all...); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(buffer.Bytes())
}

// pcapOf writes frames as a pcap file, by gopacket.
func pcapOf(t testing.TB, link linkType, all ...frame) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriterNanos(&b)
	if err := w.WriteFileHeader(maxPacket, glayers.LinkType(link)); err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: f.at, CaptureLength: len(f.b), Length: f.length}, f.b); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// found is what was found of a connection.
type found struct {
	*Connection
	data [3][]byte // by side, decrypted
}

// readAll reads a capture, and decrypts what it can.
func readAll(t testing.TB, file []byte, log []byte) (all []*found, totals Totals, err error) {
	t.Helper()
	keys := &Keys{}
	if _, err := keys.AddLog(bytes.NewReader(log)); err != nil {
		t.Fatal(err)
	}
	by := map[int]*found{}
	totals, err = Read(bytes.NewReader(file), Options{
		Keys: keys,
		Trace: func(c *Connection, now func() time.Time) *trace.Hooks {
			f := &found{}
			by[c.Number] = f
			return &trace.Hooks{Record: func(r trace.Record) {
				if now().IsZero() {
					t.Error("there is no time")
				}
				if r.Type == wire.ContentApplicationData && r.Unopened == "" && r.Epoch > 0 {
					role := wire.Server
					if r.Dir == trace.Sent {
						role = wire.Client
					}
					f.data[role] = append(f.data[role], r.Plain...)
				}
			}}
		},
		Found: func(c *Connection) error {
			f := by[c.Number]
			f.Connection = c
			all = append(all, f)
			return nil
		},
	})
	return all, totals, err
}

// one reads a capture that holds one connection.
func one(t testing.TB, file, log []byte) *found {
	t.Helper()
	all, _, err := readAll(t, file, log)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 {
		t.Fatalf("%d connections were found, want 1", len(all))
	}
	return all[0]
}

func (f *found) wants(t testing.TB, text string) {
	t.Helper()
	for _, role := range []wire.Role{wire.Client, wire.Server} {
		if string(f.data[role]) != text {
			t.Errorf("the %v sent %d bytes %.40q, want %d (%s; %d gaps; missing: %q)", role, len(f.data[role]), f.data[role], len(text), f.Outcome, f.Gaps, f.Missing)
		}
	}
}
