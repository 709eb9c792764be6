package scan

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// far is a server behind a line on which each way takes that long.
func far(t testing.TB, to Target, way time.Duration) Target {
	t.Helper()
	return serve(t, func(near net.Conn) {
		away, err := net.Dial("tcp", to.Address)
		if err != nil {
			return
		}
		defer away.Close()
		go late(away, near, way)
		late(near, away, way)
	})
}

// late copies what comes, each piece after its time.
func late(to, from net.Conn, way time.Duration) {
	type piece struct {
		at    time.Time
		bytes []byte
	}
	pieces := make(chan piece, 1000)
	go func() {
		defer close(pieces)
		for {
			b := make([]byte, 1<<14)
			n, err := from.Read(b)
			if n > 0 {
				pieces <- piece{time.Now().Add(way), b[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range pieces {
		time.Sleep(time.Until(p.at))
		to.Write(p.bytes)
	}
	if tcp, ok := to.(interface{ CloseWrite() error }); ok {
		tcp.CloseWrite()
	}
	io.Copy(io.Discard, from)
}

// What need not come is waited for longer where the server is far away: at a round trip of 400 ms
// its tickets are seen as at none.
func TestAServerThatIsFarAway(t *testing.T) {
	t.Parallel()
	at := far(t, serveTLS(t, &tls.Config{Certificates: []tls.Certificate{certificate(t, devca.ECDSA)}}), 200*time.Millisecond)
	connect := func(ctx context.Context, to Target) (net.Conn, error) {
		time.Sleep(400 * time.Millisecond)
		return dial(ctx, to)
	}
	r, err := (&Prober{Dial: connect}).Scan(t.Context(), at, Options{ConfigurationOnly: true, Roots: authority().Pool()})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Feature("tickets of TLS 1.3"); !strings.HasPrefix(got, "yes, for") {
		t.Errorf("tickets of TLS 1.3: %q", got)
	}
}
