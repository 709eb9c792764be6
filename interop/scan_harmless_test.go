package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/tls"
)

// harmless are the rows whose servers are scanned again and again; the others only where
// VITRINE_SCANS is set.
var harmless = []struct {
	name   string
	always bool
}{
	{"nginx: intermediate", true}, {"GnuTLS: what it has by itself for TLS 1.3", true}, {"HAProxy: the server's order, HTTP/2", true},
	{"Apache: in the server's order", false}, {"stunnel: TLS 1.2 alone", false}, {"openssl: as installed", false},
}

// While a server is scanned again and again, honest clients notice nothing, and afterwards
// it is as large as after the first scans. VITRINE_SCANS says how often, 1,000 say; each
// scan makes every probe at least once. The section scan of interop/soak reads the figures.
func TestScanDoesNoHarm(t *testing.T) {
	programs.SkipIfOff(t)
	times, all := 6, false
	if n, err := strconv.Atoi(os.Getenv("VITRINE_SCANS")); err == nil {
		times, all = max(n, 2), true
	}
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	rows := scanRows()
	for _, peer := range harmless {
		if !peer.always && !all {
			continue
		}
		row := rows[slices.IndexFunc(rows, func(r scanRow) bool { return r.name == peer.name })]
		t.Run(peer.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(times)*time.Minute)
			defer cancel()
			at, p := row.open(ctx, t, material)
			before := new(visits)
			for range 20 { // of a server that nobody scans
				before.one(ctx, t, at.Address, material)
			}
			stop, during := make(chan struct{}), new(visits)
			var wait sync.WaitGroup
			wait.Go(func() {
				for during.one(ctx, t, at.Address, material) {
					select {
					case <-stop:
						return
					default:
					}
				}
			})
			connections, size, done := 0, 0, 0
			for i := range times {
				if end, ok := t.Deadline(); ok && time.Until(end) < time.Minute {
					t.Errorf("the time is over after %d of %d scans", i, times)
					break
				}
				r, err := (&scan.Prober{Timeout: 20 * time.Second}).Scan(ctx, at, scan.Options{Roots: material.pool})
				if err != nil || r.Failure != "" {
					t.Errorf("scan %d: %v %s", i, err, r.Failure)
					break
				}
				done++
				if connections += r.Connections; i == min(times/2, 100) { // by when it has grown as large as it will
					size = residentKB(t, p.pid)
				}
			}
			close(stop)
			wait.Wait()
			grown := residentKB(t, p.pid) - size
			if grown > 4<<10 {
				t.Errorf("the server has grown by %d KB since an early scan, when it had %d", grown, size)
			}
			t.Logf("figure: %s: %d scans, %d connections; %d honest visits, %d failed, %v in the median (%v before), %v at most; the server grew by %d KB",
				peer.name, done, connections, len(during.took), during.failed, during.median(), before.median(), during.at(1), grown)
		})
	}
}

// visits are those of an honest client, one after the other.
type visits struct {
	took   []time.Duration
	failed int
}

// one makes a visit, and reports that it went as it should.
func (v *visits) one(ctx context.Context, t *testing.T, address string, material *pki) bool {
	began := time.Now()
	if err := honestVisit(ctx, address, material); err != nil {
		v.failed++
		t.Errorf("an honest client: %v", err)
		return false
	}
	v.took = append(v.took, time.Since(began))
	return true
}

func (v *visits) median() time.Duration { return v.at(0.5) }

// at is the time below which that part of the visits stayed.
func (v *visits) at(part float64) time.Duration {
	slices.Sort(v.took)
	if len(v.took) == 0 {
		return 0
	}
	return v.took[int(part*float64(len(v.took)-1))].Round(100 * time.Microsecond)
}

func honestVisit(ctx context.Context, address string, material *pki) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer raw.Close()
	conn := tls.Client(raw, &tls.Config{ServerName: serverName, RootCAs: material.pool})
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	return conn.Close()
}

// residentKB is how much memory a process has, as Linux tells.
func residentKB(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Errorf("the server is gone: %v", err)
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	n, err := strconv.Atoi(strings.Fields(rest + " 0")[0])
	if err != nil || n == 0 {
		t.Errorf("no size: %v", err)
	}
	return n
}
