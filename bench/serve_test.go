package main

import (
	"maps"
	"net"
	"runtime"
	"strings"
	"sync"
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
		if err == nil {
			t.Fatal("there is a gain from a second processor where there is none")
		}
		t.Skip("one processor: " + err.Error())
	}
	if err != nil || f["one"] != 1 || f["gain"] <= 0 || f["cost"] <= 0 {
		t.Errorf("%v, %v", f, err)
	}
	if after := runtime.GOMAXPROCS(0); after != before {
		t.Errorf("GOMAXPROCS was %d, is %d", before, after)
	}
}

// Members of a crew that works in turn do so one after the other; of another they meet.
func TestInTurn(t *testing.T) {
	for _, inTurn := range []bool{true, false} {
		const n = 4
		var mu sync.Mutex
		active, most := 0, 0
		met := make(chan struct{})
		w := newCrew(n, func(int, net.Conn) error {
			mu.Lock()
			if active++; active == n {
				close(met)
			}
			most = max(most, active)
			mu.Unlock()
			if !inTurn {
				<-met // all are at work
			}
			runtime.Gosched()
			mu.Lock()
			defer mu.Unlock()
			active--
			return nil
		})
		w.inTurn = inTurn
		w.begin()
		w.close()
		if want := map[bool]int{true: 1, false: n}[inTurn]; most != want {
			t.Errorf("in turn %v: %d at work at once, want %d", inTurn, most, want)
		}
	}
}
