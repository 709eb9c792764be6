package scan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/cobra"
)

// asCommand is set in the environment of this test's binary where it shall be the command.
const asCommand = "VITRINE_TEST_SCAN"

func runAsCommand() {
	cmd := New()
	cmd.SilenceUsage = true
	if cmd.Execute() != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// counted is a listener that counts, and tells of the first.
type counted struct {
	net.Listener
	n     atomic.Int64
	first chan struct{}
}

func listen(t *testing.T) *counted {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &counted{Listener: l, first: make(chan struct{})}
}

func (l *counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil && l.n.Add(1) == 1 {
		close(l.first)
	}
	return c, err
}

// silent accepts connections, and says nothing until the test ends or hangUp is closed.
func (l *counted) silent(hangUp chan struct{}) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			<-hangUp
			c.Close()
		}()
	}
}

// A scan that a signal interrupts goes on where it stopped, also where the file of its state
// was cut off in the middle of a line.
func TestInterruptedScanGoesOn(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals to send")
	}
	one, two, slow := listen(t), listen(t), listen(t)
	serveOld(t, one)
	serveOld(t, two)
	hangUp := make(chan struct{})
	go slow.silent(hangUp)
	t.Cleanup(func() { slow.Close() })
	file := filepath.Join(t.TempDir(), "state")
	run := func() *exec.Cmd {
		cmd := exec.Command(os.Args[0], "--quick", "--json", "--servers", "1", "--timeout", "1m", "--resume", file, one.Addr().String(), two.Addr().String(), slow.Addr().String())
		cmd.Env = append(os.Environ(), asCommand+"=1")
		return cmd
	}
	interrupted := run()
	var said bytes.Buffer
	interrupted.Stderr = &said
	if err := interrupted.Start(); err != nil {
		t.Fatal(err)
	}
	<-slow.first // both others are done
	if err := interrupted.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := interrupted.Wait(); err == nil || !strings.Contains(said.String(), "interrupted: 2 of 3 targets are scanned") {
		t.Errorf("%v, %q", err, said.String())
	}
	close(hangUp)
	went := []int64{one.n.Load(), two.n.Load()}
	if again := reportsOf(t, run()); len(again.Reports) != 3 || len(again.Reports[0].Findings) == 0 {
		t.Errorf("%d reports", len(again.Reports))
	}
	if now := []int64{one.n.Load(), two.n.Load()}; !slices.Equal(now, went) {
		t.Errorf("what was scanned is scanned again: %d connections, then %d", went, now)
	}
	// The second report is cut off.
	b, err := os.ReadFile(file)
	lines := bytes.SplitAfter(b, []byte("\n"))
	if err != nil || len(lines) < 4 {
		t.Fatal(len(lines), err)
	}
	cut := bytes.Join([][]byte{lines[0], lines[1], lines[2][:len(lines[2])/2]}, nil)
	if err := os.WriteFile(file, cut, 0o600); err != nil {
		t.Fatal(err)
	}
	if again := reportsOf(t, run()); len(again.Reports) != 3 || len(again.Reports[1].Findings) == 0 {
		t.Errorf("%d reports", len(again.Reports))
	}
	if one.n.Load() != went[0] || two.n.Load() == went[1] {
		t.Errorf("with the second report cut off, there were %d connections, then %d and %d", went, one.n.Load(), two.n.Load())
	}
}

func reportsOf(t *testing.T, cmd *exec.Cmd) *Scans {
	t.Helper()
	var said bytes.Buffer
	cmd.Stderr = &said
	out, _ := cmd.Output() // it ends with 1, for there are findings
	s := &Scans{}
	if err := json.Unmarshal(out, s); err != nil {
		t.Fatalf("%v, %q, %q", err, out, said.String())
	}
	return s
}

// A file of --resume is taken up if it was begun with the same flags; what is none is left
// as it is.
func TestStates(t *testing.T) {
	head := func(args ...string) stateHead {
		o := &options{}
		cmd := &cobra.Command{}
		o.register(cmd)
		if err := cmd.ParseFlags(args); err != nil {
			t.Fatal(err)
		}
		h, err := o.head(cmd)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	first, _ := json.Marshal(head("--quick"))
	line, report := string(first)+"\n", `{"format":"vitrine-scan/1","target":"a:1","findings":[]}`+"\n"
	for name, c := range map[string]struct {
		file, left string // what is in the file, before and after
		args       []string
		wrong      string
		done       int
	}{
		"new":             {"", line, []string{"--quick"}, "", 0},
		"begun":           {line[:10], line, []string{"--quick"}, "", 0},
		"one report":      {line + report, line + report, []string{"--quick"}, "", 1},
		"other speed":     {line + report, line + report, []string{"--quick", "--rate", "3", "--servers", "2"}, "", 1},
		"cut off":         {line + report + report[:20], line + report, []string{"--quick"}, "", 1},
		"other flags":     {line + report, line + report, []string{"--quick", "--sni", "b"}, "another --sni", 0},
		"fewer flags":     {line + report, line + report, nil, "another --quick", 0},
		"no report":       {line + "{}\n" + report, line + "{}\n" + report, []string{"--quick"}, "line 2", 0},
		"list of targets": {"example.com\n", "example.com\n", []string{"--quick"}, "is not a file of --resume", 0},
		"no line":         {"example.com", "example.com", []string{"--quick"}, "is not a file of --resume", 0},
		"long":            {strings.Repeat("x", 2*maxHeadLine), strings.Repeat("x", 2*maxHeadLine), nil, "is not a file of --resume", 0},
	} {
		file := filepath.Join(t.TempDir(), "state")
		if err := os.WriteFile(file, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := openState(file, head(c.args...))
		if c.wrong == "" && (err != nil || len(s.done) != c.done) || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			s.close()
		}
		if left, err := os.ReadFile(file); err != nil || string(left) != c.left {
			t.Errorf("%s: the file is left as %q, %v", name, left, err)
		}
	}
	if h := head("--proxy", "http://me:secret@proxy:80"); strings.Contains(fmt.Sprint(h), "secret") {
		t.Errorf("the file would hold a password: %v", h)
	}
}
