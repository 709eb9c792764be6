package pcapng

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/wire"
)

// segmentSize is how much of a record one packet carries.
const segmentSize = 1400

// firstPort is the client's port of the first connection; others count up.
const firstPort = 49152

// The flags of TCP. RFC 9293 §3.1.
const (
	fin = 1 << iota
	syn
	_
	psh
	ack
)

// end is one end of a connection.
type end struct {
	mac  [6]byte
	ip   netip.Addr
	port uint16
	next uint32 // the number of its next byte
}

// connection writes the packets of one connection.
func (w *writer) connection(n int, c *explain.Connection) {
	client := &end{[6]byte{2, 0, 0, 0, 0, 1}, netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(firstPort + n), 1000}
	server := &end{[6]byte{2, 0, 0, 0, 0, 2}, netip.AddrFrom4([4]byte{198, 51, 100, 1}), 443, 2000}
	at := c.Start()
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	start := at
	w.segment(at, client, server, syn, nil)
	w.segment(at, server, client, syn|ack, nil)
	w.segment(at, client, server, ack, nil)
	for _, e := range c.Events {
		if e.Record == nil {
			continue
		}
		at = start.Add(time.Duration(e.AtUS) * time.Microsecond)
		from, to := client, server
		if e.Record.From == wire.Server.String() {
			from, to = server, client
		}
		for b := []byte(e.Record.Wire); len(b) > 0; {
			part := b[:min(len(b), segmentSize)]
			w.segment(at, from, to, psh|ack, part)
			b = b[len(part):]
		}
	}
	w.segment(at, client, server, fin|ack, nil)
	w.segment(at, server, client, fin|ack, nil)
	w.segment(at, client, server, ack, nil)
}

// segment writes one segment in IPv4 and Ethernet. RFC 9293 §3.1, RFC 791 §3.1.
func (w *writer) segment(at time.Time, from, to *end, flags uint8, data []byte) {
	tcp := binary.BigEndian.AppendUint16(nil, from.port)
	tcp = binary.BigEndian.AppendUint16(tcp, to.port)
	tcp = binary.BigEndian.AppendUint32(tcp, from.next)
	if flags&ack != 0 {
		tcp = binary.BigEndian.AppendUint32(tcp, to.next)
	} else {
		tcp = binary.BigEndian.AppendUint32(tcp, 0)
	}
	tcp = append(tcp, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0) // a header of 5 words, the window, checksum and urgent pointer
	tcp = append(tcp, data...)
	addresses := append(from.ip.AsSlice(), to.ip.AsSlice()...)
	pseudo := append(addresses, 0, protocolTCP, byte(len(tcp)>>8), byte(len(tcp)))
	binary.BigEndian.PutUint16(tcp[16:], checksum(pseudo, tcp))
	ip := []byte{0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocolTCP, 0, 0} // don't fragment; a time to live of 64
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+8+len(tcp)))
	ip = append(ip, addresses[:8]...)
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	frame := append(append(to.mac[:], from.mac[:]...), 0x08, 0x00)
	w.packet(at, append(append(frame, ip...), tcp...))
	from.next += uint32(len(data))
	if flags&(syn|fin) != 0 {
		from.next++
	}
}

const protocolTCP = 6

// checksum is that of the Internet. RFC 1071.
func checksum(parts ...[]byte) uint16 {
	var sum uint32
	for _, b := range parts {
		for ; len(b) > 1; b = b[2:] {
			sum += uint32(b[0])<<8 | uint32(b[1])
		}
		if len(b) > 0 {
			sum += uint32(b[0]) << 8
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
