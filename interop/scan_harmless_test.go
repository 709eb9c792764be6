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

// While a server is scanned again and again, honest clients notice nothing, and afterwards
// it is as large as after the first scans. VITRINE_SCANS says how often, 1,000 say; each
// scan makes every probe at least once.
func TestScanDoesNoHarm(t *testing.T) {
	programs.SkipIfOff(t)
	times := 6
	if n, err := strconv.Atoi(os.Getenv("VITRINE_SCANS")); err == nil {
		times = max(n, 2)
	}
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	rows := scanRows()
	for _, name := range []string{"nginx: intermediate", "GnuTLS: what it has by itself for TLS 1.3", "HAProxy: the server's order, HTTP/2"} {
		row := rows[slices.IndexFunc(rows, func(r scanRow) bool { return r.name == name })]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(times)*time.Minute)
			defer cancel()
			at, p := row.open(ctx, t, material)
			stop, served := make(chan struct{}), 0
			var wait sync.WaitGroup
			wait.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if err := honestVisit(ctx, at.Address, material); err != nil {
						t.Errorf("an honest client: %v", err)
						return
					}
					served++
				}
			})
			size := 0
			for i := range times {
				r, err := (&scan.Prober{Timeout: 20 * time.Second}).Scan(ctx, at, scan.Options{Roots: material.pool})
				if err != nil || r.Failure != "" {
					t.Errorf("scan %d: %v %s", i, err, r.Failure)
					break
				}
				if i == times/2 {
					size = residentKB(t, p.pid)
				}
			}
			close(stop)
			wait.Wait()
			if served == 0 {
				t.Error("no honest client was served")
			}
			if grown := residentKB(t, p.pid) - size; grown > 4<<10 {
				t.Errorf("the server has grown by %d KB since the scan in the middle, when it had %d", grown, size)
			}
		})
	}
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
