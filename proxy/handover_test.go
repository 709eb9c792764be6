//go:build linux

package proxy

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// A second process takes over at load: no connection is refused, none is cut off, and the
// first process ends.
func TestHandover(t *testing.T) {
	folder := t.TempDir()
	c := at(config.Listener{TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{backend(t, nil, echo)}})
	c.Listeners[0].Listen = []string{"127.0.0.1:0", "unix:" + filepath.Join(folder, "in")}
	c.Process.Handover = filepath.Join(folder, "handover")
	p, address := begin(t, c)
	long := dial(t, address, onePKI().client("front.test"))
	io.WriteString(long, "before")
	text, err := config.Write(&c)
	if err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var done atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for !stop.Load() {
				if err := tryRoundTrip(address, onePKI().client("front.test")); err != nil {
					t.Errorf("a connection failed: %v", err)
					return
				}
				done.Add(1)
			}
		})
	}
	second := exec.Command(os.Args[0])
	second.Env = append(os.Environ(), childConfig+"="+string(text))
	var said bytes.Buffer
	second.Stdout, second.Stderr = &said, &said
	in, err := second.StdinPipe()
	if err == nil {
		err = second.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	<-p.stop // the first is told that the second accepts
	for before := done.Load(); done.Load() < before+20 && !t.Failed(); {
		tryRoundTrip(address, onePKI().client("front.test"))
	}
	stop.Store(true)
	clients.Wait()
	io.WriteString(long, " and after")
	closeWrite(long)
	if got, err := io.ReadAll(long); string(got) != "before and after" || err != nil {
		t.Errorf("a connection of the first process: %q, %v", got, err)
	}
	<-p.stopped
	conn, err := net.Dial("unix", filepath.Join(folder, "in"))
	if err != nil {
		t.Errorf("the unix socket: %v", err)
	} else {
		conn.Close()
	}
	in.Close()
	if err := second.Wait(); err != nil {
		t.Errorf("the second process: %v\n%s", err, &said)
	}
}

// A process that asks and goes away changes nothing.
func TestHandoverThatIsGivenUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handover")
	c := at(config.Listener{TLS: serverTLS(t, "front.test")}, saying(t, nil, "in"))
	c.Process.Handover = path
	_, address := begin(t, c)
	for { // until Run has begun
		if conn, err := net.Dial("unix", path); err == nil {
			conn.Close()
			break
		}
		runtime.Gosched()
	}
	for _, said := range []string{"", "n", "nn", "r", "x", strings.Repeat("n", 100)} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, said)
		conn.(*net.UnixConn).CloseWrite()
		io.Copy(io.Discard, conn)
		conn.Close()
	}
	if got, err := io.ReadAll(dial(t, address, onePKI().client("front.test"))); string(got) != "in" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := New(at(config.Listener{}, saying(t, nil, "")), Options{TakeOver: true}); err == nil {
		t.Error("a process takes over from nobody")
	}
}
