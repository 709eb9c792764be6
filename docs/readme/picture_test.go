package readme

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/text"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

var update = flag.Bool("update", false, "draw the pictures again")

// The pictures of the README are what is printed today.
func TestPictures(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	var text string
	synctest.Test(t, func(t *testing.T) { text = account(t) })
	for name, theme := range themes {
		file := filepath.Join("..", "ladder-"+name+".svg")
		got := draw(text, theme)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want, err := os.ReadFile(file); err != nil || string(want) != got {
			t.Errorf("%s is not what is printed now (%v): run go generate ./docs/readme, and look at it", file, err)
		}
	}
}

// account is the first screen of a connection over a network that takes 0.4 ms in each
// direction.
func account(t *testing.T) string {
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	near, far := slow(400 * time.Microsecond)
	served := make(chan error, 1)
	go func() {
		s := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}})
		_, err := s.Read(make([]byte, 1024))
		if err == nil {
			_, err = io.WriteString(s, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
		served <- errors.Join(err, s.Close())
	}()
	var seen explain.Collector
	c := tls.Client(near, &tls.Config{ServerName: "localhost", RootCAs: ca.Pool(), NextProtos: []string{"http/1.1"}, Trace: seen.Hooks()})
	_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if err == nil {
		_, err = io.ReadAll(c)
	}
	if err := errors.Join(err, c.Close(), <-served); err != nil {
		t.Fatal(err)
	}
	near.Close()
	far.Close()
	time.Sleep(time.Second) // in the bubble: what is on its way arrives
	var out bytes.Buffer
	out.WriteString("$ vitrine explain localhost:8443 --summary\n\n")
	connection := seen.Connection(explain.About{Target: "localhost:8443", Trust: "verified for localhost"})
	if !connection.Checks.OK() {
		t.Fatal(connection.Checks)
	}
	if err := text.Write(&out, connection, text.Options{Width: 100, Color: true, Summary: true}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// slow is the two ends of a network on which each write arrives after delay.
func slow(delay time.Duration) (near, far net.Conn) {
	near, a := net.Pipe()
	far, b := net.Pipe()
	go carry(a, b, delay)
	go carry(b, a, delay)
	return near, far
}

func carry(from, to net.Conn, delay time.Duration) {
	type piece struct {
		due  time.Time
		data []byte
	}
	way := make(chan piece, 64)
	go func() {
		defer close(way)
		for {
			buf := make([]byte, 32<<10)
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			way <- piece{time.Now().Add(delay), buf[:n]}
		}
	}()
	for p := range way {
		time.Sleep(time.Until(p.due))
		to.Write(p.data)
	}
	to.Close()
}
