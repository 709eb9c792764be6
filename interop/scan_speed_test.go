package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/scan"
)

// A scanner is a program that scans a server, and what it took at best.
type scanner struct {
	name      string
	args      []string
	wall, cpu time.Duration
}

// run scans once.
func (s *scanner) run(ctx context.Context, t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(ctx, s.args[0], s.args[1:]...)
	began := time.Now()
	out, err := cmd.CombinedOutput() // how it ends says what it found
	if cmd.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("%s: %v: %s", s.name, err, out)
	}
	wall, cpu := time.Since(began), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	if s.wall == 0 || wall < s.wall {
		s.wall = wall
	}
	if s.cpu == 0 || cpu < s.cpu {
		s.cpu = cpu
	}
}

// The same nginx is scanned by vitrine, sslscan and, where VITRINE_TESTSSL is set, testssl.sh, in
// turn. What sslscan covers takes vitrine no longer, and what testssl.sh covers a fraction.
// With -v it shows what each took.
func TestScanIsQuick(t *testing.T) {
	sslscan := programs.Need(t, "sslscan", "sslscan")
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	at := quickServer(t)
	vitrine := filepath.Join(t.TempDir(), "vitrine")
	if out, err := exec.Command("go", "build", "-o", vitrine, "../cmd/vitrine").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	all := []*scanner{
		{name: "vitrine scan --quick", args: []string{vitrine, "scan", "--quick", at.Address}},
		{name: "sslscan", args: []string{sslscan, at.Address}},
		{name: "vitrine scan", args: []string{vitrine, "scan", at.Address}},
	}
	rounds := 5
	if os.Getenv("VITRINE_TESTSSL") != "" {
		rounds = 1
		all = append(all, &scanner{name: "testssl.sh", args: []string{programs.Need(t, "testssl", "testssl.sh"), "--warnings", "off", "--ip", "127.0.0.1", "--nodns", "none", at.Address}})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	for range rounds {
		for _, s := range all {
			s.run(ctx, t)
		}
	}
	var table strings.Builder
	for _, s := range all {
		fmt.Fprintf(&table, "%-22s %6d ms, of which CPU %6d ms\n", s.name, s.wall.Milliseconds(), s.cpu.Milliseconds())
	}
	t.Logf("one scan of nginx on loopback, best of %d:\n%s", rounds, table.String())
	const noise = 1.5 // other programs run on this machine
	if float64(all[0].wall) > noise*float64(all[1].wall) {
		t.Errorf("vitrine takes %v where sslscan takes %v", all[0].wall, all[1].wall)
	}
	if len(all) > 3 && all[2].wall > all[3].wall/4 {
		t.Errorf("vitrine takes %v where testssl.sh takes %v", all[2].wall, all[3].wall)
	}
}

// quickServer is an nginx as many run it.
func quickServer(t *testing.T) scan.Target {
	t.Helper()
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	rows := scanRows()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	at, _ := rows[slices.IndexFunc(rows, func(r scanRow) bool { return r.name == "nginx: intermediate" })].open(ctx, t, material)
	return at
}

// distant is a connection to a server that is far: an answer to what was written comes a
// round trip later.
type distant struct {
	net.Conn
	answer time.Time
}

const roundTrip = 50 * time.Millisecond

func (d *distant) Write(b []byte) (int, error) {
	d.answer = time.Now().Add(roundTrip)
	return d.Conn.Write(b)
}

func (d *distant) Read(b []byte) (int, error) {
	time.Sleep(time.Until(d.answer))
	return d.Conn.Read(b)
}

// At 50 ms of round trip, of which connecting takes one, a whole scan takes no more than 6
// seconds, at the pace that a stranger's server gets.
func TestScanAtADistance(t *testing.T) {
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	programs.Need(t, "nginx", "nginx")
	at := quickServer(t)
	p := &scan.Prober{Strict: true, Dial: func(ctx context.Context, t scan.Target) (net.Conn, error) {
		time.Sleep(roundTrip)
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", t.Address)
		if err != nil {
			return nil, err
		}
		return &distant{Conn: conn}, nil
	}}
	r, err := p.Scan(t.Context(), at, scan.Options{})
	if err != nil || r.Failure != "" {
		t.Fatal(err, r.Failure)
	}
	t.Logf("%d connections in %d ms", r.Connections, r.Milliseconds)
	if r.Milliseconds > 6000 {
		t.Errorf("%d connections took %d ms", r.Connections, r.Milliseconds)
	}
}
