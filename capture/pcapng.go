package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Types of blocks. https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/
const (
	blockSection   = 0x0a0d0d0a // a palindrome: the same in both byte orders
	blockInterface = 1
	blockOldPacket = 2
	blockSimple    = 3
	blockPacket    = 6
	blockSecrets   = 0xa
)

const (
	byteOrderMagic = 0x1a2b3c4d
	secretsTLS     = 0x544c534b // "TLSK": a key log in NSS's format

	minBlock = 12 // type, length, length

	optEnd        = 0
	optComment    = 1
	optResolution = 9
	optOffset     = 14
)

// Bounds of what a file may make us keep.
const (
	maxSecretsBlock = 16 << 20
	maxSecrets      = 32 << 20 // of all blocks together
	maxInterfaces   = 1 << 16
	maxComment      = 200 // bytes of a comment that are kept
)

// pcapng is the newer format: a sequence of blocks, in sections that may differ in byte
// order.
type pcapng struct {
	in         *input
	on         events
	big        bool
	interfaces []iface
	packets    int
	secrets    int // bytes so far
}

// iface is an interface on which packets were captured.
type iface struct {
	link   linkType
	snap   uint32
	clock  clock
	offset int64 // seconds
}

// clock is the unit of an interface's times: 10^-exponent seconds, or 2^-exponent.
type clock struct {
	exponent uint8
	binary   bool
}

func (f *pcapng) next(p *packet) error {
	for {
		found, err := f.block(p)
		if err != nil || found {
			return err
		}
	}
}

// block reads a block, and reports whether it was a packet.
func (f *pcapng) block(p *packet) (found bool, err error) {
	at := f.in.consumed
	h, err := f.in.peek(minBlock)
	if errors.Is(err, io.EOF) {
		return false, io.EOF
	}
	if err != nil {
		return false, cut(err, at, f.packets, "a block's header")
	}
	kind := order32(f.big, h)
	if kind == blockSection {
		switch {
		case binary.BigEndian.Uint32(h[8:]) == byteOrderMagic:
			f.big = true
		case binary.LittleEndian.Uint32(h[8:]) == byteOrderMagic:
			f.big = false
		default:
			return false, f.damaged(at, "a section's header without byte order")
		}
		f.interfaces = f.interfaces[:0]
	}
	length := order32(f.big, h[4:])
	if length < minBlock || length%4 != 0 {
		return false, f.damaged(at, fmt.Sprintf("a block of %d bytes", length))
	}
	if kind == blockSecrets {
		return false, f.secretsBlock(at, length)
	}
	if !parsed(kind) {
		if err := f.in.discard(int64(length)); err != nil {
			return false, cut(err, at, f.packets, "a block")
		}
		return false, nil
	}
	if length > inputSize {
		return false, f.damaged(at, fmt.Sprintf("a block of %d bytes", length))
	}
	b, err := f.in.peek(int(length))
	if err != nil {
		return false, cut(err, at, f.packets, "a block")
	}
	f.in.skip(len(b))
	return f.body(at, kind, b[8:length-4], p)
}

// parsed reports whether blocks of the kind are looked at.
func parsed(kind uint32) bool {
	switch kind {
	case blockInterface, blockPacket, blockSimple, blockOldPacket:
		return true
	}
	return false
}

func (f *pcapng) damaged(at int64, what string) error {
	return &DamagedError{Offset: at, Packets: f.packets, What: what}
}

func (f *pcapng) body(at int64, kind uint32, b []byte, p *packet) (found bool, err error) {
	switch kind {
	case blockInterface:
		err = f.interfaceBlock(at, b)
	case blockSimple:
		err = f.simple(at, b, p)
		found = err == nil
	default:
		err = f.enhanced(at, kind, b, p)
		found = err == nil
	}
	if found {
		f.packets++
	}
	return found, err
}

func (f *pcapng) interfaceBlock(at int64, b []byte) error {
	if len(b) < 8 {
		return f.damaged(at, "an interface's block that is too short")
	}
	if len(f.interfaces) == maxInterfaces {
		return f.damaged(at, fmt.Sprintf("more than %d interfaces", maxInterfaces))
	}
	i := iface{link: linkType(order16(f.big, b)), snap: order32(f.big, b[4:]), clock: clock{exponent: 6}}
	f.options(b[8:], func(code uint16, value []byte) {
		switch {
		case code == optResolution && len(value) == 1:
			i.clock = clock{exponent: value[0] & 0x7f, binary: value[0]&0x80 != 0}
		case code == optOffset && len(value) == 8:
			i.offset = int64(uint64(order32(f.big, value[4:]))<<32 | uint64(order32(f.big, value)))
			if f.big {
				i.offset = int64(binary.BigEndian.Uint64(value))
			}
		}
	})
	f.interfaces = append(f.interfaces, i)
	return nil
}

// options calls each for every option in b, as far as they are well-formed.
func (f *pcapng) options(b []byte, each func(code uint16, value []byte)) {
	for len(b) >= 4 {
		code, n := order16(f.big, b), int(order16(f.big, b[2:]))
		if b = b[4:]; code == optEnd || n > len(b) {
			return
		}
		each(code, b[:n])
		b = b[min((n+3)&^3, len(b)):]
	}
}

func (f *pcapng) simple(at int64, b []byte, p *packet) error {
	if len(b) < 4 || len(f.interfaces) == 0 {
		return f.damaged(at, "a packet without an interface")
	}
	i := f.interfaces[0]
	length := order32(f.big, b)
	captured := min(length, uint32(len(b)-4))
	if i.snap != 0 {
		captured = min(captured, i.snap)
	}
	*p = packet{data: b[4:][:captured], length: int(length), link: i.link}
	return nil
}

// enhanced reads an Enhanced Packet Block, or the Packet Block that came before it.
func (f *pcapng) enhanced(at int64, kind uint32, b []byte, p *packet) error {
	if len(b) < 20 {
		return f.damaged(at, "a packet's block that is too short")
	}
	number := order32(f.big, b)
	if kind == blockOldPacket { // beside it a count of dropped packets
		number = uint32(order16(f.big, b))
	}
	if number >= uint32(len(f.interfaces)) {
		return f.damaged(at, "a packet of an interface that the file does not have")
	}
	captured := order32(f.big, b[12:])
	if captured > maxPacket || int(captured) > len(b)-20 {
		return f.damaged(at, fmt.Sprintf("a packet of %d bytes", captured))
	}
	i := &f.interfaces[number]
	p.data, p.length, p.link = b[20:][:captured], int(order32(f.big, b[16:])), i.link
	p.at = i.clock.nanoseconds(uint64(order32(f.big, b[4:]))<<32|uint64(order32(f.big, b[8:]))) + i.offset*1e9
	p.comments = nil
	if rest := b[20+min((int(captured)+3)&^3, len(b)-20):]; len(rest) > 4 {
		f.options(rest, func(code uint16, value []byte) {
			if code == optComment && len(p.comments) < maxComments {
				p.comments = append(p.comments, strings.ToValidUTF8(string(value[:min(len(value), maxComment)]), "?"))
			}
		})
	}
	return nil
}

// nanoseconds is t in units of the clock; what does not fit wraps around, as nonsense does.
func (c clock) nanoseconds(t uint64) int64 {
	if c.binary {
		e := min(c.exponent, 63)
		seconds, rest := t>>e, t&(1<<e-1)
		if e > 32 { // so that the product fits
			rest, e = rest>>(e-32), 32
		}
		return int64(seconds*1e9 + rest*1e9>>e)
	}
	for e := c.exponent; e < 9; e++ {
		t *= 10
	}
	for e := c.exponent; e > 9 && t > 0; e-- {
		t /= 10
	}
	return int64(t)
}

// secretsBlock hands on the key log in a Decryption Secrets Block.
func (f *pcapng) secretsBlock(at int64, length uint32) error {
	if length > maxSecretsBlock || f.secrets+int(length) > maxSecrets {
		f.on.note(fmt.Sprintf("a block of secrets of %d bytes at byte %d is too large and was passed over", length, at))
		if err := f.in.discard(int64(length)); err != nil {
			return cut(err, at, f.packets, "a block of secrets")
		}
		return nil
	}
	b, err := f.in.take(int(length))
	if err != nil {
		return cut(err, at, f.packets, "a block of secrets")
	}
	f.secrets += len(b)
	if b = b[8 : length-4]; len(b) < 8 {
		return f.damaged(at, "a block of secrets that is too short")
	}
	n := order32(f.big, b[4:])
	if uint64(n) > uint64(len(b)-8) {
		return f.damaged(at, "a block of secrets that says it is longer than it is")
	}
	if order32(f.big, b) == secretsTLS {
		f.on.secrets(b[8:][:n])
	}
	return nil
}
