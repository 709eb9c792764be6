//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/bench/contest"
)

// A row is one measurement: where the server is, and the programs that look at it.
type row struct {
	name string
	// most is how many rounds there are at most.
	most     int
	at       func(m *measurement) string
	programs []program
}

// A program is a scanner. In its arguments TARGET is the server, HOSTS a file of many, CA the authority of its certificate.
type program struct {
	name string
	// find returns the path of its executable.
	find func(dir string) (string, error)
	args string
	// proves are words of its output by which it has found what there is to find.
	proves string
}

func near(m *measurement) string { return fmt.Sprintf("127.0.0.1:%d", m.site.port) }
func far(m *measurement) string  { return m.site.relay.Addr().String() }

var (
	vitrineQuick = program{"vitrine", contest.Vitrine, "scan --quick --json --fail-on critical --sni localhost --ca CA TARGET", `TLS_ECDHE_RSA_WITH`}
	vitrineWhole = program{"vitrine", contest.Vitrine, "scan --json --fail-on critical --sni localhost --ca CA TARGET", `"robot"`}
	sslscan      = program{"sslscan", contest.Installed("sslscan"), "--no-colour --sni-name=localhost TARGET", "ECDHE-RSA"}
	testssl      = program{"testssl.sh", contest.Installed("testssl"), "--quiet --color 0 --warnings off --nodns none TARGET", "ROBOT"}
	manyQuick    = program{"vitrine", contest.Vitrine, "scan --quick --json --fail-on critical --sni localhost --ca CA --targets HOSTS", `"unreachable": 0`}
	manyWhole    = program{"vitrine", contest.Vitrine, "scan --json --fail-on critical --sni localhost --ca CA --targets HOSTS", `"unreachable": 0`}
)

var rows = []row{
	{"quick", 99, near, []program{vitrineQuick, sslscan}},
	{"everything", 3, near, []program{vitrineWhole, testssl}},
	{"quick-50ms", 99, far, []program{vitrineQuick, sslscan}},
	{"everything-50ms", 3, far, []program{vitrineWhole, testssl}},
	{"many-quick", 1, near, []program{manyQuick}},
	{"many-everything", 1, near, []program{manyWhole}},
}

// run runs a program once.
func (m *measurement) run(p program, r row) (took, error) {
	path, err := p.find(m.dir)
	if err != nil {
		return took{}, err
	}
	args := strings.NewReplacer("TARGET", r.at(m), "HOSTS", filepath.Join(m.dir, "hosts"), "CA", filepath.Join(m.dir, "ca.pem")).Replace(p.args)
	cmd := exec.Command(path, strings.Fields(args)...)
	cmd.Dir = m.dir
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	began := time.Now()
	err = cmd.Run()
	t := took{clock: time.Since(began)}
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		return t, err // a code that is not 0 may be what was found
	}
	if !strings.Contains(out.String(), p.proves) {
		return t, fmt.Errorf("its output lacks %q: %.400s %.400s", p.proves, out.String(), complaints.String())
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	t.processor = time.Duration(used.Utime.Nano() + used.Stime.Nano())
	return t, nil
}
