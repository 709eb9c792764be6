package main

import (
	"fmt"
	"io"
	"strings"
)

// writeText prints one table for each metric, at most 100 columns wide, and
// below the tables why a cell is empty.
func (r *report) writeText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s/%s, %d processors", r.Go, r.OS, r.Arch, r.CPUs)
	if r.OpenSSL != "" {
		fmt.Fprintf(&b, ", %s", r.OpenSSL)
	}
	if r.Quick {
		b.WriteString(", quick run: figures are rough")
	}
	b.WriteString("\n")
	if r.LibSSL != nil {
		b.WriteString(r.LibSSL.String() + "\n")
	}
	for _, m := range r.metrics() {
		better := "lower is better"
		if m.higher {
			better = "higher is better"
		}
		fmt.Fprintf(&b, "\n%s (%s)\n", m.title, better)
		fmt.Fprintf(&b, "%-39s%9s%11s%9s%8s%9s  %s\n", "", vitrineName, stdName, opensslName, "÷ c/tls", "÷ OSSL", "target")
		for _, f := range r.Results {
			if f.Metric == m.name {
				b.WriteString(strings.TrimRight(f.line(), " ") + "\n")
			}
		}
	}
	b.WriteString(r.notes())
	_, err := io.WriteString(w, b.String())
	return err
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

func (f figure) line() string {
	value := func(name string) string {
		if s, ok := f.Values[name]; ok {
			return fmt.Sprintf("%.*f", f.measure.digits, s.Median)
		}
		return "-"
	}
	ratio := func(name string) string {
		if x, ok := f.Ratios[name]; ok {
			return fmt.Sprintf("%.2f", x)
		}
		return "-"
	}
	return fmt.Sprintf("%-39s%9s%11s%9s%8s%9s  %s", f.Row, value(vitrineName), value(stdName), value(opensslName),
		ratio(stdName), ratio(opensslName), f.target())
}

// target is the last column: the bound, on a ratio where it has decimals and on
// vitrine's figure where it has none, and the verdict. The ratio is that to
// crypto/tls, or to OpenSSL in the rows that crypto/tls has no figure for.
func (f figure) target() string {
	if f.Target == nil {
		return ""
	}
	sign, verdict := "<=", "missed"
	if f.measure.higher {
		sign = ">="
	}
	if f.Target.Met {
		verdict = "met"
	}
	bound := fmt.Sprintf("%.0f", f.Target.Limit)
	if f.measure.goal.of != "" {
		bound = fmt.Sprintf("%.2f", f.Target.Limit)
	}
	return sign + bound + " " + verdict
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
