//go:build !race && !purego

// The race detector makes sync.Pool drop values at random.

package tls

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"runtime"
	"runtime/debug"
	"testing"
)

// What one end of a handshake of TLS 1.3 allocates, with the pools filled by others before.
// The other end, the test and the connection below do not count. What crypto/ecdsa takes
// for a signature is measured in the same run, and is the most of a server's: it has no
// interface that takes less.
func TestHandshakesAllocateLittle(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would empty the pools
	for _, test := range []struct {
		key            string
		resume         bool
		client, server int // the most allocations, signatures not counted
	}{
		{"ecdsa-p256", false, 40, 11},
		{"ed25519", false, 30, 13},
		{"rsa2048", false, 45, 43},
		{"ecdsa-p256", true, 44, 10},
	} {
		client, server := testPKI().client(), testPKI().server(test.key)
		at(VersionTLS13, client, server)
		signature := 0
		if key, ok := server.Certificates[0].PrivateKey.(*ecdsa.PrivateKey); ok && !test.resume {
			signature = int(testing.AllocsPerRun(20, func() { key.Sign(rand.Reader, make([]byte, 32), crypto.SHA256) }))
		}
		if test.resume {
			client.ClientSessionCache = NewLRUClientSessionCache(1)
		}
		const rounds = 20
		var least [2]int
		for i := range rounds {
			got := allocations(t, client, server, test.resume && i > 0)
			for end, n := range got {
				if least[end] == 0 || n < least[end] {
					least[end] = n
				}
			}
		}
		own := least[1] - signature
		t.Logf("%s, resumed %t: client %d, server %d and its signature %d", test.key, test.resume, least[0], own, signature)
		if least[0] > test.client || own > test.server {
			t.Errorf("%s, resumed %t: the client allocates %d times, the server %d; at most %d and %d are allowed", test.key, test.resume, least[0], own, test.client, test.server)
		}
	}
}

// allocations counts what each end allocates. Only one of them runs at a time.
func allocations(t *testing.T, client, server *Config, resumes bool) [2]int {
	a, b := memoryPipe()
	baton := make(chan struct{}, 1)
	below := [2]*alternating{{memoryConn: a, baton: baton}, {memoryConn: b, baton: baton}}
	ends := [2]*Conn{Client(below[0], client), Server(below[1], server)}
	done := make(chan error, 1)
	run := func(i int) error {
		below[i].take()
		defer func() { below[i].give(); below[i].over = true }()
		return ends[i].Handshake()
	}
	go func() { done <- run(1) }()
	err := run(0)
	if serverErr := <-done; err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	if ends[0].ConnectionState().DidResume != resumes {
		t.Fatalf("resumed: %t", !resumes)
	}
	go func() { done <- sendByte(ends[1]) }() // with the tickets
	if _, err := ends[0].Read(make([]byte, 1)); err != nil || <-done != nil {
		t.Fatal(err)
	}
	for _, end := range ends {
		end.Close()
	}
	return [2]int{below[0].count, below[1].count}
}

// alternating is an end that runs only with the baton, which it gives away while it waits
// to receive. It counts what is allocated while it has it.
type alternating struct {
	*memoryConn
	baton chan struct{}
	began uint64
	count int
	over  bool // the handshake is
	stats runtime.MemStats
}

func (a *alternating) mallocs() uint64 {
	runtime.ReadMemStats(&a.stats)
	return a.stats.Mallocs
}

func (a *alternating) take() {
	a.baton <- struct{}{}
	a.began = a.mallocs()
}

func (a *alternating) give() {
	a.count += int(a.mallocs() - a.began)
	<-a.baton
}

func (a *alternating) Read(p []byte) (int, error) {
	if a.over {
		return a.memoryConn.Read(p)
	}
	a.give()
	defer a.take()
	return a.memoryConn.Read(p)
}
