package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/scan/fix"
)

// Diagnosis is why a connection failed, and what mends it.
type Diagnosis struct {
	// Target is what was connected to, or who connected.
	Target string `json:"target,omitempty"`
	diagnose.Verdict
	// Fixes are how the settings to change are written in programs.
	Fixes []fix.Fix `json:"fixes,omitempty"`
}

// mostFixes is how many settings are shown, and in how many programs, where none was named.
const (
	mostFixes    = 2
	mostPrograms = 3
)

// FixFor looks up how the settings of the verdict are written in some programs; with none, in
// the usual ones of the side at fault.
func (d *Diagnosis) FixFor(software []string) {
	asked := len(software) > 0
	d.Fixes = nil
	settings := d.Settings
	if !asked && len(settings) > mostFixes {
		settings = settings[:mostFixes]
	}
	for _, s := range settings {
		shown := 0
		for _, f := range fix.Known(s) {
			switch {
			case asked && slices.Contains(software, f.Software), !asked && shown < mostPrograms && d.usual(f.Software):
				d.Fixes = append(d.Fixes, f)
				shown++
			}
		}
	}
}

// usual reports that a program is on the side where the settings are made, or that the side is not known.
func (d *Diagnosis) usual(software string) bool {
	for _, s := range fix.Programs() {
		if s.ID == software {
			side := cmp.Or(d.SettingsOf, d.AtFault)
			return side == diagnose.Client && s.Client || side != diagnose.Client && s.Server
		}
	}
	return false
}

// Diagnose adds why a connection failed, and more, the command line that finds out more. There
// is one remedy: that of the library, in the words of the command, and where it has none that of
// the diagnosis.
func (f *Failure) Diagnose(more string, v *diagnose.Verdict, err error) {
	if ExitCode(err) == ExitUsage {
		return
	}
	one := *v
	if isA[*diagnose.ProxyError](err) {
		one.Sentence = f.Text
	}
	if f.Advice == "" && v.Confidence == diagnose.Certain {
		f.Advice = v.Advice
	}
	one.Advice = ""
	if f.more = more; one.Cause != diagnose.Unknown {
		f.Diagnosis = &one
	}
}

// diagnosisColumn is where the text of a diagnosis stands beside its names.
const diagnosisColumn = 12

// Write writes the diagnosis for people to read.
func (d *Diagnosis) Write(w io.Writer, p terminal.Palette) error {
	var b strings.Builder
	mark, paint := "✗ ", p.Bad
	if d.OK() {
		mark, paint = "✓ ", p.Good
	}
	if d.Target != "" {
		fmt.Fprintln(&b, p.Bold(terminal.Printable(d.Target)))
	}
	fmt.Fprintln(&b, paint(mark)+paint(terminal.Wrap(terminal.Printable(d.Sentence), 2, 2)))
	row := func(name, value string) {
		if value != "" {
			pad := strings.Repeat(" ", max(1, diagnosisColumn-2-utf8.RuneCountInString(name)))
			fmt.Fprintf(&b, "  %s%s%s\n", p.Faint(name), pad, terminal.Wrap(terminal.Printable(value), diagnosisColumn, diagnosisColumn))
		}
	}
	if !d.OK() {
		row("cause", d.causeWords())
		row("at fault", partyWords[d.AtFault])
	}
	for _, o := range d.Offers {
		row("client", o.About+": "+list(o.Client))
		server := list(o.Server)
		if o.Partial {
			server += ", and perhaps more"
		}
		row("server", o.About+": "+server)
		row("both", strings.Join(o.Common, ", "))
	}
	for i, e := range d.Evidence {
		row(first(i, "seen"), evidenceWords(e))
	}
	for i, t := range d.Trials {
		row(first(i, "tried"), fmt.Sprintf("%d. %s: %s", t.Number, t.Asks, t.Answer))
	}
	row("change", d.Advice)
	for i, f := range d.Fixes {
		if i == 0 || d.Fixes[i-1].Setting != f.Setting {
			row("set", f.Setting)
		}
		fmt.Fprintf(&b, "  %s\n", p.Faint("  "+f.Software))
		for line := range strings.Lines(f.Lines) {
			fmt.Fprintf(&b, "      %s\n", strings.TrimRight(line, "\n")) // to be copied as it is
		}
	}
	row("or", strings.Join(d.Others, ", "))
	_, err := io.WriteString(w, b.String())
	return err
}

// causeWords are the id, how sure it is, and where the rule stands.
func (d *Diagnosis) causeWords() string {
	words := d.Cause + ", " + string(d.Confidence)
	if d.Source != "" {
		words += " (" + d.Source + ")"
	}
	return words
}

// partyWords say who has to change something.
var partyWords = map[diagnose.Party]string{
	diagnose.Client: "the client", diagnose.Server: "the server", diagnose.Middle: "something between the two",
	diagnose.Network: "the network", diagnose.Clock: "a clock", diagnose.Somebody: "one side or the other; it does not show from here which",
}

func first(i int, name string) string {
	if i == 0 {
		return name
	}
	return ""
}

func list(names []string) string {
	if len(names) == 0 {
		return "not known"
	}
	return strings.Join(names, ", ")
}

func evidenceWords(e diagnose.Evidence) string {
	if where := e.Where(); where != "" {
		return e.Says + " (" + where + ")"
	}
	return e.Says
}
