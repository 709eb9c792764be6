package tls

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/session"
)

// replays is how often each first flight is sent again.
const replays = 300

// What a client has sent, ClientHello and early data, is sent many times at once to three
// servers that share ticket keys and a store: one of them takes it, once. RFC 8446 §8.
func TestEarlyDataIsTakenOnceByThreeServers(t *testing.T) {
	client, first := earlyPair()
	store := session.NewMemory(1 << 20)
	servers := make([]*Config, 3)
	for i := range servers {
		servers[i] = first.Clone()
		servers[i].SetSessionTicketKeys([][32]byte{{1}})
		servers[i].EarlyData.Replay = session.SingleUse(store)
	}
	for round := range 3 {
		sendEarly(t, client, servers[round], "for a ticket")
		flight := firstFlight(t, client, "once")
		var taken, wrong atomic.Int32
		var wait sync.WaitGroup
		for worker := range 6 {
			wait.Go(func() {
				for i := range replays / 6 {
					if got := replay1(servers[(worker+i)%3], flight); got == "once" {
						taken.Add(1)
					} else if got != "" {
						wrong.Add(1)
					}
				}
			})
		}
		wait.Wait()
		if taken.Load() != 1 || wrong.Load() != 0 {
			t.Errorf("round %d: of %d copies %d were taken, and %d gave something else", round, replays, taken.Load(), wrong.Load())
		}
	}
}

// firstFlight is what a client sends before it hears anything.
func firstFlight(t *testing.T, client *Config, data string) []byte {
	t.Helper()
	a, b := memoryPipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = Client(a, client).HandshakeEarly(context.Background(), []byte(data)) // nobody answers
	}()
	flight := make([]byte, 64<<10)
	n, err := b.Read(flight)
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	a.Close()
	<-done
	return flight[:n]
}

// replay1 sends a first flight to a server, and returns what that took as early data.
func replay1(server *Config, flight []byte) string {
	a, b := memoryPipe()
	defer b.Close()
	_, _ = a.Write(flight)
	a.Close()
	early, _ := Server(b, server).AcceptEarly(context.Background())
	if early == nil {
		return ""
	}
	got, _ := io.ReadAll(early) // up to the end of the stream
	return string(got)
}
