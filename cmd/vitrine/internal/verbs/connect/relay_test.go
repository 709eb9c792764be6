package connect

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// pair returns a connection whose other end answer serves. It ends with t.
func pair(t *testing.T, answer func(*tls.Conn)) *tls.Conn {
	t.Helper()
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		raw, err := l.Accept()
		if err != nil {
			return
		}
		defer raw.Close()
		serve(t, tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{cert}}), answer)
	}()
	conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{ServerName: "localhost", RootCAs: ca.Pool()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func serve(t *testing.T, conn *tls.Conn, answer func(*tls.Conn)) {
	if err := conn.Handshake(); err != nil {
		t.Error(err)
		return
	}
	answer(conn)
}

// endless is a standard input at which nobody types.
func endless(t *testing.T) io.Reader {
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	return r
}

// relayed is what a relay wrote, and how it ended.
type relayed struct {
	out, notes string
	err        error
}

func relayOver(conn *tls.Conn, in io.Reader, halfClose bool) relayed {
	var out, notes strings.Builder
	err := (&relay{conn: conn, out: &out, notes: &notes, halfClose: halfClose}).run(in)
	return relayed{out.String(), notes.String(), err}
}

// A server that drops what it has not sent yet when our close_notify comes. RFC
// 5246 §7.2.1 demands that, and Node does it in every version.
func TestRelayLeavesItsDirectionOpen(t *testing.T) {
	const question = "some words"
	conn := pair(t, func(peer *tls.Conn) {
		got := make([]byte, len(question))
		if _, err := io.ReadFull(peer, got); err != nil {
			t.Error(err)
		}
		peer.SetReadDeadline(time.Now().Add(50 * time.Millisecond)) // as long as the answer takes
		if n, err := peer.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("before the answer the client's direction brought %d bytes and %v", n, err)
		}
		peer.Write(bytes.ToUpper(got))
		peer.Close()
	})
	if got := relayOver(conn, strings.NewReader(question), false); got.err != nil || got.out != "SOME WORDS" || got.notes != "" {
		t.Errorf("relayed %+v", got)
	}
}

// With --half-close, and without input, to which there is no answer.
func TestRelayClosesOneDirectionAtATime(t *testing.T) {
	for _, c := range []struct {
		in        string
		halfClose bool
	}{{"some words", true}, {"", false}, {"", true}} {
		conn := pair(t, func(peer *tls.Conn) {
			all, err := io.ReadAll(peer) // ends with our close_notify only
			if err != nil {
				t.Error(err)
			}
			peer.Write(bytes.ToUpper(append(all, '!')))
			peer.Close()
		})
		if got := relayOver(conn, strings.NewReader(c.in), c.halfClose); got.err != nil || got.out != strings.ToUpper(c.in)+"!" {
			t.Errorf("relayed %+v", got)
		}
	}
}

func TestRelayEndsWithThePeer(t *testing.T) {
	conn := pair(t, func(peer *tls.Conn) { io.WriteString(peer, "bye"); peer.Close() })
	if got := relayOver(conn, endless(t), false); got.err != nil || got.out != "bye" || got.notes != "" {
		t.Errorf("relayed %+v", got)
	}
}

// No answer is never an end in silence: it is a failure where one was due.
func TestRelaySaysThatNoAnswerCame(t *testing.T) {
	for _, c := range []struct {
		in        string
		halfClose bool
		code      int
	}{{"some words", false, report.ExitNetwork}, {"some words", true, report.ExitOK}, {"", false, report.ExitOK}} {
		conn := pair(t, func(peer *tls.Conn) {
			if c.in != "" {
				io.ReadFull(peer, make([]byte, len(c.in)))
			}
			peer.Close()
		})
		got := relayOver(conn, strings.NewReader(c.in), c.halfClose)
		if code := report.ExitCode(got.err); code != c.code || got.out != "" {
			t.Errorf("%+v: relayed %+v, exit code %d", c, got, code)
		}
		if got.err == nil && !strings.Contains(got.notes, "sent nothing") {
			t.Errorf("%+v: not a word on it: %q", c, got.notes)
		}
	}
}

// A server that keeps the connection open holds the command, which says why once.
func TestRelaySaysWhyItGoesOn(t *testing.T) {
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		go serve(t, tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{cert}}), func(peer *tls.Conn) {
			peer.Read(make([]byte, 100))
			for range 4 { // an answer that takes its time is no silence
				time.Sleep(quietWait - time.Second)
				io.WriteString(peer, "bit ")
			}
			time.Sleep(3 * quietWait)
			peer.Close()
		})
		conn := tls.Client(ours, &tls.Config{InsecureSkipVerify: true}) // here it is the year 2000
		begun := time.Now()
		got := relayOver(conn, strings.NewReader("some words"), false)
		if got.err != nil || got.out != "bit bit bit bit " || strings.Count(got.notes, "--half-close") != 1 {
			t.Errorf("relayed %+v", got)
		}
		if took := time.Since(begun); took != 4*(quietWait-time.Second)+3*quietWait {
			t.Errorf("it took %v", took)
		}
		conn.Close()
	})
}

// nginx answers our close_notify by closing without one.
func TestRelayOfNothingIsWhole(t *testing.T) {
	conn := pair(t, func(peer *tls.Conn) {
		peer.Read(make([]byte, 1))
		peer.NetConn().Close()
	})
	if got := relayOver(conn, strings.NewReader(""), false); got.err != nil || !strings.Contains(got.notes, "sent nothing") {
		t.Errorf("relayed %+v", got)
	}
}

func TestRelayTellsTruncationFromTheEnd(t *testing.T) {
	conn := pair(t, func(peer *tls.Conn) {
		io.WriteString(peer, "cut o")
		time.Sleep(10 * time.Millisecond)
		peer.NetConn().Close()
	})
	got := relayOver(conn, endless(t), false)
	if !errors.Is(got.err, io.ErrUnexpectedEOF) || got.out != "cut o" || report.ExitCode(got.err) != report.ExitNetwork {
		t.Errorf("relayed %+v", got)
	}
}

// slowly is an input that is there, and takes a moment.
type slowly struct{ io.Reader }

func (s slowly) Read(p []byte) (int, error) {
	time.Sleep(20 * time.Millisecond)
	return s.Reader.Read(p)
}

// A server that closes before our input could be sent has not answered it.
func TestRelayOfInputThatComesTooLate(t *testing.T) {
	conn := pair(t, func(peer *tls.Conn) { peer.CloseWrite(); io.Copy(io.Discard, peer) })
	if got := relayOver(conn, slowly{strings.NewReader("words")}, false); !errors.Is(got.err, report.ErrNoAnswer) {
		t.Errorf("relayed %+v", got)
	}
}
