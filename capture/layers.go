package capture

import "encoding/binary"

// linkType says how the packets of a capture begin.
// https://www.tcpdump.org/linktypes.html
type linkType uint16

const (
	linkNull     linkType = 0
	linkEthernet linkType = 1
	linkPPP      linkType = 9
	linkRawBSD   linkType = 12
	linkRawOther linkType = 14
	linkPPPoE    linkType = 51
	linkRaw      linkType = 101
	linkLoop     linkType = 108
	linkCooked   linkType = 113
	linkIPv4     linkType = 228
	linkIPv6     linkType = 229
	linkCooked2  linkType = 276
)

// What an Ethernet frame or its like carries.
const (
	etherIPv4   = 0x0800
	etherVLAN   = 0x8100
	etherQinQ   = 0x88a8
	etherQinQ2  = 0x9100
	etherIPv6   = 0x86dd
	etherPPPoE  = 0x8864
	etherBridge = 0x6558 // Ethernet in GRE
)

// What an IP packet carries.
const (
	protoIPv4 = 4
	protoTCP  = 6
	protoUDP  = 17
	protoIPv6 = 41
	protoGRE  = 47
)

const (
	maxTags    = 4  // VLAN tags of a frame
	maxHeaders = 10 // extension headers of an IPv6 packet
	portVXLAN  = 4789
)

// address is that of IPv6, or of IPv4 mapped into IPv6.
type address [16]byte

var mapped = [12]byte{10: 0xff, 11: 0xff}

// Flags of TCP.
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	_ // PSH
	flagACK
)

// segment is what one packet has of a TCP connection.
type segment struct {
	src, dst         address
	srcPort, dstPort uint16
	seq, ack         uint32
	flags            uint8
	payload          []byte // what was captured of it
	cut              int    // bytes of the payload that were not captured
}

// layers finds the TCP segment in a packet.
type layers struct {
	segment
	fragments fragments
	inner     bool // in a tunnel, of which one is opened
}

// decode reports whether the packet holds a TCP segment, which it leaves in l. missing is
// how many bytes at the packet's end were not captured.
func (l *layers) decode(p *packet) bool {
	l.inner = false
	missing := max(p.length-len(p.data), 0)
	b := p.data
	switch p.link {
	case linkEthernet:
		return l.ethernet(b, missing)
	case linkCooked:
		return len(b) >= 16 && l.carried(binary.BigEndian.Uint16(b[14:]), b[16:], missing)
	case linkCooked2:
		return len(b) >= 20 && l.carried(binary.BigEndian.Uint16(b), b[20:], missing)
	case linkNull, linkLoop:
		return len(b) >= 4 && l.ip(b[4:], missing) // the family, in the order of some host, says nothing more
	case linkRaw, linkRawBSD, linkRawOther, linkIPv4, linkIPv6:
		return l.ip(b, missing)
	case linkPPPoE:
		return l.pppoe(b, missing)
	case linkPPP:
		if len(b) >= 2 && b[0] == 0xff && b[1] == 3 {
			b = b[2:]
		}
		return l.ppp(b, missing)
	}
	return false
}

// known reports whether packets of a link type are read at all.
func (t linkType) known() bool {
	switch t {
	case linkNull, linkEthernet, linkPPP, linkRawBSD, linkRawOther, linkPPPoE, linkRaw, linkLoop, linkCooked, linkIPv4, linkIPv6, linkCooked2:
		return true
	}
	return false
}

func (l *layers) ethernet(b []byte, missing int) bool {
	return len(b) >= 14 && l.carried(binary.BigEndian.Uint16(b[12:]), b[14:], missing)
}

// carried goes on by the EtherType; below 0x600 that is a length, and LLC follows.
func (l *layers) carried(kind uint16, b []byte, missing int) bool {
	if kind < 0x600 {
		if len(b) < 8 || b[0] != 0xaa || b[1] != 0xaa || b[2] != 3 { // SNAP
			return false
		}
		kind, b = binary.BigEndian.Uint16(b[6:]), b[8:]
	}
	for range maxTags {
		if kind != etherVLAN && kind != etherQinQ && kind != etherQinQ2 {
			break
		}
		if len(b) < 4 {
			return false
		}
		kind, b = binary.BigEndian.Uint16(b[2:]), b[4:]
	}
	switch kind {
	case etherIPv4, etherIPv6:
		return l.ip(b, missing)
	case etherPPPoE:
		return l.pppoe(b, missing)
	}
	return false
}

func (l *layers) pppoe(b []byte, missing int) bool {
	return len(b) >= 6 && b[1] == 0 && l.ppp(b[6:], missing)
}

// ppp goes on by PPP's protocol, of which a first byte of 0 may be left out.
func (l *layers) ppp(b []byte, missing int) bool {
	if len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return len(b) > 0 && (b[0] == 0x21 || b[0] == 0x57) && l.ip(b[1:], missing)
}

func (l *layers) ip(b []byte, missing int) bool {
	if len(b) == 0 {
		return false
	}
	switch b[0] >> 4 {
	case 4:
		return l.ipv4(b, missing)
	case 6:
		return l.ipv6(b, missing)
	}
	return false
}

// trim cuts what follows a packet of n bytes, such as the padding of a short frame, and says
// how many of its bytes were not captured. A length of 0 is that of a packet that the
// network card divides later: it goes up to the end.
func trim(b []byte, n, missing int) ([]byte, int) {
	switch {
	case n == 0:
		return b, missing
	case n <= len(b):
		return b[:n], 0
	}
	return b, n - len(b)
}

// ipv4 reads a packet of RFC 791.
func (l *layers) ipv4(b []byte, missing int) bool {
	if len(b) < 20 {
		return false
	}
	header := int(b[0]&0xf) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if header < 20 || header > len(b) || total != 0 && total < header {
		return false
	}
	b, missing = trim(b, total, missing)
	copy(l.src[:], mapped[:])
	copy(l.src[12:], b[12:16])
	copy(l.dst[:], mapped[:])
	copy(l.dst[12:], b[16:20])
	at := binary.BigEndian.Uint16(b[6:])
	if more, offset := at&0x2000 != 0, int(at&0x1fff)*8; more || offset > 0 {
		if missing > 0 {
			return false
		}
		whole := l.fragments.add(fragmentKey{l.src, l.dst, uint32(binary.BigEndian.Uint16(b[4:])), b[9], false}, offset, more, b[header:])
		return whole != nil && l.transport(b[9], whole, 0)
	}
	return l.transport(b[9], b[header:], missing)
}

// IPv6's extension headers. RFC 8200 §4, RFC 4302.
const (
	nextHop      = 0
	nextRouting  = 43
	nextFragment = 44
	nextAuth     = 51
	nextOptions  = 60
)

// ipv6 reads a packet of RFC 8200.
func (l *layers) ipv6(b []byte, missing int) bool {
	if len(b) < 40 {
		return false
	}
	copy(l.src[:], b[8:24])
	copy(l.dst[:], b[24:40])
	next := b[6]
	length := int(binary.BigEndian.Uint16(b[4:]))
	if length > 0 {
		length += 40
	}
	b, missing = trim(b, length, missing)
	b = b[40:]
	for range maxHeaders {
		var n int
		switch {
		case next != nextHop && next != nextRouting && next != nextFragment && next != nextAuth && next != nextOptions:
			return l.transport(next, b, missing)
		case len(b) < 8:
			return false
		case next == nextFragment:
			if at := binary.BigEndian.Uint16(b[2:]); at&^6 != 0 {
				if missing > 0 {
					return false
				}
				b = l.fragments.add(fragmentKey{l.src, l.dst, binary.BigEndian.Uint32(b[4:]), 0, true}, int(at&^7), at&1 != 0, b)
				if b == nil {
					return false
				}
			}
			n = 8
		case next == nextAuth:
			n = (int(b[1]) + 2) * 4
		default:
			n = (int(b[1]) + 1) * 8
		}
		if n > len(b) {
			return false
		}
		next, b = b[0], b[n:]
	}
	return false
}

func (l *layers) transport(proto uint8, b []byte, missing int) bool {
	if proto == protoTCP {
		return l.tcp(b, missing)
	}
	if l.inner {
		return false
	}
	switch proto {
	case protoIPv4, protoIPv6:
		l.inner = true
		return l.ip(b, missing)
	case protoGRE:
		l.inner = true
		return l.gre(b, missing)
	case protoUDP: // RFC 7348: a header of 8 bytes behind UDP's
		l.inner = true
		return len(b) >= 16 && binary.BigEndian.Uint16(b[2:]) == portVXLAN && b[8]&8 != 0 && l.ethernet(b[16:], missing)
	}
	return false
}

// gre reads a header of RFC 2784 and RFC 2890.
func (l *layers) gre(b []byte, missing int) bool {
	if len(b) < 4 || b[1]&7 != 0 {
		return false
	}
	n := 4
	for _, flag := range []byte{0x80, 0x20, 0x10} { // checksum, key, sequence number
		if b[0]&flag != 0 {
			n += 4
		}
	}
	kind := binary.BigEndian.Uint16(b[2:])
	switch {
	case n > len(b):
		return false
	case kind == etherBridge:
		return l.ethernet(b[n:], missing)
	}
	return l.carried(kind, b[n:], missing)
}

// tcp reads a segment of RFC 9293.
func (l *layers) tcp(b []byte, missing int) bool {
	if len(b) < 20 {
		return false
	}
	header := int(b[12]>>4) * 4
	if header < 20 {
		return false
	}
	l.srcPort, l.dstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	l.seq, l.ack = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	l.flags = b[13] & (flagFIN | flagSYN | flagRST | flagACK)
	if header > len(b) { // options that were not captured
		l.payload, l.cut = nil, max(missing-(header-len(b)), 0)
		return true
	}
	l.payload, l.cut = b[header:], missing
	return true
}
