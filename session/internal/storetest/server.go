package storetest

import (
	"context"
	"errors"
	"io"
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

// A Server is a store's server as a process, at the same address through all its lives.
type Server struct {
	Addr, Port string

	t       testing.TB
	command func(port string) *exec.Cmd
	process *exec.Cmd
}

// Start runs a server, which command makes for a port of 127.0.0.1, until the test ends.
func Start(t testing.TB, command func(port string) *exec.Cmd) *Server {
	t.Helper()
	port := FreePort(t)
	s := &Server{Addr: net.JoinHostPort("127.0.0.1", port), Port: port, t: t, command: command}
	t.Cleanup(s.Kill)
	s.Start()
	return s
}

// FreePort is a port of 127.0.0.1 that nobody listened at just now.
func FreePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// Start starts the server again after Kill, and waits until it takes connections.
func (s *Server) Start() {
	s.t.Helper()
	s.process = s.command(s.Port)
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	Eventually(s.t, "the server takes connections", func() bool {
		c, err := net.Dial("tcp", s.Addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// Kill ends the server at once.
func (s *Server) Kill() {
	if s.process != nil {
		s.process.Process.Kill()
		s.process.Wait()
		s.process = nil
	}
}

// Eventually waits for what is to come true, 20 s at most.
func Eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not come to pass that %s", what)
		}
	}
}

// Nonsense takes connections at a port until the test ends or the returned function is called, and answers
// whatever comes with text, again and again.
func Nonsense(t testing.TB, addr, text string) (stop func()) {
	t.Helper()
	var l net.Listener
	Eventually(t, "the port is free", func() (ok bool) {
		var err error
		l, err = net.Listen("tcp", addr)
		return err == nil
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				go func() { io.WriteString(c, text) }()
				for buf := make([]byte, 4096); ; {
					if _, err := c.Read(buf); err != nil {
						return
					}
					if _, err := io.WriteString(c, text); err != nil {
						return
					}
				}
			}()
		}
	}()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			l.Close()
			<-done
		}
	}
	t.Cleanup(stop)
	return stop
}

// Troubles tests what becomes of a store whose server is killed, frozen and away, and talks
// nonsense: each call ends soon after its context, with an error that is not ErrNotFound, and the store comes
// back by itself.
func Troubles(t *testing.T, store session.Store, server *Server, nonsense []string) {
	const bound = 20 * time.Millisecond
	ask := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), bound)
		defer cancel()
		began := time.Now()
		_, err := store.Get(ctx, "a key")
		if took := time.Since(began); took > 50*bound {
			t.Errorf("a call of %v took %v", bound, took)
		}
		return err
	}
	fails := func() bool { err := ask(); return err != nil && !errors.Is(err, session.ErrNotFound) }
	back := func(what string) {
		t.Helper()
		began := time.Now()
		Eventually(t, "the store is back after "+what, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return store.Put(ctx, "a key", []byte("blob"), time.Now().Add(time.Hour)) == nil && ask() == nil
		})
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v to come back after %s", took, what)
		}
	}
	back("the start")
	server.Freeze()
	for range 10 {
		if !fails() {
			t.Error("a frozen server answers")
		}
	}
	server.Thaw()
	back("a freeze")
	server.Kill()
	Eventually(t, "calls fail without a server", fails)
	server.Start()
	back("a restart")
	for _, text := range nonsense {
		server.Kill()
		stop := Nonsense(t, server.Addr, text)
		for range 10 {
			if ask() == nil {
				t.Errorf("%.40q is taken for an answer", text)
			}
		}
		stop()
		server.Start()
		back("nonsense")
	}
}
