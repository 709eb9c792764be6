package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// report is what one section has to say.
type report struct {
	section string
	log     io.Writer
	began   time.Time
	figures []*figure
}

// A figure is a row of the table at the end.
type figure struct {
	section, name, value, wanted string
	missed                       bool
}

// Logf says what goes on, as a line of its own.
func (r *report) Logf(format string, args ...any) {
	fmt.Fprintf(r.log, "%s %6.1f s  %s\n", r.section, time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}

// Figure notes a figure for the table at the end. Where a certain value is
// wanted, say so with Want.
func (r *report) Figure(name, format string, args ...any) *figure {
	f := &figure{section: r.section, name: name, value: fmt.Sprintf(format, args...)}
	r.figures = append(r.figures, f)
	r.Logf("%s: %s", f.name, f.value)
	return f
}

// Want says in words what is wanted of the figure, and whether it is so. If it
// is not the section fails, once it has run.
func (f *figure) Want(ok bool, format string, args ...any) {
	f.wanted, f.missed = fmt.Sprintf(format, args...), !ok
}

// err is what the section failed with: its own error, and the figures missed.
func (r *report) err(own error) error {
	errs := []error{own}
	for _, f := range r.figures {
		if f.missed {
			errs = append(errs, fmt.Errorf("%s is %s; wanted is %s", f.name, f.value, f.wanted))
		}
	}
	return errors.Join(errs...)
}

// writeTable writes figures as Markdown.
func writeTable(w io.Writer, figures []*figure) {
	fmt.Fprint(w, "| Section | Figure | Value | Wanted |\n|---|---|---|---|\n")
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	for _, f := range figures {
		value := cell.Replace(f.value)
		if f.missed {
			value = "**" + value + "**"
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", f.section, cell.Replace(f.name), value, cell.Replace(f.wanted))
	}
}
