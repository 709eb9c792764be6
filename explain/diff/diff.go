package diff

import (
	"slices"

	"github.com/vitrine-tls/vitrine/explain"
)

// Format names the shape of the JSON. A field may be added under the same name; one that
// is removed or changes its meaning makes a new one.
const Format = "vitrine.diff/1"

// Difference is what two connections do not have in common.
type Difference struct {
	Format string `json:"format"`
	A      Side   `json:"a"`
	B      Side   `json:"b"`
	// Same is set where nothing differs but times.
	Same bool `json:"same"`
	// Entries are in the order of a connection: what came of it, offers, answers,
	// certificates, choices, messages.
	Entries []Entry `json:"entries"`
	// Timing never counts.
	Timing []Time `json:"timing"`
}

// Side says which connection is meant.
type Side struct {
	Target  string `json:"target,omitempty"`
	Side    string `json:"side"` // the one that was traced
	Version string `json:"version,omitempty"`
}

// Entry is one thing that differs: a value, or a list.
type Entry struct {
	// Where is the message, or a group of things like "outcome", and What the field.
	Where string `json:"where"`
	What  string `json:"what"`
	// A and B are all values, in order. One is empty where that side lacks it.
	A []string `json:"a"`
	B []string `json:"b"`
	// OnlyA and OnlyB are the values that the other lacks, of a list.
	OnlyA []string `json:"only_a,omitempty"`
	OnlyB []string `json:"only_b,omitempty"`
	// Order is set where those that both have stand in another order.
	Order bool `json:"order,omitempty"`
	// List is set where there may be several values.
	List bool `json:"list,omitempty"`
}

// Time is how long something took, or how much it was.
type Time struct {
	What string `json:"what"`
	Unit string `json:"unit"` // "us" or "bytes"
	A    int64  `json:"a"`
	B    int64  `json:"b"`
}

// Of compares two connections.
func Of(a, b *explain.Connection) *Difference {
	d := &Difference{Format: Format, A: sideOf(a), B: sideOf(b), Entries: []Entry{}, Timing: timing(a, b)}
	inA, inB := traitsOf(a), traitsOf(b)
	for _, k := range inA.merged(inB) {
		x, y := inA.values[k], inB.values[k]
		if slices.Equal(x, y) {
			continue
		}
		e := Entry{Where: k.where, What: k.what, A: orEmpty(x), B: orEmpty(y), List: k.list}
		if k.list {
			e.OnlyA, e.OnlyB = without(x, y), without(y, x)
			e.Order = !slices.Equal(without(x, e.OnlyA), without(y, e.OnlyB))
		}
		d.Entries = append(d.Entries, e)
	}
	first := map[string]int{}
	for i, e := range d.Entries {
		if _, there := first[e.Where]; !there {
			first[e.Where] = i
		}
	}
	slices.SortStableFunc(d.Entries, func(x, y Entry) int { return first[x.Where] - first[y.Where] })
	d.Same = len(d.Entries) == 0
	return d
}

// Equal reports that nothing differs but times.
func (d *Difference) Equal() bool { return d.Same }

func sideOf(c *explain.Connection) Side {
	return Side{Target: c.Target, Side: c.Side, Version: c.Summary.Version}
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// without returns what of list is not in other, each as often as it is there more.
func without(list, other []string) (rest []string) {
	left := map[string]int{}
	for _, v := range other {
		left[v]++
	}
	for _, v := range list {
		if left[v]--; left[v] < 0 {
			rest = append(rest, v)
		}
	}
	return rest
}

// timing is what took time, and how much went over the wire.
func timing(a, b *explain.Connection) []Time {
	times := []Time{{"handshake", "us", a.Summary.HandshakeUS, b.Summary.HandshakeUS}, {"connection", "us", lasted(a), lasted(b)}}
	for _, side := range []string{"client", "server"} {
		times = append(times, Time{"sent by the " + side, "bytes", sent(a, side), sent(b, side)})
	}
	return times
}

func lasted(c *explain.Connection) int64 {
	if len(c.Events) == 0 {
		return 0
	}
	return c.Events[len(c.Events)-1].AtUS
}

func sent(c *explain.Connection, side string) (n int64) {
	for _, f := range c.Flights {
		if f.From == side {
			n += int64(f.Bytes)
		}
	}
	return n
}
