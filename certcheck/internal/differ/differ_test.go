package differ

import (
	"cmp"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

var (
	chains = flag.Int("chains", 2500, "how many chains are judged")
	show   = flag.Bool("show", false, "write the table of disagreements as it is")
)

// wholeNumber of chains have every kind of disagreement; fewer have most.
const wholeNumber = 25_000

// specimens are the first n chains: every deviation alone, and then pairs of two. They are
// the same in each run, and which pairs they are hardly depends on what other deviations
// there are: a hash of the names puts them in order.
func specimens(n int) (all []sample) {
	for i := range deviations {
		all = append(all, sample{i, -1})
	}
	type pair struct {
		sample
		order uint64
	}
	var pairs []pair
	for i := range deviations {
		for j := range deviations {
			if s := (sample{i, j}); i != j {
				h := fnv.New64a()
				io.WriteString(h, s.String())
				pairs = append(pairs, pair{s, h.Sum64()})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.order, b.order) })
	for _, p := range pairs[:max(0, n-len(all))] {
		all = append(all, p.sample)
	}
	return all
}

// sample is a chain by its deviations; second is -1 where there is one alone.
type sample struct{ first, second int }

func (s sample) all() []deviation {
	if s.second < 0 {
		return deviations[s.first : s.first+1]
	}
	return []deviation{deviations[s.first], deviations[s.second]}
}

func (s sample) String() string {
	var names []string
	for _, d := range s.all() {
		names = append(names, d.name)
	}
	return strings.Join(names, " + ")
}

func (s sample) make() *handover {
	c := newSpecimen()
	for _, d := range s.all() {
		d.do(c)
	}
	return c.make()
}

// judgement is all that was said of one chain.
type judgement struct {
	sample
	ours   verdict   // by the default profile
	theirs []verdict // by peer
}

// judged has everybody judge so many chains, once.
func judged(t *testing.T) []judgement {
	t.Helper()
	all := specimens(*chains)
	results := make([]judgement, len(all))
	made := make([]*handover, len(all))
	var wait sync.WaitGroup
	const workers = 4
	for w := range workers {
		wait.Go(func() {
			for i := w; i < len(all); i += workers {
				made[i] = all[i].make()
				results[i].sample = all[i]
				results[i].ours = ours(made[i], inter)
			}
		})
	}
	wait.Wait()
	for _, p := range peers {
		for i, v := range p.judge(t, made) {
			results[i].theirs = append(results[i].theirs, v)
		}
	}
	return results
}

// Every deviation alone is refused from the profile on that its source says.
func TestDeviations(t *testing.T) {
	for _, d := range deviations {
		s := newSpecimen()
		d.do(s)
		h := s.make()
		for profile := inter; profile < never; profile++ {
			if got := ours(h, profile); (got == accepted) != (profile < d.from) {
				t.Errorf("%s under %v: %s", d.name, profile, got)
			}
		}
	}
}

// What a profile accepts, every laxer one does.
func TestProfilesAreNested(t *testing.T) {
	for _, s := range specimens(len(deviations)) {
		h := s.make()
		if ours(h, web) == accepted && ours(h, inter) != accepted {
			t.Errorf("%v: accepted by the stricter profile alone", s)
		}
	}
}

// kind is a kind of disagreement: who it is with, which of the two refuses, and why.
type kind struct {
	peer    string
	refuses string // "we" or the peer
	why     verdict
}

func (k kind) String() string { return fmt.Sprintf("| %s | %s | %s |", k.peer, k.refuses, k.why) }

// disagreements finds them under the default profile.
func disagreements(all []judgement) map[kind][]sample {
	found := map[kind][]sample{}
	for _, j := range all {
		mine := j.ours
		for i, theirs := range j.theirs {
			switch {
			case mine == accepted && theirs != accepted:
				k := kind{peers[i].name, "it", theirs}
				found[k] = append(found[k], j.sample)
			case mine != accepted && theirs == accepted:
				k := kind{peers[i].name, "we", mine}
				found[k] = append(found[k], j.sample)
			}
		}
	}
	return found
}

const conformance = "../../../docs/conformance.md"

// tableIn returns the cells of the table that stands between the marks of a name.
func tableIn(t *testing.T, text, name string, columns int) (rows [][]string) {
	t.Helper()
	_, rest, ok := strings.Cut(text, "<!-- "+name+": begin -->\n")
	table, _, closed := strings.Cut(rest, "<!-- "+name+": end -->")
	if !ok || !closed {
		t.Fatalf("%s has no table %q", conformance, name)
	}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != columns {
			t.Fatalf("a row of %q has %d cells: %s", name, len(cells), line)
		}
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		rows = append(rows, cells)
	}
	return rows[2:] // below the headings
}

// rowsOf reads the explanations. Where we refuse, one row is for all peers that accept.
func rowsOf(t *testing.T) map[kind]string {
	t.Helper()
	text, err := os.ReadFile(conformance)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[kind]string{}
	add := func(k kind, because string) {
		if rows[k] != "" || because == "" {
			t.Errorf("the row %v stands twice, or says nothing", k)
		}
		rows[k] = because
	}
	for _, row := range tableIn(t, string(text), "we refuse", 3) {
		for name := range strings.SplitSeq(row[1], ", ") {
			add(kind{name, "we", verdict(row[0])}, row[2])
		}
	}
	for _, row := range tableIn(t, string(text), "a peer refuses", 3) {
		add(kind{row[0], "it", verdict(row[1])}, row[2])
	}
	return rows
}

// Every kind of disagreement is explained, and every explanation is needed.
func TestDisagreements(t *testing.T) {
	all := judged(t)
	found := disagreements(all)
	rows := rowsOf(t)
	total := 0
	for k, samples := range found {
		total += len(samples)
		if rows[k] == "" {
			t.Errorf("a disagreement without a row: %v, %d times, as in %v", k, len(samples), samples[0])
		}
	}
	for k := range rows {
		if found[k] == nil && *chains >= wholeNumber {
			t.Errorf("a row that never occurs: %v", k)
		}
	}
	t.Logf("%d chains of %d deviations: %d disagreements of %d kinds", len(all), len(deviations), total, len(found))
	if *show {
		for _, k := range slices.SortedFunc(maps.Keys(found), func(a, b kind) int { return strings.Compare(a.String(), b.String()) }) {
			names := map[string]bool{}
			for _, s := range found[k] {
				if s.second < 0 {
					names[s.String()] = true
				}
			}
			t.Logf("SHOW %v %d; alone: %s; %v", k, len(found[k]), strings.Join(slices.Sorted(maps.Keys(names)), ", "), found[k][len(found[k])-1])
		}
	}
}
