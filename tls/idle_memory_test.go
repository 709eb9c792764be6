//go:build !race && !purego

package tls

import (
	"io"
	"runtime"
	"testing"
)

// mostIdle is what an end may hold while it is idle, in bytes of heap, without the
// connection below.
const mostIdle = 1024

// An idle end holds little, fresh or after bulk data, the client with its server's chain.
func TestAnIdleEndHoldsAKilobyte(t *testing.T) {
	for _, version := range []uint16{VersionTLS13, VersionTLS12} {
		for _, bulk := range []bool{false, true} {
			client, server := testPKI().client(), testPKI().server("ecdsa-p256")
			at(version, client, server)
			got := heldIdle(t, client, server, bulk)
			for range 4 { // the heap is the whole program's: what other tests have left may go meanwhile, either way
				if 0 < got[0] && got[0] <= mostIdle && 0 < got[1] && got[1] <= mostIdle {
					break
				}
				got = heldIdle(t, client, server, bulk)
			}
			for i, end := range []string{"client", "server"} {
				t.Logf("%s, %s, bulk %t: %d bytes", VersionName(version), end, bulk, got[i])
				if got[i] <= 0 || got[i] > mostIdle {
					t.Errorf("%s, bulk %t: an idle %s holds %d bytes, at most %d are allowed", VersionName(version), bulk, end, got[i], mostIdle)
				}
			}
		}
	}
}

// heldIdle is what a client and a server hold, on average over many.
func heldIdle(t *testing.T, client, server *Config, bulk bool) [2]int {
	const count = 200
	client.HandshakeTimeout, server.HandshakeTimeout = -1, -1 // a stopped timer would linger
	ends, below := new([2][count]*Conn), new([2][count]*memoryConn)
	for i := range count {
		below[0][i], below[1][i] = memoryPipe()
		c, s := Client(below[0][i], client), Server(below[1][i], server)
		for _, end := range []*Conn{c, s} { // no timer is set that would have to be waited for
			end.flags.set(warm)
		}
		if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		ends[0][i], ends[1][i] = c, s
		if bulk {
			exchangeBulk(t, c, s)
		}
		for _, end := range ends {
			end[i].flags.unset(warm)
			end[i].idle()
		}
		for _, conn := range below {
			conn[i].in.data = nil
		}
	}
	var held [3]uint64
	for i := range held {
		held[i] = heap()
		runtime.KeepAlive(ends)
		if i < len(ends) {
			ends[i] = [count]*Conn{}
		}
	}
	runtime.KeepAlive(below)
	return [2]int{int(held[0]-held[1]) / count, int(held[1]-held[2]) / count}
}

func exchangeBulk(t *testing.T, c, s *Conn) {
	for _, way := range [][2]*Conn{{c, s}, {s, c}} {
		chunk := make([]byte, 100_000)
		if _, err := way[0].Write(chunk); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(way[1], chunk); err != nil {
			t.Fatal(err)
		}
	}
}
