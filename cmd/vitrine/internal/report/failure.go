package report

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/starttls"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Failure is an error in plain words.
type Failure struct {
	// Target is what we connected to.
	Target string `json:"target,omitempty"`
	// Code is the exit code.
	Code int    `json:"code"`
	Text string `json:"failure"`
	// Ours and Theirs are what each side offered, where that is known.
	Ours   []string `json:"ours,omitempty"`
	Theirs []string `json:"theirs,omitempty"`
	// Advice is what to change.
	Advice string `json:"advice,omitempty"`
	// Verdict is what is wrong with the server's certificates, where that is why.
	Verdict *explain.Verdict `json:"verdict,omitempty"`
	// Diagnosis is the cause, as vitrine explain --diagnose gives it without further
	// connections.
	Diagnosis *diagnose.Verdict `json:"diagnosis,omitempty"`

	more string // the command that finds out more; empty for none
}

// Describe puts err into words for the side that we are. sent is what our
// ClientHello offered, nil where that is not known.
func Describe(err error, we wire.Role, sent *Offer) Failure {
	f := Failure{Text: terminal.Printable(plain(err)), Advice: adviceFor(err, we)}
	if header, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		what, _ := cutHint(ownWords(header))
		f.Text = terminal.Printable(what)
	}
	if e, ok := errors.AsType[*starttls.Error](err); ok && e.Err == nil {
		f.Text = terminal.Printable(e.Error())
	}
	h, ok := errors.AsType[*tls.HandshakeError](err)
	if !ok {
		return f
	}
	f.Text = terminal.Printable(Sentence(h))
	if h.What != "" {
		f.Ours, f.Theirs = []string{part(h.What+":", h.Ours)}, []string{part(h.What+":", h.Theirs)}
	} else if h.Received && !isA[*noCertificateError](err) {
		f.Ours = sent.about(h.Alert)
	}
	return f
}

// ownWords leaves out those by which programs know crypto/tls's error for what is not TLS.
func ownWords(err error) string {
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "tls: "), "first record does not look like a TLS handshake: ")
}

// Sentence is a handshakeError without its offers and hint, which have lines of
// their own here.
func Sentence(h *tls.HandshakeError) string {
	if text, ok := misuse(h); ok {
		return text
	}
	s := h.Rule
	if refused, ok := errors.AsType[*certcheck.Error](h.Err); ok {
		s += ": " + refused.Reason // the rule says already that the certificate is refused
	} else if h.Err != nil && !h.Received && !isTimeout(h.Err) {
		s += ": " + plain(h.Err)
	}
	if h.Ref != "" && !h.Received {
		s += " (" + h.Ref + ")"
	}
	return s
}

// Write writes the failure for people to read, in a few lines; before is what
// the first begins with.
func (f Failure) Write(w io.Writer, before string) {
	p := terminal.PaletteFor(w)
	fmt.Fprintln(w, before+p.Bad(terminal.Wrap(f.Text, utf8.RuneCountInString(before), 2)))
	row := func(name, value string) {
		fmt.Fprintf(w, "  %s %s\n", p.Faint(fmt.Sprintf("%-15s", name)), terminal.Wrap(value, 18, 18))
	}
	for _, side := range []struct {
		name   string
		values []string
	}{{"we offered:", f.Ours}, {"they offered:", f.Theirs}} {
		name := side.name
		for _, value := range side.values {
			row(name, terminal.Printable(value))
			name = "" // once is enough
		}
	}
	if f.Diagnosis != nil && f.Diagnosis.Confidence == diagnose.Certain {
		cause := f.Diagnosis.Cause
		if said := terminal.Printable(f.Diagnosis.Sentence); said != f.Text {
			cause += ": " + said
		}
		row("cause:", cause)
	}
	if f.Advice != "" {
		row("what to change:", f.Advice)
	}
	if f.more != "" {
		fmt.Fprintf(w, "  %s %s\n", p.Faint(fmt.Sprintf("%-15s", "find out more:")), terminal.Printable(f.more)) // in one line, to be copied
	}
}
