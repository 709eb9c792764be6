package capture

import (
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"time"
)

// pcapFormats are the variants of pcap: two byte orders, two units of time.
// https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/
var pcapFormats = []pcapFormat{
	{0xa1b2c3d4, binary.LittleEndian, time.Microsecond},
	{0xa1b2c3d4, binary.BigEndian, time.Microsecond},
	{0xa1b23c4d, binary.LittleEndian, time.Nanosecond},
	{0xa1b23c4d, binary.BigEndian, time.Nanosecond},
}

type pcapFormat struct {
	magic uint32
	order binary.ByteOrder
	unit  time.Duration
}

const (
	pcapHeaderLen       = 24
	pcapPacketHeaderLen = 16
)

// pcap is the older format: a header, then packets.
type pcap struct {
	in      *input
	big     bool
	unit    int64
	link    linkType
	packets int
}

func openPcap(in *input, f pcapFormat) (packetFile, error) {
	h, err := in.peek(pcapHeaderLen)
	if err != nil {
		return nil, cut(err, 0, 0, "the file's header")
	}
	// The upper bits of the field say whether frames end with a checksum.
	p := &pcap{in: in, big: f.order == binary.BigEndian, unit: int64(f.unit), link: linkType(f.order.Uint32(h[20:]) & 0xffff)}
	in.skip(pcapHeaderLen)
	return p, nil
}

func (f *pcap) uint32(b []byte) uint32 { return order32(f.big, b) }

func order32(big bool, b []byte) uint32 {
	if big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func order16(big bool, b []byte) uint16 {
	if big {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (f *pcap) next(p *packet) error {
	at := f.in.consumed
	h, err := f.in.peek(pcapPacketHeaderLen)
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	if err != nil {
		return cut(err, at, f.packets, "a packet's header")
	}
	captured := f.uint32(h[8:])
	if captured > maxPacket {
		return &DamagedError{Offset: at, Packets: f.packets, What: "a packet of " + strconv.FormatUint(uint64(captured), 10) + " bytes"}
	}
	p.at = int64(f.uint32(h))*int64(time.Second) + int64(f.uint32(h[4:]))*f.unit
	p.length = int(f.uint32(h[12:]))
	p.link = f.link
	whole, err := f.in.peek(pcapPacketHeaderLen + int(captured))
	if err != nil {
		return cut(err, at, f.packets, "a packet")
	}
	p.data = whole[pcapPacketHeaderLen:]
	p.comments = nil
	f.in.skip(len(whole))
	f.packets++
	return nil
}
