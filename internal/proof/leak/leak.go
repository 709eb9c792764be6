// Package leak fails tests that leave goroutines behind. Every package with
// tests has a TestMain that calls Main, so that no test forgets to ask.
package leak

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// grace is how long goroutines may take to end once nobody needs them.
const grace = 2 * time.Second

// permanent are goroutines that are started once, on first use, and never end, or only
// after grace: a function in their stack, and why it is there.
var permanent = map[string]string{
	"os/signal.loop": "the first signal.Notify starts it",
	"github.com/caddyserver/certmagic.(*RingBufferRateLimiter).loop": "the first request to an ACME authority starts its rate limiter",
	"github.com/caddyserver/certmagic.keepLockfileFresh":             "it looks every five seconds whether its lock is still there",
}

// Main runs the tests of a package and exits with their code, or with 1 when
// all passed but goroutines are left that were not there before; their stacks
// go to standard error.
func Main(m *testing.M) { os.Exit(Tests{m}.Run()) }

// Tests are tests whose Run looks for goroutines that are left. It is for a
// TestMain that needs Run itself.
type Tests struct{ *testing.M }

// Run runs the tests and returns the code to exit with.
func (m Tests) Run() int {
	before := goroutines()
	code := m.M.Run()
	if code != 0 {
		return code // a test that fails half-way may well leave something
	}
	if left := wait(before); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "FAIL:", describe(left))
		return 1
	}
	return 0
}

// Check fails t if goroutines that start from here on are left when it ends.
// What is registered with t.Cleanup later is done first. It is not for tests
// that run in parallel with others, whose goroutines it would see.
func Check(t testing.TB) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		if left := wait(before); len(left) > 0 {
			t.Error(describe(left))
		}
	})
}

// wait gives goroutines that were not there before some time to end, and
// returns the stacks of those that did not.
func wait(before map[string]string) []string {
	for end, pause := time.Now().Add(grace), time.Millisecond; ; pause *= 2 {
		left := since(before)
		if len(left) == 0 || time.Now().After(end) {
			return left
		}
		time.Sleep(pause)
	}
}

// since returns the stacks of the goroutines that were not there before.
func since(before map[string]string) []string {
	var left []string
	for id, stack := range goroutines() {
		if _, old := before[id]; !old {
			left = append(left, stack)
		}
	}
	slices.Sort(left)
	return left
}

// goroutines returns the stack of every goroutine but the caller's own, by its
// number, which no other goroutine gets later.
func goroutines() map[string]string {
	buf := make([]byte, 1<<20)
	n := runtime.Stack(buf, true)
	for n == len(buf) {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	all := map[string]string{}
	for _, stack := range bytes.Split(bytes.TrimSpace(buf[:n]), []byte("\n\n"))[1:] { // the first is the caller's
		id, _, _ := strings.Cut(strings.TrimPrefix(string(stack), "goroutine "), " ")
		if !isPermanent(string(stack)) {
			all[id] = string(stack)
		}
	}
	return all
}

func isPermanent(stack string) bool {
	for f := range permanent {
		if strings.Contains(stack, "\n"+f+"(") {
			return true
		}
	}
	return false
}

func describe(stacks []string) string {
	return fmt.Sprintf("goroutines left: %d\n\n%s", len(stacks), strings.Join(stacks, "\n\n"))
}
