package observe

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// A failed handshake is told in plain words, with what to do.
func TestFailuresInPlainWords(t *testing.T) {
	var log text
	o := observer(t, config.Admin{}, config.Log{}, config.Traces{}, &log)
	old, modern := clientConfig(), serverConfig()
	old.MaxVersion, modern.MinVersion = tls.VersionTLS12, tls.VersionTLS13
	shake(t, o.Hooks(), modern, old)
	shake(t, o.Hooks(), serverConfig(), nil)
	o.Hooks().Refused(":443", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9)}, event.TooMany, nil)
	o.Hooks().Refused(":443", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 10)}, event.NotAllowed, errors.New("no rule is for the certificate of CN=\"who\""))
	o.Hooks().Connected(&event.Connection{}, event.Target{Name: "web", Address: "127.0.0.1:80", Err: &net.OpError{Op: "dial", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, Err: syscall.ECONNREFUSED}})
	o.Hooks().Health("web", "127.0.0.1:80", false, os.ErrDeadlineExceeded)
	o.Hooks().Reloaded(errors.New("line 3: no such target"))
	o.Hooks().Certificate(event.Certificate{Source: "cert.pem", What: "reloaded", Names: []string{"a", "b"}, Until: time.Unix(2000000000, 0)})
	o.Hooks().Store("get", 0, io.EOF)
	o.Hooks().Store("keys", 0, io.EOF)
	for range 3 {
		o.Hooks().AcceptFailed(":443", &net.OpError{Op: "accept", Err: syscall.EMFILE})
	}
	o.Close()
	for _, want := range []string{
		`msg="handshake failed" peer=192.0.2.7:5000 listener=:443 server_name=private.example outcome=no_common_version failure="no version in common (RFC 8446 §4.2.1)" ours="TLS 1.3" theirs="up to TLS 1.2" advice="have the client allow another version, or widen min and max"`,
		`outcome=not_tls failure="the client speaks HTTP here, not TLS" advice="have the client use https:// in the URL"`,
		`msg="connection refused" peer=192.0.2.9:0 listener=:443 reason=connections failure="as many connections are open as there may be in all"`,
		`peer=192.0.2.10:0 listener=:443 reason="not allowed" failure="the client's identity meets no rule: no rule is for the certificate of CN=\"who\"" advice=`,
		`msg="target cannot be reached" target=web address=127.0.0.1:80 failure="127.0.0.1:80 refused the connection: nothing listens there"`,
		`msg="target is down" target=web address=127.0.0.1:80 failure="no answer came in time"`,
		`level=ERROR msg="the new configuration is refused, and the old one goes on" failure="line 3: no such target"`,
		`msg="certificate: reloaded" source=cert.pem names="a b" expires=2033-05-18`,
		`level=ERROR msg="no connection could be taken, and it is tried again" listener=:443 failure="this process has as many files and connections open as it may; raise LimitNOFILE"`,
		`msg="2 more like it" cause="no connection could be taken: this process has`,
		`msg="session store: clients make full handshakes" operation=get`,
		`msg="session store: the keys of tickets are not brought up to date; clients resume with those that this process has" operation=keys`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("there is no\n%s in\n%s", want, log.String())
		}
	}
}

// A line for each connection is an option, which a reload changes; so is the level.
func TestConnectionsAreLoggedIfAsked(t *testing.T) {
	var log text
	o := observer(t, config.Admin{}, config.Log{Connections: true, Format: "json"}, config.Traces{}, &log)
	shake(t, o.Hooks(), serverConfig(), clientConfig())
	if later := o.Configured(&config.Config{Log: config.Log{Level: "error", Format: "text"}}); fmt.Sprint(later) != "[log.format]" {
		t.Errorf("a restart is needed for %q", later)
	}
	shake(t, o.Hooks(), serverConfig(), clientConfig())
	shake(t, o.Hooks(), serverConfig(), nil)
	o.Close()
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	var one struct {
		Msg, Peer, Version, Resumed string
		CipherSuite                 string `json:"cipher_suite"`
		ServerName                  string `json:"server_name"`
		Received                    int
		Took                        float64
	}
	if err := json.Unmarshal([]byte(lines[0]), &one); err != nil || len(lines) != 1 {
		t.Fatalf("%q, %v", lines, err)
	}
	if one.Msg != "connection" || one.Peer != "192.0.2.7:5000" || one.Version != "TLS 1.3" || one.Resumed != "full" || one.ServerName != "private.example" || one.Received != 3 || one.Took <= 0 || one.Took > 60 {
		t.Errorf("%+v", one)
	}
}

// A flood is one line and then one a minute.
func TestAFloodIsTwoLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log text
		o, err := New(config.Admin{}, config.Log{}, config.Traces{}, &log)
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		c := &event.Connection{Listener: ":443", Peer: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 1}}
		for range 513 {
			o.Hooks().Handshaken(c, event.Handshake{Err: io.ErrUnexpectedEOF})
		}
		time.Sleep(window + window/6)
		synctest.Wait()
		if got := log.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, `msg="512 more like it" cause="handshake failed: closed" count=512 network=192.0.2.7`) {
			t.Errorf("%s", got)
		}
	})
}

// A log that has nothing to say again sleeps, and wakes for what comes again.
func TestALogAtRestSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log text
		o, err := New(config.Admin{}, config.Log{}, config.Traces{}, &log)
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		c := &event.Connection{Listener: ":443", Peer: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 1}}
		var looks atomic.Int64
		o.journal.now = func() time.Time { looks.Add(1); return time.Now() }
		for round := 1; round <= 3; round++ {
			looks.Store(0)
			time.Sleep(time.Hour)
			synctest.Wait()
			if looks := looks.Load(); looks != 0 {
				t.Errorf("round %d: it has looked %d times while there was nothing", round, looks)
			}
			for range 2 {
				o.Hooks().Handshaken(c, event.Handshake{Err: io.ErrUnexpectedEOF})
			}
			time.Sleep(3 * window)
			synctest.Wait()
			if got := strings.Count(log.String(), "\n"); got != 2*round {
				t.Errorf("round %d: %d lines", round, got)
			}
		}
	})
}

// nasty is what strangers could put into names: lines, the escapes of terminals in all their
// spellings, text that turns around, bytes that are no text, and a great deal of it.
var nasty = []string{"a\nlevel=ERROR msg=forged", "\x1b[2J\x1b]0;x\x07", "\u009b31m", "\u202egnp.exe", "\xff\xfe\x9b", "\x00", "a\u2028b", `" msg="forged`, strings.Repeat("x\n", 1<<16)}

// Nothing that a stranger sends begins a line, moves a cursor, or fills the log.
func TestTheLogTakesNoOrders(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var log text
		o := observer(t, config.Admin{}, config.Log{Format: format, Connections: true}, config.Traces{}, &log)
		h := o.Hooks()
		for i, bad := range nasty {
			c := &event.Connection{Listener: ":443", Peer: &net.TCPAddr{IP: net.IPv4(10, 0, 0, byte(i)), Zone: bad}, ServerName: bad, ALPN: bad, Identity: bad, Target: "web"}
			h.Accepted(c)
			h.Handshaken(c, event.Handshake{Err: &tls.HandshakeError{Rule: "the name " + bad + " is wrong", What: "group", Ours: []string{"x"}, Theirs: []string{bad, bad}, Hint: bad, Alert: wire.AlertIllegalParameter}})
			h.Connected(c, event.Target{Name: "web", Address: fmt.Sprint(i), Err: errors.New(bad)})
			h.Closed(c, event.Result{Err: errors.New(bad)})
			h.Store(fmt.Sprint(i), 0, errors.New(bad))
			h.Health("web", fmt.Sprint(i), false, errors.New(bad))
			h.Reloaded(errors.New(bad))
			h.Certificate(event.Certificate{Source: fmt.Sprint(i), What: "staple failed", Names: []string{bad}, Err: errors.New(bad)})
		}
		o.Close()
		lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
		if len(lines) != 7*len(nasty) {
			t.Errorf("%s: %d lines", format, len(lines))
		}
		for _, line := range lines {
			if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) || len(line) > 16<<10 {
				t.Errorf("%s: %.300q of %d bytes", format, line, len(line))
			}
			if format == "json" && !json.Valid([]byte(line)) {
				t.Errorf("no JSON: %.300q", line)
			}
			if strings.HasPrefix(line, "level=ERROR msg=forged") {
				t.Errorf("a forged line: %q", line)
			}
		}
	}
}

// stuck is a reader of the log that takes nothing before it is told to.
type stuck struct {
	text
	free chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.free
	return s.text.Write(p)
}

// A log that nobody reads stops nothing: lines are lost, counted and told of.
func TestALogThatHangs(t *testing.T) {
	log := &stuck{free: make(chan struct{})}
	o := observer(t, config.Admin{}, config.Log{}, config.Traces{}, log)
	for range mostLines + 100 {
		o.Hooks().Reloaded(io.EOF)
	}
	lost := value(t, o, "log_lines_lost_total", nil)
	if lost < 90 || lost > 100 {
		t.Errorf("%v lines are lost", lost)
	}
	close(log.free)
	o.Close()
	if !strings.Contains(log.String(), "lines of this log were lost") {
		t.Error("it is not said that lines are lost")
	}
}

// What nobody ever reads holds Close up for a short time only.
func TestCloseWaitsForNoLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &stuck{free: make(chan struct{})}
		o, err := New(config.Admin{}, config.Log{}, config.Traces{}, log)
		if err != nil {
			t.Fatal(err)
		}
		o.Hooks().Reloaded(nil)
		began := time.Now()
		if err := o.Close(); err == nil || time.Since(began) > 2*patience {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		close(log.free)
	})
}

func TestBadSettings(t *testing.T) {
	for _, c := range []struct {
		admin  config.Admin
		log    config.Log
		traces config.Traces
		want   string
	}{
		{log: config.Log{Format: "xml"}, want: `log.format: "xml"`},
		{log: config.Log{Level: "loud"}, want: `log.level: "loud"`},
		{admin: config.Admin{OTLP: "127.0.0.1:4318"}, want: "admin.otlp"},
		{admin: config.Admin{OTLP: "ftp://x"}, want: "admin.otlp"},
		{traces: config.Traces{Sample: 1, Folder: "/dev/null/x"}, want: "traces.folder"},
	} {
		o, err := New(c.admin, c.log, c.traces, io.Discard)
		if err == nil {
			o.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
