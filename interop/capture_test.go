package interop

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// read is a connection as package capture has read it.
type read struct {
	*capture.Connection
	both
	messages []string // handshake messages in order, those of the client and of the server
}

// readCapture reads a capture with a key log.
func readCapture(file, keyLog string) (all []*read, err error) {
	log, err := os.Open(keyLog)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	keys := &capture.Keys{}
	if _, err := keys.AddLog(log); err != nil {
		return nil, err
	}
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	by := map[int]*read{}
	_, err = capture.Read(in, capture.Options{
		Keys: keys,
		Trace: func(c *capture.Connection, _ func() time.Time) *trace.Hooks {
			r := &read{}
			by[c.Number] = r
			return &trace.Hooks{
				Record: func(rec trace.Record) {
					switch {
					case rec.Type != wire.ContentApplicationData || rec.Epoch == 0 || rec.Unopened != "":
					case rec.Dir == trace.Sent:
						r.there = append(r.there, rec.Plain...)
					default:
						r.back = append(r.back, rec.Plain...)
					}
				},
				Message: func(m trace.Message) { r.messages = append(r.messages, fmt.Sprint(m.Raw[0])) },
			}
		},
		Found: func(c *capture.Connection) error {
			by[c.Number].Connection = c
			return nil
		},
	})
	for n := 1; n <= len(by); n++ {
		all = append(all, by[n])
	}
	return all, err
}

// compareCapture reads the capture of TestKeyLog as tshark did, and compares: the same
// connections, versions, suites and fingerprints, the same messages, and what was sent.
func compareCapture(ctx context.Context, t *testing.T, c *tapped, streams []*logged) {
	all, err := readCapture(c.file, c.keyLog)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(streams) {
		t.Fatalf("capture finds %d connections, want %d", len(all), len(streams))
	}
	shown, err := c.fields(ctx, len(streams))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range streams {
		r := all[i]
		t.Run("capture,"+s.String(), func(t *testing.T) {
			if !bytes.Equal(r.there, s.there) || !bytes.Equal(r.back, s.back) {
				t.Errorf("capture decrypts %d of %d bytes to the server and %d of %d back, or others; missing: %q", len(r.there), len(s.there), len(r.back), len(s.back), r.Missing)
			}
			if r.Version != s.Version || r.Suite != s.Suite || !r.Complete || r.Failed || r.Gaps+r.Conflicts > 0 {
				t.Errorf("%v, %v: %s, %d gaps, %d conflicts", r.Version, r.Suite, r.Outcome, r.Gaps, r.Conflicts)
			}
			if shown[i].ja3 != r.JA3 {
				t.Errorf("JA3 is %s, and tshark's %s", r.JA3, shown[i].ja3)
			}
			if got, want := strings.Join(r.messages, " "), strings.Join(shown[i].messages, " "); got != want {
				t.Errorf("the messages are of types\n%s, and tshark's\n%s", got, want)
			}
		})
	}
}

// fieldsOf is what tshark shows of a connection.
type fieldsOf struct {
	ja3      string
	messages []string
}

// fields has tshark print fields of the handshakes.
func (c *tapped) fields(ctx context.Context, streams int) ([]fieldsOf, error) {
	out, err := exec.CommandContext(ctx, "tshark", "-r", c.file, "-o", "tls.keylog_file:"+c.keyLog, "-d", fmt.Sprintf("tcp.port==%d,tls", c.port),
		"-Y", "tls.handshake.type", "-T", "fields", "-E", "separator=;", "-e", "tcp.stream", "-e", "tls.handshake.ja3", "-e", "tls.handshake.type").Output()
	if err != nil {
		return nil, err
	}
	all := make([]fieldsOf, streams)
	lines := csv.NewReader(bytes.NewReader(out))
	lines.Comma = ';'
	rows, err := lines.ReadAll()
	for _, row := range rows {
		var i int
		if _, err := fmt.Sscan(row[0], &i); err != nil || i >= streams {
			return nil, fmt.Errorf("tshark printed %q", row)
		}
		if all[i].ja3 == "" {
			all[i].ja3 = row[1]
		}
		all[i].messages = append(all[i].messages, strings.Split(row[2], ",")...)
	}
	return all, err
}
