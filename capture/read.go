package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/trace"
)

// Options says what Read shall do. The zero value only counts.
type Options struct {
	// Keys is what is known besides the capture, nil for nothing. Secrets that the capture
	// holds itself are added to it.
	Keys *Keys
	// Decrypt is set to open records of connections that Trace does not want, too. A session
	// that they agree on may be resumed in one that it wants. Connection.Missing then is what
	// was found in fact. Without it, they are only listed, which is faster.
	Decrypt bool
	// Trace is called when TLS begins on a connection, with what is known by then: the ends,
	// the number, the time, and how it began. It returns hooks for what happens on it, or nil. now
	// tells the time of the packet at hand; call it within hooks alone.
	Trace func(c *Connection, now func() time.Time) *trace.Hooks
	// Found is called when a connection has ended, or the capture has. An error ends Read,
	// which returns it. c may be kept.
	Found func(c *Connection) error
	// Progress is called now and then with how many bytes of the file were read.
	Progress func(bytes int64)
}

// progressStep is how many bytes lie between two calls of Options.Progress.
const progressStep = 4 << 20

// Totals is what a capture holds.
type Totals struct {
	Bytes       int64 // of the file, as it is unpacked
	Packets     int
	Segments    int // of them, those of TCP
	Connections int // of TCP
	TLS         int // of them, those on which TLS was found
	// Secrets are the lines with a secret in the capture's own key log.
	Secrets int
	// Crowded connections ended early, since there were too many at a time. Of Unread ones
	// too little could be kept to find out whether they go over to TLS.
	Crowded, Unread int
	// Notes says what was passed over, in plain words.
	Notes []string

	last int64 // the time of the last packet
}

// maxNotes bounds Totals.Notes.
const maxNotes = 16

func (t *Totals) note(text string) {
	if len(t.Notes) < maxNotes {
		t.Notes = append(t.Notes, text)
	}
}

// Read reads a capture, pcap or pcapng, which gzip may have compressed, and reports the TLS
// connections in it. It takes one pass and a bounded amount of memory, so r may be a pipe
// that never ends.
//
// The error is ErrNoCapture, a *DamagedError, that of Options.Found or that of r. With a
// *DamagedError, everything up to the damage was reported.
func Read(r io.Reader, o Options) (Totals, error) {
	r, err := unpacked(r)
	if err != nil {
		return Totals{}, err
	}
	if o.Keys == nil {
		o.Keys = &Keys{}
	}
	t := newTracker(&o)
	in := newInput(r)
	file, err := openFile(in, events{secrets: t.secrets, note: t.totals.note})
	if err == nil {
		err = t.run(in, file)
	}
	t.totals.Bytes = in.consumed
	if o.Progress != nil {
		o.Progress(in.consumed)
	}
	return t.totals, err
}

func (t *tracker) run(in *input, file packetFile) (err error) {
	var p packet
	for next := int64(progressStep); err == nil; {
		if err = file.next(&p); err != nil {
			break
		}
		t.packet(&p)
		t.totals.last = p.at
		if err = t.err; in.consumed >= next && t.o.Progress != nil {
			t.o.Progress(in.consumed)
			next = in.consumed + progressStep
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	t.end()
	for _, link := range slices.Sorted(maps.Keys(t.passed)) {
		t.totals.note(fmt.Sprintf("%d packets have the link type %d, which is not read", t.passed[link], link))
	}
	if t.err != nil {
		return t.err
	}
	return err
}

// secrets takes in a key log of the capture's own.
func (t *tracker) secrets(log []byte) {
	n, _ := t.o.Keys.AddLog(bytes.NewReader(log)) // a bytes.Reader does not fail
	t.totals.Secrets += n
}
