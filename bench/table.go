package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// writeText prints one table for each metric, at most 100 columns wide, and
// below the tables why a cell is empty. A cell that misses its target has a mark.
func (r *report) writeText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s/%s, %d processors", r.Go, r.OS, r.Arch, r.CPUs)
	if r.OpenSSL != "" {
		fmt.Fprintf(&b, ", %s", r.OpenSSL)
	}
	if r.CPU != "" {
		fmt.Fprintf(&b, ", %s", r.CPU)
	}
	if r.Quick {
		b.WriteString(", quick run: figures are rough")
	}
	b.WriteString("\n")
	fmt.Fprintf(&b, "vitrine's primitives use %s\n", cmp.Or(strings.Join(r.Instructions, ", "), "the standard library"))
	if r.LibSSL != nil {
		b.WriteString(r.LibSSL.String() + "\n")
	}
	if r.wasBusy() {
		fmt.Fprintf(&b, "The machine had other things to do (a load of %.1f): idle is not idle here, and figures vary.\n", r.Busy)
	}
	for _, m := range r.metrics() {
		better := "lower is better"
		if m.higher {
			better = "higher is better"
		}
		fmt.Fprintf(&b, "\n%s (%s)\n%s", m.title, better, head(r.Load))
		for _, f := range r.Results {
			if f.Metric == m.name {
				b.WriteString(strings.TrimRight((&f).line(r.Load), " ") + "\n")
			}
		}
	}
	b.WriteString(r.notes())
	if r.Since != nil {
		r.Since.writeText(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// head names the columns: the contenders' figures and vitrine's ratios to the others, or
// with load vitrine's figure and the ratios in both states of the machine.
func head(load bool) string {
	if !load {
		return fmt.Sprintf("%-39s%8s %10s%8s%8s %7s  %s\n", "", vitrineName, stdName, opensslName, "÷ c/tls", "÷ OSSL", "target")
	}
	return fmt.Sprintf("%-39s%15s%14s%14s\n%-39s%8s%7s%7s%7s%7s%7s  target\n", "", vitrineName, "÷ c/tls", "÷ OSSL",
		"", idle, loaded, idle, loaded, idle, loaded)
}

// metrics are the distinct metrics of the results, in order of appearance.
func (r *report) metrics() (list []metric) {
	seen := map[string]bool{}
	for _, f := range r.Results {
		if !seen[f.Metric] {
			seen[f.Metric] = true
			list = append(list, f.measure)
		}
	}
	return list
}

func (f *figure) line(load bool) string {
	if !load {
		return fmt.Sprintf("%-39s%9s%10s%8s%8s%8s %s", f.Row, f.value(idle, vitrineName), strings.TrimSpace(f.value(idle, stdName)),
			strings.TrimSpace(f.value(idle, opensslName)), f.ratio(idle, stdName), f.ratio(idle, opensslName), f.target())
	}
	return fmt.Sprintf("%-39s%8s%7s%7s%7s%7s%7s %s", f.Row, f.value(idle, vitrineName), f.value(loaded, vitrineName),
		f.ratio(idle, stdName), f.ratio(loaded, stdName), f.ratio(idle, opensslName), f.ratio(loaded, opensslName), f.target())
}

// value and ratio are cells, which end with a mark, or the room for one.
func (f *figure) value(s state, name string) string {
	if o := f.in(s); o != nil && o.Values[name].Rounds > 0 {
		text := fmt.Sprintf("%.*f", f.measure.digits, o.Values[name].Median)
		if name == vitrineName {
			return text + f.mark(s, "value")
		}
		return text + " "
	}
	return "- "
}

func (f *figure) ratio(s state, name string) string {
	if o := f.in(s); o != nil && o.Ratios[name] > 0 {
		return fmt.Sprintf("%.2f", o.Ratios[name]) + f.mark(s, name)
	}
	return "- "
}

// mark shows a cell that misses its target.
func (f *figure) mark(s state, of string) string {
	for _, t := range f.Targets {
		if t.State == s && t.Of == of && !t.Met {
			return "!"
		}
	}
	return " "
}

// target is the last column: the verdict on all targets of the row, before it the bound
// that is missed, or else the first. A bound on a ratio says to which contender.
func (f *figure) target() string {
	t := f.Target
	if t == nil {
		return ""
	}
	sign, verdict := "≤", "missed"
	if f.measure.higher {
		sign = "≥"
	}
	if t.Met {
		verdict = "met"
	}
	switch t.Of {
	case stdName:
		return fmt.Sprintf("c/tls%s%.2f %s", sign, t.Limit, verdict)
	case opensslName:
		return fmt.Sprintf("OSSL%s%.2f %s", sign, t.Limit, verdict)
	}
	return fmt.Sprintf("%s%.*f %s", sign, f.measure.boundDigits(), t.Limit, verdict)
}

// boundDigits are those of a bound: a whole number, save for multiples.
func (m metric) boundDigits() int {
	if m.den == "one" && m.digits > 0 {
		return m.digits
	}
	return 0
}

// notes lists why contenders are absent, each reason once with its rows counted.
func (r *report) notes() string {
	count, order := map[string]int{}, []string{}
	for _, f := range r.Results {
		for _, name := range contenderNames {
			if why := f.Absent[name]; why != "" {
				note := name + ": " + why
				if count[note]++; count[note] == 1 {
					order = append(order, note)
				}
			}
		}
	}
	var b strings.Builder
	for _, note := range order {
		fmt.Fprintf(&b, "\n- (%d figures) %s", count[note], note)
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	return b.String()
}
