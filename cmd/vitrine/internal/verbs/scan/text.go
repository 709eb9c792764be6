package scan

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/text"
	"github.com/vitrine-tls/vitrine/scan"
)

// write writes what was found for people to read.
func (s *Scans) write(out io.Writer, in io.Reader) error {
	var b bytes.Buffer
	w := &writer{&b, terminal.PaletteFor(out)}
	order := s.order()
	if len(order) > 1 {
		w.summary(s, order)
	}
	for n, i := range order {
		if n > 0 || len(order) > 1 {
			fmt.Fprintln(&b)
		}
		r := s.Reports[i]
		w.report(r, s.verdicts(i)...)
		if r.Failure != "" && s.again != nil {
			fmt.Fprintf(w, "  find out    %s\n", terminal.Printable(s.again(i))) // in one line, to be copied
		}
		if i < len(s.Judged) {
			w.judged(s.Judged[i])
		}
	}
	return terminal.Page(in, out, b.Bytes())
}

type writer struct {
	*bytes.Buffer
	terminal.Palette
}

// line writes words that wrap below where they began.
func (w *writer) line(label, words string) {
	const indent = 14
	fmt.Fprintf(w, "  %-*s%s\n", indent-2, label, terminal.Wrap(terminal.Printable(words), indent, indent))
}

func connections(n int) string {
	if n == 1 {
		return "1 connection"
	}
	return fmt.Sprint(n, " connections")
}

// report writes one target: the answer first, with verdicts on how it compares, then what is
// wrong, then what it speaks.
func (w *writer) report(r *scan.Report, verdicts ...string) {
	name := terminal.Printable(r.Target)
	if r.Name != "" && !strings.HasPrefix(r.Target, r.Name+":") {
		name += " as " + terminal.Printable(r.Name)
	}
	fmt.Fprintf(w, "%s  %s\n", w.Bold(name), w.Faint(fmt.Sprintf("%s, %s", connections(r.Connections), took(r.Milliseconds))))
	if r.Failure != "" {
		fmt.Fprintf(w, "  %s\n", w.Bad(terminal.Wrap(noScan(r), 2, 4)))
		w.verdicts(verdicts)
		return
	}
	w.verdict(r, verdicts)
	for _, f := range r.Findings {
		w.finding(f)
	}
	if slices.ContainsFunc(r.Findings, func(f scan.Finding) bool { return f.Setting != "" }) && !slices.ContainsFunc(r.Findings, func(f scan.Finding) bool { return f.Fix != nil }) {
		fmt.Fprintf(w, "\n  %s\n", w.Faint("Add --software nginx for the lines to change; other programs: "+strings.Join(programs()[1:4], ", ")+", ..."))
	}
	w.spoken(r)
	w.certificates(r)
	w.features(r)
	w.fleet(r)
	w.clients(r)
}

// noScan says why there is no report. A server that turned each hello down by TLS speaks it.
func noScan(r *scan.Report) string {
	words := terminal.Printable(r.Failure)
	switch {
	case strings.HasPrefix(r.Failure, "the server has no site"):
		return words + "; give the server's name with --sni"
	case strings.HasPrefix(r.Failure, "the server takes no version"):
		return words
	}
	return "no TLS here: " + words
}

// clients writes which clients cannot connect, then what the others get; those that fare
// alike stand together.
func (w *writer) clients(r *scan.Report) {
	if len(r.Clients) == 0 {
		return
	}
	var refused, taken []string
	names := map[string][]string{}
	for _, c := range r.Clients {
		what, kind := w.Bad("refused")+": "+terminal.Printable(c.Why), &refused
		if c.Connects {
			what, kind = strings.Join(slices.DeleteFunc([]string{c.Version, c.Suite, c.Group}, func(s string) bool { return s == "" }), ", "), &taken
		}
		if names[what] == nil {
			*kind = append(*kind, what)
		}
		names[what] = append(names[what], c.Name)
	}
	fmt.Fprintf(w, "\n%s\n", w.Bold("Clients, and what each would get"))
	for _, what := range slices.Concat(refused, taken) {
		fmt.Fprintf(w, "  %s\n    %s\n", terminal.Wrap(what, 2, 4), terminal.Wrap(strings.Join(names[what], ", "), 4, 4))
	}
}

// verdict answers the two questions: is it all right, and what is to be done first?
func (w *writer) verdict(r *scan.Report, compared []string) {
	paint := w.Bad
	if r.Worst() == scan.Info && r.Unanswered == 0 {
		paint = w.Good
	}
	fmt.Fprintf(w, "  %s\n", paint(terminal.Wrap(r.Verdict(), 2, 4)))
	w.verdicts(compared)
	if r.Worst() != scan.Info {
		fmt.Fprintf(w, "  %s\n", terminal.Wrap("Do this first: "+r.Findings[0].Do, 2, 4))
	}
	w.unknown(r)
}

// verdicts writes how a target compares.
func (w *writer) verdicts(lines []string) {
	for _, l := range lines {
		fmt.Fprintf(w, "  %s\n", w.Bold(terminal.Wrap(l, 2, 4)))
	}
}

// unknown says what to do where connections got no answer.
func (w *writer) unknown(r *scan.Report) {
	if r.Unanswered > 0 {
		w.line("find out", "what was not found may be there all the same: a firewall may block frequent visits. Scan slower, with --rate 2 --at-once 1")
	}
}

func (w *writer) finding(f scan.Finding) {
	paint := w.Bad
	if f.Severity == scan.Low || f.Severity == scan.Info {
		paint = w.Faint
	}
	fmt.Fprintf(w, "\n%s  %s %s\n", paint(fmt.Sprintf("%-8s", f.Severity)), w.Bold(terminal.Wrap(f.Title, 10, 10)), w.Faint("["+f.ID+"]"))
	const most = 6
	evidence := f.Evidence
	if len(evidence) > most {
		evidence = append(slices.Clone(evidence[:most]), fmt.Sprintf("and %d more", len(f.Evidence)-most))
	}
	w.line("Evidence", strings.Join(evidence, ", "))
	w.line("Risk", f.Gain)
	w.line("Do", f.Do)
	if f.Fix == nil {
		return
	}
	fmt.Fprintf(w, "  %s\n", w.Faint(f.Fix.Software+", "+f.Fix.URL))
	for line := range strings.SplitSeq(f.Fix.Lines, "\n") {
		fmt.Fprintf(w, "      %s\n", line)
	}
}

// judged writes how a target compares.
func (w *writer) judged(j Judged) {
	if len(j.Differences) > 0 {
		fmt.Fprintf(w, "\n%s\n", w.Bold("The policy is not kept"))
	}
	for _, d := range j.Differences {
		fmt.Fprintf(w, "  %s\n", terminal.Wrap(terminal.Printable(d.String()), 2, 4))
	}
	if len(j.Changes) > 0 {
		fmt.Fprintf(w, "\n%s\n", w.Bold("Since the baseline"))
	}
	for _, c := range j.Changes {
		fmt.Fprintf(w, "  %s\n", terminal.Wrap(terminal.Printable(c.What), 2, 4))
	}
}

// spoken writes the versions with their suites, and the groups.
func (w *writer) spoken(r *scan.Report) {
	fmt.Fprintf(w, "\n%s\n", w.Bold("What it speaks"))
	for _, v := range r.Versions {
		if !v.Offered {
			w.line(v.Version, "no ("+v.Answer+")")
			continue
		}
		words := fmt.Sprintf("%d suites", len(v.Suites))
		switch {
		case len(v.Suites) == 1:
			words = "1 suite"
		case v.Order != "":
			words += ", the order of the " + v.Order
		}
		w.line(v.Version, words)
		for _, s := range v.Suites {
			words := s.Name
			if len(s.Flaws) > 0 {
				words += "  " + s.Flaws[0]
			}
			fmt.Fprintf(w, "    %s\n", words)
		}
	}
	var groups []string
	for _, g := range r.Groups {
		groups = append(groups, g.Name)
	}
	for _, d := range r.DH {
		groups = append(groups, finiteField(d))
	}
	w.list("Groups", groups)
	var schemes []string
	for _, s := range r.Schemes {
		schemes = append(schemes, s.Name)
	}
	w.list("Signatures", schemes)
	w.list("ALPN", r.Protocols)
	w.list("Extensions", r.Extensions)
}

// finiteField says what a group of DHE is like.
func finiteField(d scan.DHReport) string {
	words := fmt.Sprintf("DH of %d bits (", d.Bits)
	switch {
	case d.Known != "":
		words += d.Known
	case !d.Prime:
		words += "its own, no prime"
	case d.Safe:
		words += "its own, a safe prime"
	default:
		words += "its own, no safe prime"
	}
	if d.Reused {
		words += ", the same key again"
	}
	return words + ")"
}

func (w *writer) list(label string, words []string) {
	if len(words) > 0 {
		w.line(label, strings.Join(words, ", "))
	}
}

func (w *writer) certificates(r *scan.Report) {
	fmt.Fprintf(w, "\n%s\n", w.Bold("Certificates"))
	for _, c := range r.Chains {
		verdict := "good"
		if !c.Trusted {
			verdict = "not good: " + c.Problem
		}
		w.line("Subject", fmt.Sprintf("%s (%s), %s", c.Subject, c.Key, strings.Join(c.For, " and ")))
		words := fmt.Sprintf("until %s; %s", c.NotAfter.UTC().Format("2006-01-02"), verdict)
		if c.SCTs > 0 {
			words += fmt.Sprintf("; %d %s of Certificate Transparency", c.SCTs, plural(c.SCTs, "timestamp", "timestamps"))
		}
		if c.MustStaple {
			words += "; it demands a stapled OCSP response"
		}
		w.line("", words)
	}
	if c := r.Client; c != nil {
		words := "it asks clients for a certificate"
		if c.Required {
			words = "it demands a certificate of clients"
		}
		if len(c.Authorities) > 0 {
			words += ", of " + strings.Join(c.Authorities, "; ")
		}
		w.line("Clients", words)
	}
}

func (w *writer) features(r *scan.Report) {
	fmt.Fprintf(w, "\n%s\n", w.Bold("Features"))
	for _, f := range r.Features {
		fmt.Fprintf(w, "  %-32s%s\n", f.Name, terminal.Printable(f.Value))
	}
	if h := r.HTTP; h != nil {
		w.list("HTTP", slices.DeleteFunc([]string{h.Status, h.Location, h.Server, h.HSTS, h.AltSvc}, func(s string) bool { return s == "" }))
	}
	if len(r.Weaknesses) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", w.Bold("Weaknesses looked for"))
	for _, c := range r.Weaknesses {
		switch {
		case c.Found:
			fmt.Fprintf(w, "  %-32s%s\n", c.Name, w.Bad("found"))
		case c.Unknown != "":
			fmt.Fprintf(w, "  %-32s%s\n", c.Name, w.Faint("not known: "+terminal.Printable(c.Unknown)))
		default:
			fmt.Fprintf(w, "  %-32s%s\n", c.Name, w.Good("no"))
		}
	}
}

// explainFinding writes the account of the connection that proves a finding.
func (o *options) explainFinding(out io.Writer, s *Scans) error {
	for _, r := range s.Reports {
		a := r.Answer(o.explain)
		if a == nil {
			continue
		}
		var now time.Time
		c := &explain.Collector{Now: func() time.Time { return now }}
		a.Replay(c.Hooks(), func(at time.Time) { now = at })
		return text.Write(out, c.Connection(explain.About{Target: r.Target, Captured: true}), text.Options{Width: terminal.Width(out), Color: terminal.PaletteFor(out).On})
	}
	return report.Usagef("no finding %q has a connection of its own here", o.explain)
}
