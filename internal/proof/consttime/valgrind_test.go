package consttime

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

// groups of operations have a process each: valgrind reports the same thing in
// the same place only once.
var groups = []string{"record", "kex", "ticket", "handshake"}

// A run is what came of all operations of one program.
type run struct {
	reports []report
	counts  map[string]int // by operation: how often something was reported
}

// report is a place where a secret decides something.
type report struct {
	operation string
	what      string // in valgrind's words
	stack     []frame
}

func TestSecretsDecideNothing(t *testing.T) {
	if programs.Brief() {
		t.Skip("valgrind takes a minute of a processor: VITRINE_INTEROP=require has it run")
	}
	honest, leaky := operate(t, build(t, nil)), operate(t, build(t, leaks))
	t.Run("in the sources", func(t *testing.T) { knownOnly(t, honest) })
	t.Run("in sources with leaks they do", func(t *testing.T) { leaksReported(t, honest, leaky) })
}

// knownOnly wants every report to be known, and all that is known to be reported.
func knownOnly(t *testing.T, r run) {
	used := make([]bool, len(known))
	for _, report := range r.reports {
		i := slices.IndexFunc(known, func(k place) bool { return k.is(report) })
		if i < 0 {
			t.Errorf("%v", report)
			continue
		}
		used[i] = true
	}
	for i, k := range known {
		if !used[i] {
			t.Errorf("%s: %q is listed as known, and not reported", k.in, k.line)
		}
	}
	t.Logf("%d operations, reports from %d places, all known", len(r.counts), len(known))
}

// leaksReported wants each leak to be reported where it is, and each operation to
// meet one: else the operation would show nothing.
func leaksReported(t *testing.T, honest, leaky run) {
	for _, l := range leaks {
		if !slices.ContainsFunc(leaky.reports, l.is) {
			t.Errorf("%s: %q is not reported", l.in, l.with)
		}
	}
	for _, op := range slices.Sorted(maps.Keys(honest.counts)) {
		if leaky.counts[op] <= honest.counts[op] {
			t.Errorf("%s: no leak is reported", op)
		}
	}
	t.Logf("%d leaks", len(leaks))
}

// program is what the operations were built into.
type program struct {
	path    string
	overlay map[string]string // sources with leaks, by what they take the place of
}

// build builds the program from sources with leaks.
func build(t *testing.T, leaks []leakage) program {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the places that are known are those of Linux on amd64")
	}
	programs.Need(t, "valgrind", "valgrind")
	dir := t.TempDir()
	p := program{path: filepath.Join(dir, "operations"), overlay: plant(t, dir, leaks)}
	spec, err := json.Marshal(map[string]any{"Replace": p.overlay})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "overlay.json")
	write(t, name, spec)
	cmd := exec.Command("go", "build", "-tags=valgrind", "-overlay="+name, "-o", p.path, "./operations")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return p
}

// plant writes sources with leaks to dir, and returns which file is in place of
// which.
func plant(t *testing.T, dir string, leaks []leakage) map[string]string {
	t.Helper()
	replace, texts := map[string]string{}, map[string]string{}
	for i, l := range leaks {
		file := filepath.Join(moduleDir(t), filepath.FromSlash(l.file))
		if _, ok := texts[file]; !ok {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[file], replace[file] = string(text), filepath.Join(dir, fmt.Sprint(i, ".go"))
		}
		if strings.Count(texts[file], l.old) != 1 {
			t.Fatalf("%s does not have %q once", l.file, l.old)
		}
		texts[file] = strings.Replace(texts[file], l.old, l.with, 1)
	}
	for file, text := range texts {
		write(t, replace[file], []byte(text))
	}
	return replace
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// operate runs a program's operations, all groups at once.
func operate(t *testing.T, p program) run {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der := x509.MarshalPKCS1PrivateKey(key)
	outputs, errs := make([][]byte, len(groups)), make([]error, len(groups))
	var wg sync.WaitGroup
	for i, group := range groups {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "valgrind", "--tool=memcheck", "-q", "--error-limit=no", "--num-callers=40", "--leak-check=no", p.path, group)
			cmd.Env = append(os.Environ(),
				// Fewer signals, which valgrind delivers slowly; and no RDTSCP, which it announces
				// on machines where it does not know the instruction.
				"GODEBUG=asyncpreemptoff=1,cpu.rdtscp=off")
			cmd.Stdin = bytes.NewReader(der)
			outputs[i], errs[i] = cmd.CombinedOutput()
		})
	}
	wg.Wait()
	r := run{counts: map[string]int{}}
	symbols := openSymbols(t, p)
	for i, out := range outputs {
		if errs[i] != nil || !r.read(t, string(out), symbols) {
			t.Fatalf("%s: %v\n%s", groups[i], errs[i], tail(out))
		}
	}
	return r
}

func tail(b []byte) []byte { return b[max(0, len(b)-4000):] }

// What the output consists of: lines of the program, and of valgrind.
var (
	beginLine = regexp.MustCompile(`^begin (.*)`)
	endLine   = regexp.MustCompile(`^end (\d+)`)
	whatLine  = regexp.MustCompile(`^==\d+== (Conditional jump|Use of|Syscall param|Invalid|Process terminating)(.*)`)
	frameLine = regexp.MustCompile(`^==\d+==    (?:at|by) 0x([0-9A-F]+): `)
)

// read reads the output of one group, and reports whether that is whole.
func (r *run) read(t *testing.T, out string, symbols *symbols) (whole bool) {
	t.Helper()
	operation, open := "", false
	for line := range strings.Lines(out) {
		last := len(r.reports) - 1
		if m := beginLine.FindStringSubmatch(line); m != nil {
			operation, open, whole = strings.TrimSpace(m[1]), true, false
		} else if m := endLine.FindStringSubmatch(line); m != nil && open {
			r.counts[operation], _ = strconv.Atoi(m[1])
			open, whole = false, true
		} else if m := whatLine.FindStringSubmatch(line); m != nil {
			r.reports = append(r.reports, report{operation: operation, what: m[1] + strings.TrimRight(m[2], "\n")})
		} else if m := frameLine.FindStringSubmatch(line); m != nil && last >= 0 {
			pc, err := strconv.ParseUint(m[1], 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			r.reports[last].stack = append(r.reports[last].stack, symbols.at(pc)...)
		}
	}
	return whole
}

// culprit is the innermost frame that is not the standard library's: it has
// handed over the secret, if it is not where the branch is itself.
func (r report) culprit() frame {
	i := slices.IndexFunc(r.stack, func(f frame) bool { return !f.std })
	if i < 0 {
		return frame{}
	}
	return r.stack[i]
}

// at is the function with the branch, empty if that is the culprit.
func (r report) at() string {
	if len(r.stack) == 0 || !r.stack[0].std {
		return ""
	}
	return r.stack[0].function
}

func (r report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", r.operation, r.what)
	for _, f := range r.stack {
		fmt.Fprintf(&b, "\n\t%s\n\t\t%s:%d: %s", f.function, f.file, f.line, f.text)
		if strings.HasPrefix(f.function, "main.") {
			break
		}
	}
	return b.String()
}

func moduleDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if _, statErr := os.Stat(filepath.Join(dir, "go.mod")); errors.Join(err, statErr) != nil {
		t.Fatal(err, statErr)
	}
	return dir
}
