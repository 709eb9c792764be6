package explain

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// applicationOf is the account of a connection that says no more than this, in records
// of those lengths at most.
func applicationOf(client, server []byte, most func() int) *Connection {
	var c Collector
	h := c.Hooks()
	for _, s := range []struct {
		dir  trace.Direction
		data []byte
	}{{trace.Sent, client}, {trace.Received, server}} {
		for b := s.data; len(b) > 0; {
			n := min(len(b), most())
			h.Record(trace.Record{Dir: s.dir, Epoch: 2, Type: wire.ContentApplicationData, Wire: []byte{23, 3, 3, 0, 0}, Plain: b[:n]})
			b = b[n:]
		}
	}
	return c.Connection(About{})
}

// mustTile: the fields of each record that has any are its content, exactly once.
func mustTile(t *testing.T, c *Connection) {
	t.Helper()
	for _, e := range c.Events {
		r := e.Record
		if r == nil || len(r.Body) == 0 {
			continue
		}
		at := 0
		for _, f := range r.Body {
			if f.Group {
				continue
			}
			if f.Offset != at || f.Length <= 0 {
				t.Fatalf("the field %q is at %d with %d bytes, after %d of %d", f.Name, f.Offset, f.Length, at, len(r.Plain))
			}
			at += f.Length
		}
		if at != len(r.Plain) {
			t.Fatalf("its fields are %d bytes of %d", at, len(r.Plain))
		}
	}
}

// named are the names and values of the fields of one side, where records are whole.
func named(c *Connection, side string) (all []string) {
	for _, e := range c.Events {
		if e.Record == nil || e.Record.From != side {
			continue
		}
		for _, f := range e.Record.Body {
			all = append(all, f.Name+"="+f.Value)
			for _, d := range f.Details {
				all = append(all, d.Name+": "+d.Text)
			}
		}
	}
	return all
}

const (
	requests = "GET /one HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /two HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello" +
		"HEAD /three HTTP/1.1\r\nHost: x\r\n\r\nGET /four HTTP/1.1\r\n\r\n"
	responses = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nX: y\r\n\r\n" +
		"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nHTTP/1.1 200 OK\r\n\r\nto the end"
)

// frames are what both sides of HTTP/2 say.
func http2Streams(t testing.TB) (client, server []byte) {
	var c, s, block bytes.Buffer
	c.WriteString(http2.ClientPreface)
	of, from := http2.NewFramer(&c, nil), http2.NewFramer(&s, nil)
	encoder := hpack.NewEncoder(&block)
	header := func(fields ...string) []byte {
		block.Reset()
		for i := 0; i < len(fields); i += 2 {
			if err := encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
				t.Fatal(err)
			}
		}
		return bytes.Clone(block.Bytes())
	}
	get := header(":method", "GET", ":path", "/a", "x-long", strings.Repeat("v", 300))
	again := header(":method", "GET", ":path", "/a", "x-long", strings.Repeat("v", 300))
	for _, err := range []error{
		of.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20}), of.WriteWindowUpdate(0, 12345),
		of.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: get[:100], EndStream: true, PadLength: 7, Priority: http2.PriorityParam{StreamDep: 3, Weight: 9}}),
		of.WriteContinuation(1, true, get[100:]),
		of.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: again, EndHeaders: true}),
		of.WriteDataPadded(3, true, []byte("some data"), make([]byte, 11)), of.WriteRSTStream(3, http2.ErrCodeCancel), of.WritePing(false, [8]byte{1}),
		of.WriteGoAway(1, http2.ErrCodeEnhanceYourCalm, []byte("slowly")), of.WriteRawFrame(0x42, 0xff, 5, []byte("?")),
		from.WriteSettingsAck(), from.WriteData(1, true, make([]byte, 3000)), from.WriteSettings(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return c.Bytes(), s.Bytes()
}

func TestHTTP(t *testing.T) {
	h2client, h2server := http2Streams(t)
	for _, x := range []struct {
		name           string
		client, server []byte
		ofClient       []string
		ofServer       []string
	}{
		{"HTTP/1.1", []byte(requests), []byte(responses),
			[]string{"request-line=GET /one HTTP/1.1", "Host=localhost", "empty line=", "content=", "request-line=GET /four HTTP/1.1"},
			[]string{"status-line=HTTP/1.1 200 OK", "chunk-size=5", "chunk-data=", "status-line=HTTP/1.1 204 No Content", "Content-Length=1000", "content="}},
		{"HTTP/2", h2client, h2server,
			[]string{"connection preface=PRI * HTTP/2.0", "SETTINGS=stream 0", "INITIAL_WINDOW_SIZE=1048576", "window size increment=12345", "HEADERS=stream 1, END_STREAM, PADDED, PRIORITY",
				"weight=9", ":method: GET", ":path: /a", "x-long: " + strings.Repeat("v", 300), "CONTINUATION=stream 1, END_HEADERS", "pad length=11", "padding=",
				"error code=CANCEL", "error code=ENHANCE_YOUR_CALM", "debug data=", "frame of type 66=stream 5, 0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80"},
			[]string{"SETTINGS=stream 0, ACK", "DATA=stream 1, END_STREAM", "data="}},
	} {
		t.Run(x.name, func(t *testing.T) {
			whole := applicationOf(x.client, x.server, func() int { return 1 << 20 })
			mustTile(t, whole)
			for _, want := range x.ofClient {
				if !slices.Contains(named(whole, "client"), want) {
					t.Errorf("the client does not say %q: %q", want, named(whole, "client"))
				}
			}
			for _, want := range x.ofServer {
				if !slices.Contains(named(whole, "server"), want) {
					t.Errorf("the server does not say %q: %q", want, named(whole, "server"))
				}
			}
			random := rand.New(rand.NewPCG(3, 4))
			for most := 1; most < 400; most += 13 {
				c := applicationOf(x.client, x.server, func() int { return 1 + random.IntN(most) })
				mustTile(t, c)
			}
		})
	}
	says := applicationOf(h2client, h2server, func() int { return 1 << 20 }).Events[0].Record.Says
	if want := "HTTP/2, SETTINGS, WINDOW_UPDATE, HEADERS on stream 1, …"; says != want {
		t.Errorf("it says %q, not %q", says, want)
	}
}

// A header block that unpacks to much more than it is costs no more than what is shown.
func TestHeaderBomb(t *testing.T) {
	var c, block bytes.Buffer
	c.WriteString(http2.ClientPreface)
	encoder := hpack.NewEncoder(&block)
	encoder.WriteField(hpack.HeaderField{Name: "x", Value: strings.Repeat("y", 4000)})
	bomb := append(block.Bytes(), bytes.Repeat([]byte{0x80 | 62}, 60_000)...) // the newest entry of the table, again and again
	of := http2.NewFramer(&c, nil)
	if err := of.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: bomb, EndHeaders: true}); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, s := range named(applicationOf(c.Bytes(), nil, func() int { return 1 << 20 }), "client") {
		total += len(s)
	}
	if total > 2*maxListed {
		t.Errorf("%d bytes are shown", total)
	}
}

// A header block in more parts than anybody needs is not gathered, and none after it is read:
// the table of fields is then another than the sender's.
func TestEndlessHeaderBlock(t *testing.T) {
	var c, block bytes.Buffer
	c.WriteString(http2.ClientPreface)
	hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: "x", Value: "y"})
	part := bytes.Repeat(block.Bytes(), (maxBlock-block.Len())/block.Len()/8)
	of := http2.NewFramer(&c, nil)
	err := of.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: part})
	for n := range 9 {
		err = errors.Join(err, of.WriteContinuation(1, n == 8, part))
	}
	err = errors.Join(err, of.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: block.Bytes(), EndHeaders: true}))
	if err != nil {
		t.Fatal(err)
	}
	fields := slices.DeleteFunc(named(applicationOf(c.Bytes(), nil, func() int { return 1 << 20 }), "client"), func(s string) bool { return s != "x: y" })
	if len(fields) > 0 {
		t.Errorf("%d fields are shown", len(fields))
	}
}

func FuzzApplication(f *testing.F) {
	client, server := http2Streams(f)
	f.Add(client, server, 7)
	f.Add([]byte(requests), []byte(responses), 100)
	f.Fuzz(func(t *testing.T, client, server []byte, most int) {
		c := applicationOf(client, server, func() int { return max(1, most) })
		mustTile(t, c)
		_ = fmt.Sprint(c.Flights)
	})
}
