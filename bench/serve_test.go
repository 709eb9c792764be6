package main

import (
	"maps"
	"runtime"
	"strings"
	"testing"
)

// servedBy makes a pair of workers do the jobs serve and drive with the same settings.
func servedBy(t *testing.T, server, client stack, settings string) (served, driven figures) {
	t.Helper()
	dir := t.TempDir()
	if err := writeKeys(dir); err != nil {
		t.Fatal(err)
	}
	k, err := readKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	ports, done := make(chan string, 1), make(chan figures, 1)
	go func() {
		w := &worker{stack: server, keys: k, announce: func(line string) { ports <- strings.TrimPrefix(line, "port ") }}
		f, err := w.work(parseJob("serve role=server" + settings))
		if err != nil {
			t.Error(err)
		}
		done <- f
	}()
	driven, err = (&worker{stack: client, keys: k}).work(parseJob("drive role=client port=" + <-ports + settings))
	if err != nil {
		t.Error(err)
	}
	return <-done, driven
}

// Both ends count the same handshakes, those after the two batches that warm up, whatever
// stack is on either side.
func TestBothEndsCount(t *testing.T) {
	for server := range maps.Values(goStacks) {
		for client := range maps.Values(goStacks) {
			served, driven := servedBy(t, server, client, " batch=3 ms=1 tickets=none mutual=1"+ecdsa13)
			if n := driven["n"]; n == 0 || n != served["n"] || int(n)%3 != 0 || driven["cpu_ns"] <= 0 {
				t.Errorf("the server counts %v, the client %v", served, driven)
			}
		}
	}
}

// Two processors are compared with one, in the same process, and the setting is put back.
func TestScaling(t *testing.T) {
	dir := t.TempDir()
	if err := writeKeys(dir); err != nil {
		t.Fatal(err)
	}
	k, err := readKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.GOMAXPROCS(0)
	f, err := (&worker{stack: vitrine, keys: k}).work(parseJob("scaling ms=1 tickets=use" + ecdsa12))
	if runtime.NumCPU() < 2 {
		t.Skip("one processor: " + err.Error())
	}
	if err != nil || f["one"] != 1 || f["gain"] <= 0 || f["cost"] <= 0 {
		t.Errorf("%v, %v", f, err)
	}
	if after := runtime.GOMAXPROCS(0); after != before {
		t.Errorf("GOMAXPROCS was %d, is %d", before, after)
	}
}
