package main

import (
	"slices"
	"testing"
	"time"
)

// The child's loops run when they are told to, on every processor, and rest when they are told to.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	if err := writeKeys(dir); err != nil {
		t.Fatal(err)
	}
	l, err := newLoad(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.stop()
	for _, s := range []state{loaded, loaded, idle, loaded} {
		if err := l.set(s); err != nil || l.now != s {
			t.Fatalf("%v: %v, %v", s, l.now, err)
		}
	}
	spin("", "", parseJob("spin on=1"))
	before := cpuTime()
	for end := time.Now().Add(5 * time.Second); cpuTime()-before < 30*time.Millisecond; {
		if time.Now().After(end) {
			t.Fatalf("the loops took %v of processor time", cpuTime()-before)
		}
		time.Sleep(50 * time.Millisecond) // which takes none
	}
	if spin("", "", parseJob("spin")); spinning.on.Load() {
		t.Error("the loops have not ended")
	}
}

// Both states are measured where a busy machine changes the cost, and nothing is twice without --load.
func TestStates(t *testing.T) {
	both := []state{idle, loaded}
	for kind, want := range map[string][]state{"handshake": both, "bulk": both, "certificates": both[:1], "memory": both[:1]} {
		if got := (&bench{load: &load{}}).states(row{kind: kind}); !slices.Equal(got, want) {
			t.Errorf("%s: %v", kind, got)
		}
		if got := (&bench{}).states(row{kind: kind}); !slices.Equal(got, both[:1]) {
			t.Errorf("%s without load: %v", kind, got)
		}
	}
	for _, r := range []row{{kind: "bulk", slow: true}, {kind: "handshake", still: true}} {
		if got := (&bench{load: &load{}}).states(r); !slices.Equal(got, both[:1]) {
			t.Errorf("%+v: %v", r, got)
		}
	}
}

// Each round has a turn in each state, and the first of either warms up.
func TestRoundsInBothStates(t *testing.T) {
	dir := t.TempDir()
	if err := writeKeys(dir); err != nil {
		t.Fatal(err)
	}
	b, _, err := newBench(dir, &options{load: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.load.stop()
	b.size = size{rounds: 2, ms: 1}
	res := b.measure(handshake("x", "tickets=none"+ecdsa13))
	for _, s := range []state{idle, loaded} {
		if n := len(res.samples[s][vitrineName]); n != 2 {
			t.Errorf("%v: %d rounds, %v", s, n, res.errs)
		}
	}
}
