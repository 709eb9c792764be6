package tracefile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

var everyEvent = []Event{
	{At: 0, What: trace.Record{Dir: trace.Sent, Epoch: 1, Seq: 1<<64 - 1, Type: 22, Wire: []byte{22, 3, 1, 0, 0}, Plain: []byte{7}, Padding: 3}},
	{At: 1, What: trace.Record{Dir: trace.Received, Wire: []byte("GET"), Err: errors.New("not TLS")}},
	{At: time.Hour, What: trace.Message{Dir: trace.Sent, Raw: []byte{1, 0, 0, 0}, PostHandshake: true, SSL2: true,
		Context: wire.Context{Version: wire.TLS12, KeyExchange: wire.KeyExchangeRSA, From: wire.Server}}},
	{At: 3, What: trace.Secret{Name: "a", How: "PRF", From: "b", Salt: "c", Label: "d", Input: []byte{1}, InputIs: "e", Hash: "SHA-256", Value: []byte{2}, Ref: "f"}},
	{At: 4, What: trace.Keys{Dir: trace.Received, Epoch: 2, Version: wire.TLS13, Suite: wire.TLS_AES_128_GCM_SHA256, Secret: "a", Label: "b",
		Key: []byte{1}, IV: []byte{2}, MAC: []byte{3}, EncryptThenMAC: true}},
	{At: 5, What: trace.Choice{What: "version", By: wire.Server, Ours: []string{"a", "<&>"}, Theirs: []string{"b"}, Picked: "a", Why: "c", Ref: "d"}},
	{At: 6, What: trace.Alert{Dir: trace.Sent, Level: 2, Code: 40, Err: errors.New("why")}},
	{At: 7, Missed: [3]int{0, 4, 2}, What: trace.Alert{Dir: trace.Received, Level: 1}},
	{At: 8, What: trace.Record{Dir: trace.Received, Epoch: 1, Type: 23, Wire: []byte{23, 3, 3, 0, 0}, Unopened: "its key is not known"}},
	{At: 9, What: trace.Gap{Dir: trace.Sent, Bytes: -1}},
	{At: 9, What: trace.Gap{Dir: trace.Received, Bytes: 1 << 33, Skipped: 7}},
	{At: 10, What: trace.End{Dir: trace.Received}},
	{At: 0, What: Dropped{What: "application data", Event: 3, At: time.Second, Records: 4, Bytes: 1 << 40, Others: 5}},
}

func writeAll(t testing.TB, secrets bool, h Header, events []Event) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, secrets)
	err := w.Begin(h)
	for _, e := range events {
		err = errors.Join(err, w.Write(e))
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readAll(file []byte) (headers []Header, events []Event, err error) {
	for r := NewReader(bytes.NewReader(file)); ; {
		h, e, err := r.Next()
		switch {
		case err == io.EOF:
			return headers, events, nil
		case err != nil:
			return headers, events, err
		case h != nil:
			headers = append(headers, *h)
		default:
			events = append(events, e)
		}
	}
}

// What is written is read.
func TestRoundTrip(t *testing.T) {
	h := Header{Start: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Target: "a", Trust: "b", Verdict: []byte(`{"a":1}`), Sent: "s", Before: "c", Resumes: true, Failure: "d", Advice: "e", Warnings: []string{"f"}}
	file := writeAll(t, true, h, everyEvent)
	headers, events, err := readAll(file)
	if err != nil {
		t.Fatal(err)
	}
	h.Format, h.Secrets, h.Notice = Format, true, notice
	if len(headers) != 1 || !reflect.DeepEqual(headers[0], h) {
		t.Errorf("the header is %+v", headers)
	}
	if len(events) != len(everyEvent) {
		t.Fatalf("%d events", len(events))
	}
	for i, e := range everyEvent {
		if !reflect.DeepEqual(events[i], e) {
			t.Errorf("%+v has become %+v", e, events[i])
		}
	}
	for i := range 3 {
		if again, _, err := readAll(file[:len(file)-i]); i > 1 == (err == nil) || len(again) != 1 {
			t.Errorf("without the last %d bytes: %v", i, err)
		}
	}
}

// Without secrets their values are missing, and nothing else is.
func TestWithoutSecrets(t *testing.T) {
	_, events, err := readAll(writeAll(t, false, Header{}, append(everyEvent,
		Event{What: trace.Secret{Name: "x", How: "HKDF-Extract", Input: []byte{9}, Value: []byte{9}}})))
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		switch x := e.What.(type) {
		case trace.Secret:
			if x.Value != nil || (x.Input != nil) != (x.How == "PRF") {
				t.Errorf("%+v", x)
			}
		case trace.Keys:
			if x.Key != nil || x.IV != nil || x.MAC != nil || x.Suite == 0 {
				t.Errorf("%+v", x)
			}
		default:
			if !reflect.DeepEqual(e, everyEvent[i]) {
				t.Errorf("%+v has become %+v", everyEvent[i], e)
			}
		}
	}
}

func TestMisuse(t *testing.T) {
	w := NewWriter(io.Discard, true)
	if err := w.Write(everyEvent[0]); err == nil {
		t.Error("an event without a connection")
	}
	w.Begin(Header{})
	if err := w.Write(Event{What: 1}); err == nil {
		t.Error("a number is an event")
	}
}

// A line is bounded, and nothing is kept of what comes before it.
func TestLongLine(t *testing.T) {
	long := io.MultiReader(bytes.NewReader(writeAll(t, true, Header{}, nil)), strings.NewReader(`{"alert":"`), endless{})
	r := NewReader(long)
	if _, _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	_, _, err := r.Next()
	if e := (*Error)(nil); !errors.As(err, &e) || e.Line != 2 || !strings.Contains(err.Error(), "more than") {
		t.Error(err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// docs/trace-format.md names every member, and no other.
func TestFormatIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/trace-format.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ = bytes.Cut(text, []byte("\n## "))
	documented := map[string]bool{}
	for row := range strings.Lines(string(text)) {
		if strings.HasPrefix(row, "| `") || strings.HasPrefix(row, "| | ") {
			last := strings.LastIndex(strings.TrimRight(row, "|\n "), "|")
			for _, m := range regexp.MustCompile("`([a-z0-9_]+)`").FindAllStringSubmatch(row[:last], -1) {
				documented[m[1]] = true
			}
		}
	}
	known := map[string]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for _, f := range reflect.VisibleFields(typ) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			known[name] = true
			if f.Type.Kind() == reflect.Pointer {
				walk(f.Type.Elem())
			}
		}
	}
	walk(reflect.TypeFor[line]())
	for _, beside := range []string{"connection", "at_ns", "missed"} { // which stand in the text
		documented[beside] = documented[beside] || bytes.Contains(text, []byte("`"+beside+"`"))
	}
	if !reflect.DeepEqual(documented, known) {
		t.Errorf("documented %v\nknown %v", documented, known)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(writeAll(f, true, Header{Start: time.Unix(1, 0).UTC()}, everyEvent))
	f.Add(writeAll(f, false, Header{}, everyEvent))
	f.Fuzz(func(t *testing.T, file []byte) {
		headers, events, _ := readAll(file)
		if len(headers) != 1 {
			return
		}
		// What was read is what is read again.
		again, more, err := readAll(writeAll(t, true, headers[0], events))
		if err != nil || len(again) != 1 || !reflect.DeepEqual(events, more) {
			t.Errorf("%+v have become %+v: %v", events, more, err)
		}
	})
}
