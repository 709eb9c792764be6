package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

const (
	loadName = "localhost"
	// requestLen is the length of every request. It is answered with itself, but
	// one that begins with wantsMuch with muchLen bytes.
	requestLen = 16
	wantsMuch  = '>'
	muchLen    = 1 << 20
	// patience is how long the server waits for a request, and for its answer to
	// be taken. What a handshake may take is left to the library.
	patience = 30 * time.Second
	// mostAtOnce is how many connections it serves at once; more must wait.
	mostAtOnce = 12000
)

// loadHosts are addresses of this machine. With one alone the driver's ports
// would run short, since those of closed connections rest for a minute.
var loadHosts = []string{"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"}

// serverStats is what the server says of itself.
type serverStats struct {
	Goroutines     int
	Heap, Stacks   uint64 // bytes in use
	Idle, Released uint64 // bytes of heap free, and of those returned to the system
	Handshakes     int    // complete
}

// loadServer is a server as an application would write it: a goroutine for each
// connection, a deadline for each request. Its argument is the folder of the
// authority. It prints its addresses as JSON, then answers each line of its
// input with its stats, and ends with its input.
func loadServer(args []string) error {
	if len(args) != 1 {
		return errors.New("the folder of the authority is missing")
	}
	ca, _, err := devca.Open(args[0])
	if err != nil {
		return err
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{loadName}})
	if err != nil {
		return err
	}
	s := &echoServer{much: make([]byte, muchLen), room: make(chan struct{}, mostAtOnce)}
	var addrs []string
	for _, host := range loadHosts {
		l, err := tls.Listen("tcp", net.JoinHostPort(host, "0"), &tls.Config{
			Certificates: []tls.Certificate{cert},
			Renegotiate:  tls.Renegotiate{FromClient: true}, // more to attack
		})
		if err != nil {
			return err
		}
		addrs = append(addrs, l.Addr().String())
		go s.accept(l)
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(addrs); err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if in.Text() == "free" {
			debug.FreeOSMemory()
		}
		if err := out.Encode(s.stats()); err != nil {
			return err
		}
	}
	return nil
}

type echoServer struct {
	much []byte
	room chan struct{}

	mu         sync.Mutex
	handshakes int
}

func (s *echoServer) accept(l net.Listener) {
	for {
		s.room <- struct{}{}
		conn, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "soak load-server:", err)
			os.Exit(1)
		}
		go func() {
			s.serve(conn)
			conn.Close()
			<-s.room
		}()
	}
}

// serve answers requests until one fails; with whom it ends how is the driver's
// to judge.
func (s *echoServer) serve(conn net.Conn) {
	if conn.(*tls.Conn).Handshake() != nil {
		return
	}
	s.mu.Lock()
	s.handshakes++
	s.mu.Unlock()
	var request [requestLen]byte
	for {
		conn.SetDeadline(time.Now().Add(patience))
		if _, err := io.ReadFull(conn, request[:]); err != nil {
			return
		}
		answer := request[:]
		if request[0] == wantsMuch {
			answer = s.much
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

func (s *echoServer) stats() serverStats {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.mu.Lock()
	defer s.mu.Unlock()
	return serverStats{
		Goroutines: runtime.NumGoroutine(), Heap: m.HeapInuse, Stacks: m.StackInuse,
		Idle: m.HeapIdle, Released: m.HeapReleased, Handshakes: s.handshakes,
	}
}
