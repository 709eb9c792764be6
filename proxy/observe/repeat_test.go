package observe

import (
	"fmt"
	"net"
	"testing"
	"time"
)

// What comes again is counted, and told once a window; what stops is forgotten.
func TestRepeats(t *testing.T) {
	var r repeats
	at := time.Unix(1000, 0)
	if !r.first(at, "a", "n") || r.first(at, "a", "n") || !r.first(at, "b", "n") || !r.first(at, "a", "m") {
		t.Error("what is new is not told from what is not")
	}
	if found := r.due(at.Add(window-1), false); len(found) != 0 {
		t.Errorf("early: %v", found)
	}
	if found := r.due(at.Add(window), false); len(found) != 1 || found[0] != (more{repeated{"a", "n"}, 1}) {
		t.Errorf("%v", found)
	}
	if r.first(at.Add(window+1), "a", "n") || !r.first(at.Add(window+1), "b", "n") {
		t.Error("what goes on is told again, or what stopped is not")
	}
	if found := r.due(at.Add(2*window), true); len(found) != 1 || found[0].count != 1 {
		t.Errorf("%v", found)
	}
	r.due(at.Add(4*window), false)
	if len(r.seen) != 0 || r.causes != 0 {
		t.Errorf("%d stay, %d causes", len(r.seen), r.causes)
	}
}

// A flood from everywhere takes no more room than there is, and says no more lines.
func TestRepeatsAreBounded(t *testing.T) {
	var r repeats
	at, said := time.Unix(1000, 0), 0
	for i := range 100000 {
		if r.first(at, fmt.Sprint(i%1000), fmt.Sprint(i)) {
			said++
		}
	}
	if most := mostRemembered + mostCauses + 1; len(r.seen) > most || said > most {
		t.Errorf("%d are remembered, %d said", len(r.seen), said)
	}
	counted := said
	for _, m := range r.due(at, true) {
		counted += m.count
	}
	if counted != 100000 {
		t.Errorf("%d are accounted for", counted)
	}
	r.due(at, true)
	if len(r.seen) != 0 || r.causes != 0 {
		t.Errorf("%d stay, %d causes", len(r.seen), r.causes)
	}
}

func TestNetworks(t *testing.T) {
	for _, c := range []struct {
		peer net.Addr
		want string
	}{
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 1}, "192.0.2.7"},
		{&net.TCPAddr{IP: net.ParseIP("2001:db8:1:2:3:4:5:6"), Port: 1, Zone: "eth0"}, "2001:db8:1:2::/64"},
		{&net.UDPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 1}, "192.0.2.7"},
		{&net.UnixAddr{Name: "@", Net: "unix"}, "unix"},
		{nil, "unknown"},
	} {
		if got := networkOf(c.peer); got != c.want {
			t.Errorf("%v is of %q, want %q", c.peer, got, c.want)
		}
	}
}
