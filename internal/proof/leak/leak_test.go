package leak

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

// onPurpose makes TestOnPurpose, in a process of its own, leak or fail.
const onPurpose = "VITRINE_LEAK_ON_PURPOSE"

func lingers(end <-chan struct{}) { <-end }

func TestOnPurpose(t *testing.T) {
	switch os.Getenv(onPurpose) {
	case "leak":
		go lingers(nil)
	case "fail":
		go lingers(nil)
		t.Error("for another reason")
	case "check":
		Check(t)
		go lingers(nil)
	}
}

// What a test leaves is reported with its stack, and the process fails.
func TestMainReports(t *testing.T) {
	const heading = "goroutines left: 1"
	for _, c := range []struct {
		how     string
		fails   bool
		says    string
		reports bool
	}{
		{how: "nothing", says: "PASS"},
		{"leak", true, "leak.lingers", true},
		{"check", true, "--- FAIL: TestOnPurpose", true},
		{"fail", true, "for another reason", false},
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestOnPurpose$")
		cmd.Env = append(os.Environ(), onPurpose+"="+c.how)
		out, err := cmd.CombinedOutput()
		if _, exited := err.(*exec.ExitError); c.fails != exited {
			t.Errorf("%s: %v", c.how, err)
		}
		if !strings.Contains(string(out), c.says) || strings.Contains(string(out), heading) != c.reports {
			t.Errorf("%s: the report is\n%s", c.how, out)
		}
	}
}

// A goroutine that is about to end is waited for; one that was there before,
// and those that never end, count for nothing.
func TestOnlyNewGoroutinesCount(t *testing.T) {
	end := make(chan struct{})
	empty := goroutines()
	go lingers(end)
	if left := since(empty); len(left) != 1 || !strings.Contains(left[0], "TestOnlyNewGoroutinesCount") {
		t.Errorf("with a new goroutine: %q", left)
	}
	if left := since(goroutines()); len(left) != 0 {
		t.Errorf("with a goroutine that was there before: %q", left)
	}
	close(end)
	if left := wait(empty); len(left) != 0 {
		t.Errorf("with a goroutine that ends: %q", left)
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	signal.Stop(c)
	if left := wait(empty); len(left) != 0 {
		t.Errorf("with the goroutine of os/signal: %q", left)
	}
}

// More goroutines than the first buffer has room for are all seen.
func TestManyGoroutines(t *testing.T) {
	const many = 5000
	before, end := goroutines(), make(chan struct{})
	for range many {
		go lingers(end)
	}
	if n := len(since(before)); n != many {
		t.Error(fmt.Sprint(n, " of ", many, " goroutines seen"))
	}
	close(end)
	if left := wait(before); len(left) != 0 {
		t.Errorf("%d never ended", len(left))
	}
}
