package pcapng

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
)

// Options say what else is written.
type Options struct {
	// Secrets puts the secrets of the connections into the file.
	Secrets bool
}

// ErrRedacted is for an account with stand-ins: no connection ever had such packets.
var ErrRedacted = errors.New("pcapng: the connection is redacted, and a capture of stand-ins would be wrong")

// The blocks of pcapng, and the options in them. draft-ietf-opsawg-pcapng §4.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 6
	blockSecrets   = 10

	optionEnd     = 0
	optionComment = 1
	optionProgram = 4 // of a section: shb_userappl

	byteOrder    = 0x1a2b3c4d
	secretsTLS   = 0x544c534b
	linkEthernet = 1
)

const comment = "The TLS records are those of a real connection. Addresses, ports, TCP and Ethernet are made up."

// Write writes connections as a capture. The error is that of w, or [ErrRedacted].
func Write(w io.Writer, all []*explain.Connection, o Options) error {
	out := &writer{w: bufio.NewWriter(w)}
	out.section()
	var log []byte
	for _, c := range all {
		if c.Redacted {
			return ErrRedacted
		}
		log = append(log, keyLog(c)...)
	}
	if o.Secrets && len(log) > 0 {
		out.secrets(log)
	}
	for i, c := range all {
		out.connection(i, c)
	}
	return out.w.Flush()
}

// writer writes blocks. bufio keeps the first error.
type writer struct {
	w *bufio.Writer
}

// block writes a block of this type.
func (w *writer) block(kind uint32, body []byte) {
	length := uint32(12 + len(body) + pad(len(body)))
	b := binary.LittleEndian.AppendUint32(nil, kind)
	b = binary.LittleEndian.AppendUint32(b, length)
	b = append(append(b, body...), make([]byte, pad(len(body)))...)
	w.w.Write(binary.LittleEndian.AppendUint32(b, length))
}

// pad is how many bytes are missing to a multiple of four.
func pad(n int) int { return -n & 3 }

func option(b []byte, code uint16, value string) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return append(append(b, value...), make([]byte, pad(len(value)))...)
}

// section writes the headers of the file and of its one interface.
func (w *writer) section() {
	b := binary.LittleEndian.AppendUint32(nil, byteOrder)
	b = binary.LittleEndian.AppendUint16(b, 1) // the version, 1.0
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = binary.LittleEndian.AppendUint64(b, 1<<64-1) // the length of the section is not said
	b = option(option(option(b, optionComment, comment), optionProgram, "vitrine"), optionEnd, "")
	w.block(blockSection, b)
	b = binary.LittleEndian.AppendUint16(nil, linkEthernet)
	b = binary.LittleEndian.AppendUint16(b, 0)
	w.block(blockInterface, binary.LittleEndian.AppendUint32(b, 0)) // packets are whole
}

func (w *writer) secrets(log []byte) {
	b := binary.LittleEndian.AppendUint32(nil, secretsTLS)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(log)))
	w.block(blockSecrets, append(b, log...))
}

// packet writes a packet as it was at a time, in microseconds.
func (w *writer) packet(at time.Time, frame []byte) {
	us := uint64(max(0, at.UnixMicro()))
	b := binary.LittleEndian.AppendUint32(nil, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(us>>32))
	b = binary.LittleEndian.AppendUint32(b, uint32(us))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(frame)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(frame)))
	w.block(blockPacket, append(b, frame...))
}
