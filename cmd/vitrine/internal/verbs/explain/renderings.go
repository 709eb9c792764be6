package explain

import (
	"cmp"
	"errors"
	"io"
	"path/filepath"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/explain/text"
	"github.com/vitrine-tls/vitrine/tracefile"
)

// subject is a connection to show.
type subject struct {
	account *explain.Connection
	save    func(*tracefile.Writer) error // writes its trace
	failure error                         // why it failed, as the connection said
	verdict *diagnose.Verdict             // nil until somebody asks
}

// subjectOf is what the collector has of its connection.
func subjectOf(collector *explain.Collector, about explain.About) subject {
	return subject{account: collector.Connection(about), save: func(w *tracefile.Writer) error { return collector.Save(w, about) }}
}

// look is how connections are shown.
type look struct {
	summary bool // only the outcome and the ladder
	color   bool
	secrets bool   // a trace has the values of secrets and keys
	lang    string // of a page; empty for what the browser prefers
}

// rendering is a form in which connections are written.
type rendering struct {
	name   string // of --format
	ending string // of the file
	is     string // in the help, after the name
	// several is set where one file holds several connections. Others get the last.
	several bool
	// appends is set where connections can be written one after another to one file, with
	// between between them.
	appends bool
	between string
	// unread is set for what nobody reads on a terminal: no pager, no colours.
	unread bool
	// secrets is set where --secrets says whether they are in it.
	secrets bool
	// real is set where it must be what was on the wire.
	real  bool
	write func(w io.Writer, all []subject, l look) error
}

// renderings are all forms; the first is the usual one.
var renderings = []rendering{
	{name: "text", ending: ".txt", appends: true, between: "\n", write: writeText},
	{name: "json", ending: ".json", write: writeJSON},
	{name: "ndjson", ending: ".ndjson", is: " for a trace", several: true, appends: true, unread: true, secrets: true, write: writeTrace},
	{name: "pcapng", ending: ".pcapng", is: " for a capture", several: true, unread: true, real: true, secrets: true, write: writeCapture},
	{name: "html", ending: ".html", is: " for a page", several: true, unread: true, write: writePage},
}

func writeText(w io.Writer, all []subject, l look) error {
	var err error
	for _, s := range all {
		err = errors.Join(err, text.Write(w, s.account, text.Options{Summary: l.summary, Color: l.color}))
	}
	return err
}

// writeJSON writes accounts as JSON; a summary has no events.
func writeJSON(w io.Writer, all []subject, l look) error {
	var err error
	for _, s := range all {
		c := s.account
		if l.summary {
			short := *c
			short.Events = []explain.Event{}
			c = &short
		}
		err = errors.Join(err, c.JSON(w))
	}
	return err
}

func writeTrace(w io.Writer, all []subject, l look) error {
	out := tracefile.NewWriter(w, l.secrets)
	var err error
	for _, s := range all {
		err = errors.Join(err, s.save(out))
	}
	return err
}

// formatNames are the values of --format.
func formatNames() (names []string) {
	for _, r := range renderings {
		names = append(names, r.name)
	}
	return names
}

// formatHelp lists them for people.
func formatHelp() (words []string) {
	for _, r := range renderings {
		words = append(words, r.name+r.is)
	}
	return words
}

// renderingWhere returns the rendering for which is holds; nil if there is none.
func renderingWhere(is func(*rendering) bool) *rendering {
	for i := range renderings {
		if is(&renderings[i]) {
			return &renderings[i]
		}
	}
	return nil
}

// hasEnding reports that the file of --output has the ending of a form.
func (o *options) hasEnding() bool {
	return renderingWhere(func(r *rendering) bool { return r.ending == filepath.Ext(o.output) }) != nil
}

// chooseFormat settles in which form to write.
func (o *options) chooseFormat() error {
	byEnding := renderingWhere(func(r *rendering) bool { return r.ending == filepath.Ext(o.output) })
	format := o.format
	switch {
	case o.json && format != "" && format != "json":
		return report.Usagef("--json and --format %s contradict each other; leave one out", format)
	case o.json:
		format = "json"
	case format == "" && byEnding != nil:
		format = byEnding.name
	case format == "" && o.open && o.output == "":
		format = "html"
	}
	format = cmp.Or(format, renderings[0].name)
	o.form = renderingWhere(func(r *rendering) bool { return r.name == format })
	if o.form == nil {
		return report.Usagef("--format %q is not a format; choose %s", format, flags.OneOf(formatNames()))
	}
	if byEnding != nil && byEnding != o.form {
		return report.Usagef("-o %s stands for %s, and %s was asked for; give the file another ending", o.output, byEnding.name, format)
	}
	if o.secrets && !o.form.secrets {
		return report.Usagef("--secrets is for a saved trace or a capture; add -o FILE.ndjson or -o FILE.pcapng")
	}
	return cmp.Or(o.checkPage(), o.checkRedact())
}
