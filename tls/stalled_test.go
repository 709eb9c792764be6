//go:build !race

// The race detector makes sync.Pool drop values at random.

package tls

import (
	stdtls "crypto/tls"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// stall opens connections whose servers are made by server, and has do act on the two
// ends of each until nothing moves any more. It returns the heap that a connection then
// holds, its client's 4 KB included.
func stall(t *testing.T, server func(net.Conn) endpoint, do func(client *Conn, server endpoint)) int {
	t.Helper()
	const conns = 40
	config := testPKI().client()
	before := heap()
	var ends []io.Closer
	for range conns {
		a, b := tcpPair(t)
		c, s := Client(a, config), server(b)
		if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		do(c, s)
		ends = append(ends, c, s)
	}
	time.Sleep(2*idleAfter + 200*time.Millisecond)
	each := (int(heap()) - int(before)) / conns
	for _, c := range ends {
		c.Close()
	}
	return each
}

// asSmall compares what a server of ours holds with what one of crypto/tls does.
func asSmall(t *testing.T, name string, do func(client *Conn, server endpoint)) {
	t.Helper()
	config := testPKI().server("ecdsa-p256")
	std := toStd(config)
	ours := stall(t, func(c net.Conn) endpoint { return Server(c, config) }, do)
	theirs := stall(t, func(c net.Conn) endpoint { return stdtls.Server(c, std) }, do)
	t.Logf("%s: %d bytes, crypto/tls %d", name, ours, theirs)
	if 10*ours > 13*theirs {
		t.Errorf("%s: a connection holds %d bytes; with crypto/tls %d", name, ours, theirs)
	}
}

// A Write that a peer lets wait holds what it has sealed and not sent, which is a record
// or so: however much it is to write, and however quickly all went before.
func TestStalledWritersHoldARecord(t *testing.T) {
	data := make([]byte, 4<<20) // more than the sockets take
	for name, taken := range map[string]int{"from the start": 0, "after 8 MB": 8 << 20} {
		asSmall(t, name, func(c *Conn, s endpoint) {
			go func() {
				for err := error(nil); err == nil; {
					_, err = s.Write(data)
				}
			}()
			io.CopyN(io.Discard, c.NetConn(), int64(taken))
		})
	}
}

// Data that an application leaves lying, because it is busy with something else, lies in
// a buffer that just holds it.
func TestStalledReadersHoldARecord(t *testing.T) {
	data := make([]byte, 4<<20)
	for name, taken := range map[string]int{"at once": 1, "after a header": 4 << 10, "after 64 KB": 64 << 10} {
		asSmall(t, name, func(c *Conn, s endpoint) {
			go c.Write(data)
			if _, err := io.CopyBuffer(io.Discard, io.LimitReader(s, int64(taken)), make([]byte, 4<<10)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// slowConn takes all at once, or not before wait has passed, and notes what it got.
type slowConn struct {
	net.Conn
	wait  time.Duration
	sizes []int
}

func (c *slowConn) Write(p []byte) (int, error) {
	time.Sleep(c.wait)
	c.sizes = append(c.sizes, len(p))
	return c.Conn.Write(p)
}

// A connection that does not show how much of a Write has gone gets one record at once,
// at most four where all went quickly, and one again after a delay.
func TestWritesFollowThePace(t *testing.T) {
	const record = 16<<10 + 64
	client, server, now := testPKI().client(), testPKI().server("ecdsa-p256"), time.Now()
	client.Time = func() time.Time { return now } // the certificates are not of the year 2000
	synctest.Test(t, func(t *testing.T) {
		a, b := memoryPipe()
		below := &slowConn{Conn: b}
		c, s := Client(a, client), Server(below, server)
		if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		data := make([]byte, 2<<20)
		write := func() (first, most int) {
			below.sizes = nil
			if _, err := s.Write(data); err != nil {
				t.Fatal(err)
			}
			return below.sizes[0], slices.Max(below.sizes)
		}
		if first, most := write(); first > record || most <= 3*record || most > 4*record {
			t.Errorf("quickly: %d bytes at first and %d at most", first, most)
		}
		below.wait = 2 * delay
		if _, err := s.Write(data[:1]); err != nil {
			t.Fatal(err)
		}
		if _, most := write(); most > record {
			t.Errorf("slowly: %d bytes at most", most)
		}
		c.Close()
		s.Close()
	})
}
