package interop

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/wire"
)

// A scanRow is a real server, how it is configured, and what a scan must say of it.
type scanRow struct {
	clearServer
	// here is a server in this process, in place of a program.
	here func(t *testing.T) scan.Target
	// turn is which of the server's ports is scanned.
	turn int
	// root is set where the server takes root to start.
	root bool
	// want has lines of scanLines. All versions must be among them that the server speaks.
	want string
	// finds are findings that must be made, and not those that must not.
	finds, not string
}

// scanned is the row of a server of one port, in which TLS begins at once.
func scanned(name, program, pkg string, run ...string) scanRow {
	return scanRow{clearServer: clearServer{name: name, program: program, pkg: pkg, run: append([]string{program}, run...), turns: []clearTurn{{}}}}
}

func (r scanRow) says(want string) scanRow          { r.want = want; return r }
func (r scanRow) finding(finds, not string) scanRow { r.finds, r.not = finds, not; return r }
func (r scanRow) prints(ready string) scanRow       { r.ready = ready; return r }
func (r scanRow) runs(command ...string) scanRow    { r.run = command; return r }

// with gives the server a file, and first runs commands of the shell.
func (r scanRow) with(name, content string, before ...string) scanRow {
	if name != "" {
		r.files = map[string]string{name: content}
	}
	for _, command := range before {
		r.before = append(r.before, []string{"sh", "-c", command})
	}
	return r
}

// scanRows are all of them, a file for each family.
func scanRows() []scanRow {
	return slices.Concat(scanMail, scanOthers, scanHTTP, scanOpenSSL, scanOurs) // the slow ones first
}

// What scan finds of a real server is how it is configured: the versions, the suites of each
// with whose order counts, the groups, and what else the row says. No server is worse off
// for it: another client is served as before.
func TestScan(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:"+strings.Join(globbed("/usr/lib/postgresql/*/bin"), ":"))
	rows := scanRows()
	if len(rows) < 30 {
		t.Errorf("there are %d rows", len(rows))
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			at, p := row.open(ctx, t, material)
			r, err := (&scan.Prober{Timeout: 20 * time.Second}).Scan(ctx, at, scan.Options{Roots: material.pool})
			if err != nil {
				t.Fatal(err)
			}
			row.compare(t, r)
			if r.Unanswered > 0 || len(r.NotAnswered) > 0 {
				t.Errorf("%d of %d connections got no answer, to %q: the server is healthy, and nothing stands before it", r.Unanswered, r.Connections, r.NotAnswered)
			}
			stillServes(ctx, t, at, p, r)
		})
	}
}

// open starts the server of a row. p is nil for one of this process.
func (row *scanRow) open(ctx context.Context, t *testing.T, material *pki) (at scan.Target, p *proc) {
	t.Helper()
	if row.here != nil {
		return row.here(t), nil
	}
	if row.root && os.Getuid() != 0 {
		t.Skip("such servers change to another user, which takes root")
	}
	programs.Need(t, row.program, row.pkg)
	ports, p := row.start(ctx, t, material)
	return scan.Target{Address: fmt.Sprintf("127.0.0.1:%d", ports[row.turn]), Name: serverName, StartTLS: row.turns[row.turn].protocol}, p
}

// compare holds what was found against the row.
func (row *scanRow) compare(t *testing.T, r *scan.Report) {
	t.Helper()
	if r.Failure != "" {
		t.Fatalf("the scan failed: %s", r.Failure)
	}
	got, want := scanLines(r), scanWants(row.want)
	for _, v := range r.Versions {
		if _, ok := want[v.Version]; v.Offered && !ok {
			t.Errorf("%s is found, which is switched off: %s", v.Version, got[v.Version])
		}
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s\n is %q\nnot %q", name, got[name], value)
		}
	}
	has := func(id string) bool {
		return slices.ContainsFunc(r.Findings, func(f scan.Finding) bool { return f.ID == id })
	}
	for _, id := range strings.Fields(row.finds) {
		if !has(id) {
			t.Errorf("%s is not found", id)
		}
	}
	for _, id := range append(strings.Fields(row.not), everWrong...) {
		if has(id) && !slices.Contains(strings.Fields(row.finds), id) {
			t.Errorf("%s is found: %v", id, r.Findings[slices.IndexFunc(r.Findings, func(f scan.Finding) bool { return f.ID == id })].Evidence)
		}
	}
	if t.Failed() || os.Getenv("SCAN_SHOW") != "" {
		t.Logf("%d connections\n%s", r.Connections, scanText(got))
	}
}

// everWrong are findings that no server of today deserves; a row that does says so.
var everWrong = []string{"ssl2", "heartbleed", "ccs-injection", "ticketbleed", "robot", "poodle-tls", "goldendoodle", "zombie-poodle",
	"starttls-injection", "early-data-replay", "no-sentinel", "tls13-intolerant", "dh-not-prime", "compression", "reneg-insecure", "chain"}

// stillServes has one more client come, as before the scan.
func stillServes(ctx context.Context, t *testing.T, at scan.Target, p *proc, r *scan.Report) {
	t.Helper()
	for _, v := range []wire.Version{wire.TLS13, wire.TLS12, wire.TLS11, wire.TLS10, wire.SSL30} {
		if !r.Offers(v.String()) {
			continue
		}
		a, err := (&scan.Prober{Timeout: 20 * time.Second}).Do(ctx, at, scan.Probe{Hello: honest(v, r)})
		if err != nil || a.End != scan.Reached {
			t.Errorf("after the scan a client is not served: %v, %+v", err, a)
		}
		break
	}
	if p == nil {
		return
	}
	select {
	case <-p.done:
		t.Errorf("the server ended: %v\n%s", p.ended, p.text())
	default:
	}
	if bytes.Contains(p.both(), []byte("AddressSanitizer")) || bytes.Contains(p.both(), []byte("core dumped")) {
		t.Errorf("the server complains:\n%s", p.text())
	}
}

// honest is a hello with the suites and groups that the server takes.
func honest(v wire.Version, r *scan.Report) scan.Hello {
	var suites []wire.CipherSuite
	for _, of := range r.Versions {
		for _, s := range of.Suites {
			if id, err := strconv.ParseUint(s.ID, 0, 16); err == nil && of.Version == v.String() {
				suites = append(suites, wire.CipherSuite(id))
			}
		}
	}
	h := scan.Offer(v, suites...)
	for _, g := range r.Groups {
		if id, err := strconv.ParseUint(g.ID, 0, 16); err == nil && v < wire.TLS13 {
			h.Groups = append(h.Groups, wire.NamedGroup(id))
		}
	}
	return h
}

// scanWants reads the lines of a row. A line that begins with a blank goes on with the one
// before.
func scanWants(text string) map[string]string {
	lines := map[string]string{}
	last := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		name, value, ok := strings.Cut(line, ": ")
		switch {
		case strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"):
			lines[last] += " " + strings.TrimSpace(line)
		case ok:
			last = strings.TrimSpace(name)
			lines[last] = value
		}
	}
	return lines
}

func scanText(lines map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintf(&b, "%s: %s\n", name, lines[name])
	}
	return b.String()
}
