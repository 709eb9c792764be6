package capture

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	glayers "github.com/gopacket/gopacket/layers"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

var ethernet = &glayers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: glayers.EthernetTypeIPv4}

func carrying(kind glayers.EthernetType) *glayers.Ethernet {
	e := *ethernet
	e.EthernetType = kind
	return &e
}

func TestReadAConnection(t *testing.T) {
	text := strings.Repeat("what is said in here ", 500)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := speak(t, version, devca.ECDSA, text, nil)
		c := one(t, pcapOf(t, linkEthernet, testEnds().frames(t, segments(s.said), ethernet)...), s.log)
		c.wants(t, text)
		if c.Number != 1 || c.Client != testEnds().client || c.Server != testEnds().server || c.Began != "" || c.Midway {
			t.Errorf("%+v", c.Connection)
		}
		if c.Name != "localhost" || c.Version != wire.Version(version) || c.Suite == 0 || len(c.JA3) != 32 || !strings.HasPrefix(c.JA4, "t1") {
			t.Errorf("name %q, version %v, suite %v, %s, %s", c.Name, c.Version, c.Suite, c.JA3, c.JA4)
		}
		if !c.Complete || c.Failed || c.Outcome != "complete" || !c.Readable || c.Missing != "" || c.Open || c.Gaps+c.Conflicts != 0 {
			t.Errorf("%+v", c.Connection)
		}
		if !c.Start.Equal(testTime) || c.Duration() <= 0 {
			t.Errorf("from %v, for %v", c.Start, c.Duration())
		}
	}
}

func TestReadWithoutKeys(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, "hello", nil)
	c := one(t, pcapOf(t, linkEthernet, testEnds().frames(t, segments(s.said), ethernet)...), nil)
	if c.Readable || c.Missing == "" || len(c.data[wire.Client]) > 0 || !c.Complete {
		t.Errorf("readable %t, missing %q, complete %t", c.Readable, c.Missing, c.Complete)
	}
}

// Every format and layer gives the same connection.
func TestFormatsAndLayers(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, "the same in every wrapping", nil)
	segs := segments(s.said)
	e := testEnds()
	six := e
	six.client, six.server = netip.MustParseAddrPort("[2001:db8::1]:49152"), netip.MustParseAddrPort("[2001:db8::2]:443")
	plain := e.frames(t, segs)
	before := func(head string) (out []frame) {
		for _, f := range plain {
			out = append(out, frame{f.at, append([]byte(head), f.b...), f.length + len(head)})
		}
		return out
	}
	tunnel := func(proto glayers.IPProtocol) *glayers.IPv4 {
		return &glayers.IPv4{Version: 4, TTL: 9, Protocol: proto, SrcIP: []byte{10, 0, 0, 1}, DstIP: []byte{10, 0, 0, 2}}
	}
	udp := &glayers.UDP{SrcPort: 5555, DstPort: portVXLAN}
	_ = udp.SetNetworkLayerForChecksum(tunnel(glayers.IPProtocolUDP))
	for _, c := range []struct {
		name   string
		link   linkType
		frames []frame
	}{
		{"Ethernet", linkEthernet, e.frames(t, segs, ethernet)},
		{"Ethernet, IPv6", linkEthernet, six.frames(t, segs, carrying(glayers.EthernetTypeIPv6))},
		{"VLAN", linkEthernet, e.frames(t, segs, carrying(glayers.EthernetTypeDot1Q), &glayers.Dot1Q{VLANIdentifier: 7, Type: glayers.EthernetTypeIPv4})},
		{"QinQ", linkEthernet, e.frames(t, segs, carrying(glayers.EthernetTypeQinQ),
			&glayers.Dot1Q{VLANIdentifier: 7, Type: glayers.EthernetTypeDot1Q}, &glayers.Dot1Q{VLANIdentifier: 8, Type: glayers.EthernetTypeIPv4})},
		{"PPPoE", linkEthernet, e.frames(t, segs, carrying(glayers.EthernetTypePPPoESession),
			&glayers.PPPoE{Version: 1, Type: 1, Code: glayers.PPPoECodeSession}, &glayers.PPP{PPPType: glayers.PPPTypeIPv4})},
		{"GRE", linkEthernet, e.frames(t, segs, ethernet, tunnel(glayers.IPProtocolGRE), &glayers.GRE{Protocol: glayers.EthernetTypeIPv4, KeyPresent: true, Key: 4})},
		{"GRE over Ethernet", linkEthernet, e.frames(t, segs, ethernet, tunnel(glayers.IPProtocolGRE),
			&glayers.GRE{Protocol: glayers.EthernetTypeTransparentEthernetBridging}, ethernet)},
		{"VXLAN", linkEthernet, e.frames(t, segs, ethernet, tunnel(glayers.IPProtocolUDP), udp, &glayers.VXLAN{ValidIDFlag: true, VNI: 3}, ethernet)},
		{"IP in IP", linkEthernet, e.frames(t, segs, ethernet, tunnel(glayers.IPProtocolIPv4))},
		{"raw", linkRaw, plain},
		{"raw IPv6", linkRaw, six.frames(t, segs)},
		{"IPv4", linkIPv4, plain},
		{"null, little", linkNull, before("\x02\x00\x00\x00")},
		{"null, big", linkNull, before("\x00\x00\x00\x02")},
		{"loop", linkLoop, before("\x00\x00\x00\x02")},
		{"cooked", linkCooked, before("\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00")},
		{"cooked 2", linkCooked2, before("\x08\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00\x00\x00")},
		{"SNAP", linkEthernet, before("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\xaa\xaa\x03\x00\x00\x00\x08\x00")},
	} {
		t.Run(c.name, func(t *testing.T) {
			one(t, pcapOf(t, c.link, c.frames...), s.log).wants(t, "the same in every wrapping")
		})
	}
	if _, totals, err := readAll(t, pcapOf(t, 127, plain...), nil); err != nil || len(totals.Notes) != 1 || !strings.Contains(totals.Notes[0], "link type 127") {
		t.Errorf("of a link type that is not read: %q, %v", totals.Notes, err)
	}
}

// pcapWith writes pcap in a byte order and unit.
func pcapWith(order binary.AppendByteOrder, magic uint32, unit time.Duration, all []frame) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(order.AppendUint16(b, 2), 4)
	for _, n := range []uint32{0, 0, maxPacket, uint32(linkEthernet)} {
		b = order.AppendUint32(b, n)
	}
	for _, f := range all {
		b = order.AppendUint32(b, uint32(f.at.Unix()))
		b = order.AppendUint32(b, uint32(f.at.Nanosecond()/int(unit)))
		b = order.AppendUint32(order.AppendUint32(b, uint32(len(f.b))), uint32(f.length))
		b = append(b, f.b...)
	}
	return b
}

func TestPcapVariants(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, "hello", nil)
	all := testEnds().frames(t, segments(s.said), ethernet)
	for name, file := range map[string][]byte{
		"little, micro": pcapWith(binary.LittleEndian, 0xa1b2c3d4, time.Microsecond, all),
		"big, micro":    pcapWith(binary.BigEndian, 0xa1b2c3d4, time.Microsecond, all),
		"little, nano":  pcapWith(binary.LittleEndian, 0xa1b23c4d, time.Nanosecond, all),
		"big, nano":     pcapWith(binary.BigEndian, 0xa1b23c4d, time.Nanosecond, all),
	} {
		c := one(t, file, s.log)
		c.wants(t, "hello")
		if !c.Start.Equal(testTime) {
			t.Errorf("%s: it starts at %v", name, c.Start)
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(pcapOf(t, linkEthernet, all...))
	_ = z.Close()
	one(t, packed.Bytes(), s.log).wants(t, "hello")
}

// block appends a block of pcapng.
func block(b []byte, order binary.AppendByteOrder, kind uint32, body []byte) []byte {
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	n := uint32(len(body) + minBlock)
	b = order.AppendUint32(order.AppendUint32(b, kind), n)
	return order.AppendUint32(append(b, body...), n)
}

// ngHead is a section's header and an interface, whose unit of time has an exponent.
func ngHead(order binary.AppendByteOrder, link linkType, resolution byte) []byte {
	body := order.AppendUint32(nil, byteOrderMagic)
	body = order.AppendUint64(order.AppendUint32(body, 1), ^uint64(0))
	b := block(nil, order, blockSection, body)
	return append(b, ngInterface(order, link, resolution)...)
}

func ngInterface(order binary.AppendByteOrder, link linkType, resolution byte) []byte {
	body := order.AppendUint32(order.AppendUint16(order.AppendUint16(nil, uint16(link)), 0), 0)
	body = append(order.AppendUint16(order.AppendUint16(body, optResolution), 1), resolution, 0, 0, 0)
	return block(nil, order, blockInterface, order.AppendUint32(body, 0))
}

func ngPacket(order binary.AppendByteOrder, iface uint32, ticks uint64, f frame, comment string) []byte {
	body := order.AppendUint32(nil, iface)
	body = order.AppendUint32(order.AppendUint32(body, uint32(ticks>>32)), uint32(ticks))
	body = append(order.AppendUint32(order.AppendUint32(body, uint32(len(f.b))), uint32(f.length)), f.b...)
	for len(body)%4 != 0 {
		body = append(body, 0)
	}
	if comment != "" {
		body = append(order.AppendUint16(order.AppendUint16(body, optComment), uint16(len(comment))), comment...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
		body = order.AppendUint32(body, 0)
	}
	return block(nil, order, blockPacket, body)
}

func ngSecrets(order binary.AppendByteOrder, log []byte) []byte {
	body := order.AppendUint32(order.AppendUint32(nil, secretsTLS), uint32(len(log)))
	return block(nil, order, blockSecrets, append(body, log...))
}

func TestPcapng(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, "hello", nil)
	segs := segments(s.said)
	wired, raw := testEnds().frames(t, segs, ethernet), testEnds().frames(t, segs)
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for resolution, ticks := range map[byte]func(time.Time) uint64{
			6:         func(at time.Time) uint64 { return uint64(at.UnixMicro()) },
			9:         func(at time.Time) uint64 { return uint64(at.UnixNano()) },
			3:         func(at time.Time) uint64 { return uint64(at.UnixMilli()) },
			0x80 | 20: func(at time.Time) uint64 { return uint64(at.Unix())<<20 | uint64(at.Nanosecond())<<20/1e9 },
		} {
			file := ngHead(order, linkEthernet, resolution)
			file = append(file, ngInterface(order, linkRaw, resolution)...)
			file = append(file, ngSecrets(order, s.log)...)
			for i, f := range wired { // the two directions on one interface each
				if segs[i].from == wire.Server {
					f = raw[i]
				}
				file = append(file, ngPacket(order, uint32(segs[i].from-wire.Client), ticks(f.at), f, []string{"", "look here"}[i/4%2])...)
			}
			c := one(t, file, nil)
			c.wants(t, "hello")
			if off := c.Start.Sub(testTime).Abs(); off > time.Millisecond {
				t.Errorf("%v, 10^-%d: it starts at %v", order, resolution, c.Start)
			}
			if len(c.Comments) == 0 || c.Comments[0] != "look here" {
				t.Errorf("the comments are %q", c.Comments)
			}
		}
	}
}

// What gopacket writes is read, with its secrets.
func TestPcapngOfGopacket(t *testing.T) {
	s := speak(t, tls.VersionTLS12, devca.ECDSA, "hello", nil)
	c := one(t, ngOf(t, s.log, testEnds().frames(t, segments(s.said), ethernet)), nil)
	c.wants(t, "hello")
	if !c.Start.Equal(testTime) {
		t.Errorf("it starts at %v", c.Start)
	}
}

// IP fragments of either version, in any order.
func TestFragments(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, "hello", nil)
	e := testEnds()
	six := e
	six.client, six.server = netip.MustParseAddrPort("[2001:db8::1]:49152"), netip.MustParseAddrPort("[2001:db8::2]:443")
	const size = 64
	for name, all := range map[string][]frame{"IPv4": e.frames(t, segments(s.said)), "IPv6": six.frames(t, segments(s.said))} {
		for _, backwards := range []bool{false, true} {
			var cut []frame
			for i, f := range all {
				head := 20
				if f.b[0]>>4 == 6 {
					head = 40
				}
				var parts []frame
				body := f.b[head:]
				for at := 0; at < len(body); at += size {
					part := body[at:min(at+size, len(body))]
					parts = append(parts, frame{f.at, fragment(f.b[:head], uint32(i), at, at+size < len(body), part), 0})
				}
				for i := range parts {
					parts[i].length = len(parts[i].b)
				}
				if backwards {
					slices.Reverse(parts)
				}
				cut = append(cut, parts...)
			}
			t.Run(fmt.Sprint(name, backwards), func(t *testing.T) { one(t, pcapOf(t, linkRaw, cut...), s.log).wants(t, "hello") })
		}
	}
}

func fragment(head []byte, id uint32, at int, more bool, part []byte) []byte {
	flag := 0
	if more {
		flag = 1
	}
	b := bytes.Clone(head)
	if b[0]>>4 == 4 {
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)+len(part)))
		binary.BigEndian.PutUint16(b[4:], uint16(id))
		binary.BigEndian.PutUint16(b[6:], uint16(flag<<13|at/8))
		return append(b, part...)
	}
	next := b[6]
	b[6] = nextFragment
	binary.BigEndian.PutUint16(b[4:], uint16(8+8+len(part)))
	b = append(b, next, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(at|flag))
	b = binary.BigEndian.AppendUint32(b, id)
	// Options for the destination before the fragment header, as a host may put them.
	b = slices.Insert(b, 40, nextFragment, 0, 1, 4, 0, 0, 0, 0)
	b[6] = nextOptions
	return append(b, part...)
}

func TestBadFiles(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, "hello", nil)
	all := testEnds().frames(t, segments(s.said), ethernet)
	file := pcapOf(t, linkEthernet, all...)
	for _, none := range []string{"", "GET", "PK\x03\x04 something else", "{}"} {
		if _, _, err := readAll(t, []byte(none), nil); !errors.Is(err, ErrNoCapture) {
			t.Errorf("%q: %v", none, err)
		}
	}
	var damaged *DamagedError
	got, totals, err := readAll(t, file[:len(file)-10], s.log)
	if !errors.As(err, &damaged) || !damaged.Truncated || damaged.Packets != len(all)-1 || totals.Packets != len(all)-1 || damaged.Offset >= int64(len(file)) {
		t.Errorf("a file that ends early: %v", err)
	}
	if len(got) != 1 || !got[0].Open || string(got[0].data[wire.Client]) != "hello" {
		t.Error("what came before the end is missing")
	}
	ng := append(ngHead(binary.LittleEndian, linkEthernet, 9), ngPacket(binary.LittleEndian, 0, 1, all[0], "")...)
	for name, more := range map[string][]byte{
		"a block of nothing":         make([]byte, 16),
		"a block of 4 GB":            {6, 0, 0, 0, 0xfc, 0xff, 0xff, 0xff, 0, 0, 0, 0},
		"an odd block":               {6, 0, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0},
		"a block of another kind":    {5, 0, 0, 0, 0xfc, 0xff, 0xff, 0xff, 0, 0, 0, 0},
		"secrets of 4 GB":            {0xa, 0, 0, 0, 0xfc, 0xff, 0xff, 0xff, 0, 0, 0, 0},
		"secrets longer than theirs": block(nil, binary.LittleEndian, blockSecrets, []byte{0x4b, 0x53, 0x4c, 0x54, 0xff, 0xff, 0, 0}),
		"secrets without a length":   block(nil, binary.LittleEndian, blockSecrets, nil),
		"another interface":          ngPacket(binary.LittleEndian, 7, 1, all[0], ""),
		"a packet beyond its block":  bytes.Replace(ngPacket(binary.LittleEndian, 0, 1, all[0], ""), binary.LittleEndian.AppendUint32(nil, uint32(len(all[0].b))), []byte{0, 4, 0, 0}, 1),
		"a short packet block":       block(nil, binary.LittleEndian, blockPacket, make([]byte, 8)),
		"a short interface":          block(nil, binary.LittleEndian, blockInterface, nil),
	} {
		_, totals, err := readAll(t, append(slices.Clone(ng), more...), nil)
		if !errors.As(err, &damaged) || totals.Packets != 1 || damaged.Packets != 1 || damaged.Offset != int64(len(ng)) {
			t.Errorf("%s: %v after %d packets", name, err, totals.Packets)
		}
	}
	huge := binary.LittleEndian.AppendUint32(slices.Clone(file[:24+8]), 1<<30) // a packet of 1 GB
	if _, _, err := readAll(t, append(huge, 0, 0, 0, 0), nil); !errors.As(err, &damaged) || damaged.Truncated {
		t.Errorf("a packet of 1 GB: %v", err)
	}
}

func TestFoundEndsRead(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, "hello", nil)
	file := pcapOf(t, linkEthernet, testEnds().frames(t, segments(s.said), ethernet)...)
	stop := errors.New("enough")
	if _, err := Read(bytes.NewReader(file), Options{Found: func(*Connection) error { return stop }}); !errors.Is(err, stop) {
		t.Errorf("Read returns %v", err)
	}
}

// A list needs no hooks, and tells the same.
func TestList(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS12, tls.VersionTLS13} {
		s := speak(t, version, devca.ECDSA, "hello", nil)
		file := pcapOf(t, linkEthernet, testEnds().frames(t, segments(s.said), ethernet)...)
		for _, log := range [][]byte{nil, s.log} {
			var keys Keys
			if n, err := keys.AddLog(bytes.NewReader(log)); err != nil || (n == 0) != (log == nil) {
				t.Fatal(n, err)
			}
			var all []*Connection
			_, err := Read(bytes.NewReader(file), Options{Keys: &keys, Found: func(c *Connection) error {
				all = append(all, c)
				return nil
			}})
			if err != nil || len(all) != 1 {
				t.Fatal(all, err)
			}
			if c := all[0]; c.Readable != (log != nil) || (c.Missing == "") != c.Readable || !c.Complete || c.Outcome != "complete" || c.Name != "localhost" {
				t.Errorf("%v, %d bytes of keys: %+v", c.Version, len(log), c)
			}
		}
	}
}

// A client that refuses the server's certificate does not complete the handshake, which
// can be told without keys.
func TestListOfARefusal(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := speak(t, version, devca.ECDSA, "hello", func(client, _ *tls.Config) { client.ServerName = "example.com" })
		var all []*Connection
		_, err := Read(bytes.NewReader(pcapOf(t, linkEthernet, testEnds().frames(t, segments(s.said), ethernet)...)), Options{Found: func(c *Connection) error {
			all = append(all, c)
			return nil
		}})
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		if c := all[0]; c.Complete || !c.Failed || c.Outcome == "complete" {
			t.Errorf("%v: complete %t, failed %t, %q", c.Version, c.Complete, c.Failed, c.Outcome)
		}
	}
}

// A network card that divides a packet later leaves its length 0.
func TestPacketsThatAreDividedLater(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, "hello", nil)
	all := testEnds().frames(t, segments(s.said))
	for i := range all {
		if len(all[i].b) > 60 {
			all[i].b[2], all[i].b[3] = 0, 0
		}
	}
	one(t, pcapOf(t, linkRaw, all...), s.log).wants(t, "hello")
}

// Of fragments that overlap, the first holds.
func TestOverlappingFragments(t *testing.T) {
	var f fragments
	key := fragmentKey{id: 1, proto: 6}
	f.add(key, 8, true, []byte("BBBBBBBB"))
	f.add(key, 0, true, []byte("aaaaaaaabbbbbbbbcccccccc"))
	f.add(key, 16, true, []byte("xxxxxxxxdddddddd"))
	if whole := f.add(key, 32, false, []byte("e")); string(whole) != "aaaaaaaaBBBBBBBBccccccccdddddddde" {
		t.Errorf("together they are %q", whole)
	}
	for id := range uint32(1000) {
		f.add(fragmentKey{id: id, proto: 6}, 8, true, make([]byte, 8))
	}
	if len(f.pending) != maxDatagrams {
		t.Errorf("%d datagrams are kept", len(f.pending))
	}
	for at := range 500 {
		f.add(key, 16*at, true, make([]byte, 8))
		if len(f.pending) > maxDatagrams || len(f.pending[len(f.pending)-1].runs) > maxFragmentRuns {
			t.Fatalf("%d datagrams are kept, and parts without end", len(f.pending))
		}
	}
}
