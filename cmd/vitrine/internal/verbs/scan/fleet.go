package scan

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/scan"
)

// fleet writes how the servers behind a name go together.
func (w *writer) fleet(r *scan.Report) {
	f := r.Fleet
	if f == nil {
		return
	}
	fmt.Fprintf(w, "\n%s\n", w.Bold("Fleet"))
	w.fact("addresses", strings.Join(f.Addresses, ", "))
	if len(f.Resumption) == 0 {
		w.fact("sessions", "none are handed out")
	}
	for _, kind := range f.Resumption {
		w.fact(kind.Kind, resumption(kind))
		for _, at := range kind.Addresses {
			if len(kind.Addresses) > 1 {
				w.fact("  at "+terminal.Printable(at.Address), taken(at.FleetCount))
			}
		}
	}
	for _, row := range f.Answers {
		if len(row.Answers) == 1 {
			everywhere := "the same everywhere: "
			if row.Unanswered > 0 {
				everywhere = fmt.Sprintf("the same at all that answered; %d did not: ", row.Unanswered)
			}
			w.fact(row.What, everywhere+shown(row.What, row.Answers[0].Value))
			continue
		}
		differs := "differs:"
		if row.Unanswered > 0 {
			differs = fmt.Sprintf("differs, and %d did not answer:", row.Unanswered)
		}
		w.fact(row.What, differs)
		for _, one := range row.Answers {
			w.fact("", fmt.Sprintf("%s, %d times, at %s", shown(row.What, one.Value), one.Times, strings.Join(one.Addresses, ", ")))
		}
	}
}

// fact is a line with a name of some words.
func (w *writer) fact(name, words string) {
	fmt.Fprintf(w, "  %-32s%s\n", name, terminal.Wrap(terminal.Printable(words), 34, 34))
}

// resumption says how one kind of session is taken.
func resumption(r scan.FleetResumption) string {
	words := "taken on other connections: " + taken(r.Fresh)
	if r.SingleUse {
		words += "; each once alone"
	} else {
		words += "; one of them again and again: " + taken(r.Repeated)
	}
	if len(r.Keys) > 0 {
		words += fmt.Sprintf("; keys of tickets: %d", len(r.Keys))
	}
	return words
}

func taken(c scan.FleetCount) string {
	if c.Offered == 0 {
		return "not known: no answer came"
	}
	words := fmt.Sprintf("%d of %d (%d %%)", c.Taken, c.Offered, 100*c.Taken/c.Offered)
	if c.Unanswered > 0 {
		words += fmt.Sprintf(", and %d without an answer", c.Unanswered)
	}
	return words
}

// shown is an answer for people: of a certificate's hash the beginning.
func shown(what, value string) string {
	if what == "certificate" && len(value) > 16 {
		return value[:16] + "…"
	}
	return value
}
