package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// smallest is the least change that is taken for one, as a part of the figure: two runs
// of the same program differ by so much for where the system has put its memory.
const smallest = 0.02

// changes are what differs between two reports.
type changes struct {
	File          string   `json:"file"` // the earlier report
	Circumstances []string `json:"circumstances,omitempty"`
	Figures       []change `json:"figures"`
	Gone          []string `json:"gone,omitempty"`  // rows that only the earlier report has
	Added         []string `json:"added,omitempty"` // rows that only the later one has
}

// A change is one of vitrine's figures, in one state of the machine, before and now.
type change struct {
	Row    string  `json:"row"`
	Metric string  `json:"metric"`
	State  state   `json:"state"`
	Before float64 `json:"before"`
	Now    float64 `json:"now"`
	Ratio  float64 `json:"ratio"` // now divided by before
	// Beside is the same of the ratio to the contender Of, which the machine's own pace
	// does not change. It is 0, and Of is empty, where none is a measure.
	Beside float64 `json:"beside,omitempty"`
	Of     string  `json:"of,omitempty"`
	// Low and High bound Beside, or else Ratio, by the noise of the rounds.
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Verdict string  `json:"verdict"` // better, worse, or unchanged
	measure metric
}

// legend explains the columns of the table.
const legend = `
÷ before  the figure of now divided by the one before
beside    the same of its ratio to crypto/tls (c) or OpenSSL (O), where that was the same in both
          runs; so a machine that was slower in one of them does not count
noise     by how much that may be off, as the rounds tell`

const unchanged = "no change seen"

// since compares r with an earlier report.
func (r *report) since(old *report, file string) *changes {
	c := &changes{File: file, Circumstances: r.circumstances(old)}
	before := map[[2]string]*figure{}
	for i := range old.Results {
		f := &old.Results[i]
		before[[2]string{f.Row, f.Metric}] = f
	}
	peers := r.steady(old)
	for i := range r.Results {
		now := &r.Results[i]
		was := before[[2]string{now.Row, now.Metric}]
		delete(before, [2]string{now.Row, now.Metric})
		if was == nil {
			c.Added = append(c.Added, now.Row)
			continue
		}
		for _, s := range []state{idle, loaded} {
			if one, ok := compareFigure(was, now, s, peers); ok {
				c.Figures = append(c.Figures, one)
			}
		}
	}
	for key := range before {
		c.Gone = append(c.Gone, key[0])
	}
	slices.Sort(c.Gone)
	c.Gone, c.Added = slices.Compact(c.Gone), slices.Compact(c.Added)
	return c
}

// steady are the contenders that were the same in both runs, and so measure the machine.
func (r *report) steady(old *report) (names []string) {
	if r.Go == old.Go {
		names = append(names, stdName)
	}
	if r.OpenSSL == old.OpenSSL && r.OpenSSL != "" {
		names = append(names, opensslName)
	}
	return names
}

// circumstances are what else was different.
func (r *report) circumstances(old *report) (list []string) {
	for _, c := range []struct{ what, before, now string }{
		{"Go", old.Go, r.Go},
		{"OpenSSL", old.OpenSSL, r.OpenSSL},
		{"system", old.OS + "/" + old.Arch, r.OS + "/" + r.Arch},
		{"processors", fmt.Sprint(old.CPUs, " ", old.CPU), fmt.Sprint(r.CPUs, " ", r.CPU)},
		{"instructions", strings.Join(old.Instructions, ", "), strings.Join(r.Instructions, ", ")},
		{"quick run", fmt.Sprint(old.Quick), fmt.Sprint(r.Quick)},
	} {
		if c.before != c.now {
			list = append(list, fmt.Sprintf("%s: %s before, %s now", c.what, cmp.Or(c.before, "none"), cmp.Or(c.now, "none")))
		}
	}
	for what, one := range map[string]*report{"then": old, "now": r} {
		if one.wasBusy() {
			list = append(list, fmt.Sprintf("other programs ran %s: a load of %.1f", what, one.Busy))
		}
	}
	slices.Sort(list)
	return list
}

// compareFigure compares vitrine's figure in one state, if both runs have it there.
func compareFigure(before, now *figure, s state, peers []string) (change, bool) {
	was, is := before.in(s), now.in(s)
	if was == nil || is == nil || was.Values[vitrineName].Median <= 0 || is.Values[vitrineName].Median <= 0 {
		return change{}, false
	}
	c := change{Row: now.Row, Metric: now.Metric, State: s, measure: now.measure,
		Before: was.Values[vitrineName].Median, Now: is.Values[vitrineName].Median}
	c.Ratio = c.Now / c.Before
	moved := c.Ratio
	c.Low, c.High = bounds(was.Values[vitrineName].interval(), is.Values[vitrineName].interval())
	for _, name := range peers {
		old, new := was.against(name), is.against(name)
		if now.measure.timed() && len(old.Samples) > 0 && len(new.Samples) > 0 {
			c.Of, c.Beside = name, new.Median/old.Median
			moved = c.Beside
			c.Low, c.High = bounds(old.interval(), new.interval())
			break
		}
	}
	c.Verdict = verdict(moved, c.Low, c.High, now.Better == "higher")
	return c, true
}

// timed says that the figure depends on the pace of the machine.
func (m metric) timed() bool {
	return slices.ContainsFunc([]string{m.num, m.den}, func(s string) bool { return s == "cpu_ns" || s == "wall_ns" })
}

// against are vitrine's ratios to another contender, round by round.
func (o *outcome) against(name string) summary {
	list := ratios(o.Values[vitrineName].Samples, o.Values[name].Samples)
	if len(list) == 0 {
		return summary{}
	}
	return summarise(list)
}

// An interval is where a median lies with a certainty of 95 %, as far as the rounds tell.
type interval struct{ low, median, high float64 }

// interval is bounded by the values of two ranks, whatever the values' distribution: by
// the smallest and largest where there are few, or a report that is old has only these.
func (s summary) interval() interval {
	i := interval{s.Min, s.Median, s.Max}
	if n := len(s.Samples); n > 0 {
		sorted, rank := slices.Sorted(slices.Values(s.Samples)), outer(n)
		i.low, i.high = sorted[rank], sorted[n-1-rank]
	}
	return i
}

// outer is how many of n values may be left out at either end, so that the median of
// what they are drawn from lies among the others with a probability of 95 %. As many of
// them are below it as heads are thrown with n coins.
func outer(n int) int {
	ways, sum := 1.0, 0.0 // to have rank heads, and at most so many
	for rank := range n / 2 {
		if sum += ways; sum/math.Exp2(float64(n)) > 0.025 {
			return max(0, rank-1)
		}
		ways *= float64(n-rank) / float64(rank+1)
	}
	return 0
}

// bounds are those of the quotient of two medians: by how much each may be off counts as
// the legs of a triangle, since it is unlikely that both are off by most.
func bounds(before, now interval) (low, high float64) {
	change := math.Log(now.median / before.median)
	low = change - math.Hypot(math.Log(now.median/now.low), math.Log(before.high/before.median))
	high = change + math.Hypot(math.Log(now.high/now.median), math.Log(before.median/before.low))
	return math.Exp(low), math.Exp(high)
}

// verdict is on a quotient within its bounds.
func verdict(moved, low, high float64, higher bool) string {
	switch {
	case low <= 1 && high >= 1 || math.Abs(moved-1) < smallest:
		return unchanged
	case moved > 1 == higher:
		return "better"
	}
	return "worse"
}

// writeText prints a table for each metric, at most 100 columns wide.
func (c *changes) writeText(b *strings.Builder) {
	fmt.Fprintf(b, "\nWhat has changed since %s\n", c.File)
	for _, line := range c.Circumstances {
		fmt.Fprintf(b, "  %s\n", line)
	}
	fmt.Fprintf(b, "%s\n", legend)
	var metrics []string
	for _, f := range c.Figures {
		if !slices.Contains(metrics, f.Metric) {
			metrics = append(metrics, f.Metric)
		}
	}
	for _, name := range metrics {
		title := true
		for _, f := range c.Figures {
			if f.Metric != name {
				continue
			}
			if title {
				fmt.Fprintf(b, "\n%s\n%-39s%9s%9s%9s%9s %7s  %s\n", f.measure.title, "", "before", "now", "÷ before", "beside", "noise", "verdict")
				title = false
			}
			b.WriteString(f.line() + "\n")
		}
	}
	for _, group := range []struct {
		title string
		rows  []string
	}{{"New rows", c.Added}, {"Rows of the earlier report alone", c.Gone}} {
		if len(group.rows) > 0 {
			fmt.Fprintf(b, "\n%s:\n  %s\n", group.title, strings.Join(group.rows, "\n  "))
		}
	}
}

func (c *change) line() string {
	beside, moved, name := "-  ", c.Ratio, c.Row
	if c.Of != "" {
		moved = c.Beside
		beside = fmt.Sprintf("%.2f %s", c.Beside, map[string]string{stdName: "c", opensslName: "O"}[c.Of])
	}
	if c.State == loaded {
		name = "  loaded"
	}
	noise := 100 * max(c.High/moved-1, 1-c.Low/moved)
	return fmt.Sprintf("%-39s%9.*f%9.*f%9.2f%9s%6.1f %%  %s", name, c.measure.digits, c.Before, c.measure.digits, c.Now, c.Ratio, beside, noise, c.Verdict)
}
