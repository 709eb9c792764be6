package explain

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/vitrine-tls/vitrine/wire"
)

// HTTP/2 as it is on the wire. RFC 9113.

// preface is how a client begins. RFC 9113 §3.4.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

const frameHeader = 9

// frames are the types of frames: what is in them, and where that stands. RFC 9113 §6.
var frames = [...]struct {
	name, meaning, ref string
	flags              map[byte]string
	read               func(*frameReader, *frame)
}{
	0: {"DATA", "Content of a request or a response.", "RFC 9113 §6.1", map[byte]string{0x1: "END_STREAM", flagPadded: "PADDED"}, readData},
	1: {"HEADERS", "The header fields of a request or a response, or its trailers.", "RFC 9113 §6.2",
		map[byte]string{0x1: "END_STREAM", flagEndHeaders: "END_HEADERS", flagPadded: "PADDED", flagPriority: "PRIORITY"}, readHeaders},
	2: {"PRIORITY", "What a stream depends on; not used any more.", "RFC 9113 §6.3", nil, readPriority},
	3: {"RST_STREAM", "Ends a stream at once.", "RFC 9113 §6.4", nil, readReset},
	4: {"SETTINGS", "What its sender takes, for the whole connection.", "RFC 9113 §6.5", map[byte]string{0x1: "ACK"}, readSettings},
	5: {"PUSH_PROMISE", "Announces a response that was not asked for.", "RFC 9113 §6.6", map[byte]string{flagEndHeaders: "END_HEADERS", flagPadded: "PADDED"}, readPush},
	6: {"PING", "Measures the round trip, or keeps the connection alive.", "RFC 9113 §6.7", map[byte]string{0x1: "ACK"}, nil},
	7: {"GOAWAY", "No new streams are taken.", "RFC 9113 §6.8", nil, readGoAway},
	8: {"WINDOW_UPDATE", "How many bytes more may be sent.", "RFC 9113 §6.9", nil, readWindow},
	9: {"CONTINUATION", "Goes on with the header fields of the frame before.", "RFC 9113 §6.10", map[byte]string{flagEndHeaders: "END_HEADERS"}, readContinuation},
}

const (
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

var settingNames = map[uint16]string{1: "HEADER_TABLE_SIZE", 2: "ENABLE_PUSH", 3: "MAX_CONCURRENT_STREAMS", 4: "INITIAL_WINDOW_SIZE",
	5: "MAX_FRAME_SIZE", 6: "MAX_HEADER_LIST_SIZE", 8: "ENABLE_CONNECT_PROTOCOL", 9: "NO_RFC7540_PRIORITIES"}

var errorNames = []string{"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
	"REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"}

// frameReader reads the frames of one side.
type frameReader struct {
	application
	b       []byte
	headers *hpack.Decoder // nil once a header block could not be read
	block   []byte         // of a header block under way
	listed  []Detail
	size    int // of what is listed
}

// frame is one frame; at and end bound what is left of its payload.
type frame struct {
	kind, flags byte
	stream      uint32
	at, end     int
}

// The most of a header block, and of the fields in it, that is unpacked.
const (
	maxBlock  = 64 << 10
	maxListed = 64 << 10
	maxTable  = 64 << 10
)

// readHTTP2 reads what one side sends, to the last frame that is whole.
func readHTTP2(b []byte, from wire.Role) *application {
	h := &frameReader{b: b}
	h.headers = hpack.NewDecoder(4096, h.list)
	h.headers.SetAllowedMaxDynamicTableSize(maxTable)
	at := 0
	if from == wire.Client {
		at = len(preface)
		h.add(stretch{length: at, name: "connection preface", value: "PRI * HTTP/2.0", meaning: "A server of HTTP/1 alone refuses this.", ref: "RFC 9113 §3.4"})
		h.say(0, "HTTP/2")
	}
	for at+frameHeader <= len(b) {
		at = h.frame(at)
	}
	if at < len(b) {
		h.add(stretch{offset: at, length: len(b) - at, name: "part of a frame"})
	}
	return &h.application
}

// frame reads the frame at an offset, and returns where it ends.
func (h *frameReader) frame(at int) (end int) {
	raw := h.b[at : at+frameHeader]
	size := int(raw[0])<<16 | int(raw[1])<<8 | int(raw[2])
	f := &frame{kind: raw[3], flags: raw[4], stream: binary.BigEndian.Uint32(raw[5:]) & (1<<31 - 1), at: at + frameHeader}
	f.end = min(f.at+size, len(h.b))
	row := struct {
		name, meaning, ref string
		flags              map[byte]string
		read               func(*frameReader, *frame)
	}{name: fmt.Sprintf("frame of type %d", f.kind), meaning: "A type that is not known here, which is ignored.", ref: "RFC 9113 §4.1"}
	if int(f.kind) < len(frames) {
		row = frames[f.kind]
	}
	flags := flagNames(f.flags, row.flags)
	words, value := row.name, fmt.Sprintf("stream %d", f.stream)
	if f.stream > 0 {
		words += " on stream " + fmt.Sprint(f.stream)
	}
	if flags == "ACK" {
		words += " (ACK)"
	}
	if flags != "" {
		value += ", " + flags
	}
	h.say(at, words)
	h.add(stretch{offset: at, length: f.end - at, group: true, name: row.name, value: value, meaning: row.meaning, ref: row.ref})
	for _, x := range []struct {
		n           int
		name, value string
	}{{3, "payload length", fmt.Sprint(size)}, {1, "type", row.name}, {1, "flags", flags}, {4, "stream identifier", fmt.Sprint(f.stream)}} {
		h.add(stretch{offset: at, length: x.n, depth: 1, name: x.name, value: x.value})
		at += x.n
	}
	if row.read != nil && f.at+size <= len(h.b) {
		row.read(h, f)
	}
	h.leave(f, "payload")
	return at + size
}

func flagNames(flags byte, known map[byte]string) string {
	var names []string
	for bit := byte(1); bit != 0; bit <<= 1 {
		if flags&bit == 0 {
			continue
		}
		if name := known[bit]; name != "" {
			names = append(names, name)
		} else {
			names = append(names, fmt.Sprintf("0x%x", bit))
		}
	}
	return strings.Join(names, ", ")
}

// take takes n bytes of the payload; nil where it is shorter.
func (h *frameReader) take(f *frame, n int, name string, value func([]byte) string) []byte {
	if n > f.end-f.at || n == 0 {
		return nil
	}
	b := h.b[f.at : f.at+n]
	p := stretch{offset: f.at, length: n, depth: 1, name: name}
	if value != nil {
		p.value = value(b)
	}
	h.add(p)
	f.at += n
	return b
}

// leave takes what is left of the payload.
func (h *frameReader) leave(f *frame, name string) {
	if f.at < f.end {
		h.add(stretch{offset: f.at, length: f.end - f.at, depth: 1, name: name})
		f.at = f.end
	}
}

func number(b []byte) string {
	n := uint64(0)
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return fmt.Sprint(n)
}

func errorCode(b []byte) string {
	if n := binary.BigEndian.Uint32(b); int64(n) < int64(len(errorNames)) {
		return errorNames[n]
	}
	return number(b)
}

// padded takes the length of the padding, and what it leaves of the payload.
func (h *frameReader) padded(f *frame) (end int) {
	end = f.end
	if f.flags&flagPadded == 0 {
		return end
	}
	if n := h.take(f, 1, "pad length", number); n != nil && int(n[0]) <= f.end-f.at {
		end -= int(n[0])
	}
	return end
}

func (h *frameReader) content(f *frame, end int, name string) []byte {
	return h.take(f, end-f.at, name, nil)
}

func readData(h *frameReader, f *frame) {
	h.content(f, h.padded(f), "data")
	h.leave(f, "padding")
}

func readHeaders(h *frameReader, f *frame) {
	end := h.padded(f)
	if f.flags&flagPriority != 0 {
		readPriority(h, f)
	}
	h.begin(f, end)
}

func readPush(h *frameReader, f *frame) {
	end := h.padded(f)
	h.take(f, 4, "promised stream", number)
	h.begin(f, end)
}

// begin begins a header block with the payload up to end.
func (h *frameReader) begin(f *frame, end int) {
	h.block = append(h.block[:0], h.content(f, end, "header block")...)
	h.unpack(f)
	h.leave(f, "padding")
}

func readContinuation(h *frameReader, f *frame) {
	if b := h.content(f, f.end, "header block"); len(h.block)+len(b) <= maxBlock {
		h.block = append(h.block, b...)
		h.unpack(f)
	} else {
		h.headers = nil
	}
}

// unpack shows the fields of a header block that is whole with its last part. After one
// that cannot be read none can. RFC 7541.
func (h *frameReader) unpack(f *frame) {
	if f.flags&flagEndHeaders == 0 || h.headers == nil {
		return
	}
	h.listed, h.size = nil, 0
	if _, err := h.headers.Write(h.block); err != nil || h.headers.Close() != nil {
		h.headers = nil
		return
	}
	for i := len(h.parts) - 1; i >= 0; i-- {
		if h.parts[i].name == "header block" {
			h.parts[i].details = h.listed
			break
		}
	}
	for _, d := range h.listed {
		switch d.Name {
		case ":method", ":path", ":status":
			h.says[len(h.says)-1].words += " " + d.Text
		}
	}
}

// list takes a field of the header block that is being unpacked.
func (h *frameReader) list(f hpack.HeaderField) {
	if h.size += len(f.Name) + len(f.Value) + 32; h.size <= maxListed {
		h.listed = append(h.listed, Detail{f.Name, f.Value})
	}
}

func readPriority(h *frameReader, f *frame) {
	h.take(f, 4, "stream dependency", number)
	h.take(f, 1, "weight", number)
}

func readReset(h *frameReader, f *frame) { h.take(f, 4, "error code", errorCode) }

func readSettings(h *frameReader, f *frame) {
	for f.end-f.at >= 6 {
		id := binary.BigEndian.Uint16(h.b[f.at:])
		name := settingNames[id]
		if name == "" {
			name = fmt.Sprintf("setting 0x%x", id)
		}
		h.take(f, 6, name, func(b []byte) string { return number(b[2:]) })
	}
}

func readGoAway(h *frameReader, f *frame) {
	h.take(f, 4, "last stream", number)
	h.take(f, 4, "error code", errorCode)
	h.leave(f, "debug data")
}

func readWindow(h *frameReader, f *frame) { h.take(f, 4, "window size increment", number) }
