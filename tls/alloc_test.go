//go:build !race

// The race detector makes sync.Pool drop values at random.

package tls

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"
)

// A connection that is open sends and receives without allocating.
func TestRecordsDoNotAllocate(t *testing.T) {
	for name, pair := range map[string]func(testing.TB) (a, b net.Conn){
		"TCP":    tcpPair,
		"memory": func(testing.TB) (a, b net.Conn) { return memoryPipe() },
	} {
		for _, version := range bothVersions {
			for _, size := range []int{1, 1000, 16384, 100_000} {
				client, server := testPKI().client(), testPKI().server("ecdsa-p256")
				at(version, client, server)
				a, b := pair(t)
				c, s := Client(a, client), Server(b, server)
				if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
					t.Fatal(clientErr, serverErr)
				}
				data, room := make([]byte, size), make([]byte, size)
				round := func() {
					for _, dir := range [][2]*Conn{{c, s}, {s, c}} {
						if _, err := dir[0].Write(data); err != nil {
							t.Fatal(err)
						}
						if _, err := io.ReadFull(dir[1], room); err != nil {
							t.Fatal(err)
						}
					}
				}
				for range 10 {
					round()
				}
				if n := testing.AllocsPerRun(100, round); n >= 1 {
					t.Errorf("%s, %s, %d bytes: %v allocations", name, VersionName(version), size, n)
				}
				c.Close()
				s.Close()
			}
		}
	}
}

// An idle connection holds no buffers and no cipher objects, whatever it did
// before and though a Read waits in it.
func TestIdleConnectionsAreSmall(t *testing.T) {
	const pairs, most = 100, 3 << 10 // bytes for each end, its socket included
	for _, version := range bothVersions {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		at(version, client, server)
		before := heap()
		var ends []*Conn
		for range pairs {
			c, s, clientErr, serverErr := connect(t, client, server)
			if clientErr != nil || serverErr != nil {
				t.Fatal(clientErr, serverErr)
			}
			for _, dir := range [][2]*Conn{{c, s}, {s, c}} {
				go dir[0].Write(make([]byte, 200_000))
				if _, err := io.ReadFull(dir[1], make([]byte, 200_000)); err != nil {
					t.Fatal(err)
				}
			}
			ends = append(ends, c, s)
		}
		for _, c := range ends {
			go c.Read(make([]byte, 1))
		}
		time.Sleep(2*idleAfter + 200*time.Millisecond)
		each := (int(heap()) - int(before)) / len(ends)
		t.Logf("%s: %d bytes for each end", VersionName(version), each)
		if each > most {
			t.Errorf("%s: an idle end holds %d bytes", VersionName(version), each)
		}
		for _, c := range ends {
			c.Close()
		}
	}
}

func heap() uint64 {
	for range 3 { // a pool keeps its values for two collections
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
