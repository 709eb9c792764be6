package explain

import (
	"bufio"
	"bytes"
	"io"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/tracefile/redact"
)

// checkRedact finds what is wrong with --redact, and prepares it.
func (o *options) checkRedact() error {
	switch {
	case !o.redact:
		return nil
	case o.secrets:
		return report.Usagef("--redact and --secrets contradict each other; leave one out")
	case o.form.real:
		return report.Usagef("--redact has stand-ins, which a capture cannot hold; save a trace, with -o FILE.ndjson")
	}
	o.redactor = redact.New()
	return nil
}

// render writes connections in the form that was asked for, with stand-ins where that was
// asked for.
func (o *options) render(w io.Writer, all []subject, color bool) error {
	if o.diagnosing {
		return o.writeDiagnoses(w, all, color)
	}
	if o.redactor == nil {
		return o.form.write(w, all, o.look(color))
	}
	var whole, shown bytes.Buffer
	if err := writeTrace(&whole, all, look{secrets: true}); err != nil {
		return err
	}
	if err := o.redactor.Copy(&shown, &whole); err != nil {
		return err
	}
	if o.form.name == "ndjson" {
		_, err := w.Write(shown.Bytes())
		return err
	}
	accounts, err := explain.Load(&shown, 0)
	if err != nil {
		return err
	}
	all = nil
	for _, account := range accounts {
		all = append(all, subject{account: account})
	}
	return o.form.write(w, all, o.look(color))
}

// redacted is the source with stand-ins, of a trace. end ends the reading.
func (o *options) redacted(s *source) (in *source, end func()) {
	if o.redactor == nil {
		return s, func() {}
	}
	r, w := io.Pipe()
	redactor := o.redactor
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.CloseWithError(redactor.Copy(w, s.in))
	}()
	return &source{s.name, bufio.NewReader(r), s.Closer}, func() { r.Close(); <-done }
}
