package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrNoCapture is the error for a file that is neither pcap nor pcapng.
var ErrNoCapture = errors.New("it is not a capture: neither pcap nor pcapng")

// A DamagedError says that a capture ends in the middle of something, or continues with
// what no capture can hold. What came before was read.
type DamagedError struct {
	Offset    int64 // where the packet or block begins that could not be read
	Packets   int   // how many were read before
	Truncated bool  // the file ends there
	What      string
}

func (e *DamagedError) Error() string {
	if e.Truncated {
		return fmt.Sprintf("the capture ends in the middle of %s at byte %d, after %d packets", e.What, e.Offset, e.Packets)
	}
	return fmt.Sprintf("the capture is damaged at byte %d, after %d packets: %s", e.Offset, e.Packets, e.What)
}

// maxPacket is the longest packet that a capture holds; tcpdump and Wireshark have the
// same bound.
const maxPacket = 256 << 10

// packet is a packet of a capture.
type packet struct {
	data   []byte // as much as was captured; valid until the next
	length int    // on the wire
	link   linkType
	at     int64 // Unix time in nanoseconds; 0 if the file does not say
	// comments are those of the file on this packet.
	comments []string
}

// A packetFile gives the packets of a capture one after the other.
type packetFile interface {
	// next reads the next packet. The error is io.EOF at the end, a *DamagedError, or
	// that of the reader.
	next(*packet) error
}

// events is what a file holds beside its packets.
type events struct {
	secrets func([]byte) // a key log in a Decryption Secrets Block
	note    func(string) // something that was left out
}

// openFile recognises the format.
func openFile(in *input, on events) (packetFile, error) {
	magic, err := in.peek(4)
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = ErrNoCapture
		}
		return nil, err
	}
	if binary.BigEndian.Uint32(magic) == blockSection {
		return &pcapng{in: in, on: on}, nil
	}
	for _, f := range pcapFormats {
		if f.order.Uint32(magic) == f.magic {
			return openPcap(in, f)
		}
	}
	return nil, ErrNoCapture
}

// cut returns the error for a file that ends at the block or packet at offset; other
// errors of the reader stay.
func cut(err error, offset int64, packets int, what string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &DamagedError{Offset: offset, Packets: packets, Truncated: true, What: what}
	}
	return err
}
