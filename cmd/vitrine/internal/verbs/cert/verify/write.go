package verify

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/explain"
)

// write writes the sentence that people need first, and then what it rests on.
// Everything that a certificate says is quoted.
func (v *Verification) write(w io.Writer, verbose bool) error {
	p := terminal.PaletteFor(w)
	var b strings.Builder
	v.writeSentence(&b, p)
	for i, c := range v.Chain {
		v.writeCertificate(&b, p, i, c)
	}
	v.writePaths(&b, p, verbose)
	v.writeChecks(&b, p, verbose)
	for _, warning := range v.Warnings {
		row(&b, p.Bad, "warning", warning)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// row is a line of two columns, the second wrapped.
func row(b *strings.Builder, paint func(string) string, name, value string) {
	fmt.Fprintf(b, "  %s %s\n", paint(fmt.Sprintf("%-11s", name)), terminal.Wrap(value, 14, 14))
}

func (v *Verification) writeSentence(b *strings.Builder, p terminal.Palette) {
	begin := terminal.Printable(v.Target) + ": "
	if !v.Accepted {
		sentence := p.Bad("REFUSED") + ": " + v.Failure
		if v.Source != "" {
			sentence += " (" + v.Source + ")"
		}
		fmt.Fprintln(b, begin+terminal.Wrap(sentence, utf8.RuneCountInString(begin), 2))
		if v.Advice != "" {
			row(b, p.Bold, "do this", v.Advice)
		}
		return
	}
	sentence := p.Good("accepted")
	if v.ServerName != "" {
		sentence += fmt.Sprintf(" for %q", v.ServerName)
	} else {
		sentence += " (no name and no purpose was asked: say --name for a server)"
	}
	sentence += fmt.Sprintf(", trusted by %q, good for %s", certs.Common(v.Chain[len(v.Chain)-1].Subject), days(v.DaysLeft))
	if len(v.Answers) > 0 {
		sentence += ", " + v.Answers[0].Text
	}
	fmt.Fprintln(b, begin+terminal.Wrap(sentence, utf8.RuneCountInString(begin), 2))
}

func days(n int) string {
	switch n {
	case 0:
		return "less than a day"
	case 1:
		return "1 day more"
	}
	return fmt.Sprintf("%d days more", n)
}

// validity says from when to when, and what that is from now.
func validity(c certs.Certificate, at time.Time, p terminal.Palette) string {
	span := fmt.Sprintf("%s to %s, ", c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly))
	switch {
	case at.Before(c.NotBefore):
		return span + p.Bad("not yet valid")
	case at.After(c.NotAfter):
		return span + p.Bad("expired "+certs.Ago(c.DaysLeft))
	}
	return span + days(c.DaysLeft)
}

// role is the place of certificate i in the chain.
func (v *Verification) role(i int) string {
	switch {
	case i == 0:
		return "leaf"
	case i == len(v.Chain)-1 && len(v.Paths) > 0:
		return "root"
	case v.Chain[i].Authority:
		return "authority"
	}
	return "also sent"
}

func (v *Verification) writeCertificate(b *strings.Builder, p terminal.Palette, i int, c certs.Certificate) {
	b.WriteByte('\n')
	row(b, p.Bold, v.role(i), p.Bold(fmt.Sprintf("%q", certs.Common(c.Subject)))+", "+c.Key+", signed with "+c.SignedWith)
	if len(v.Paths) == 0 || i == len(v.Chain)-1 && !c.SelfIssued {
		row(b, p.Faint, "issued by", fmt.Sprintf("%q", certs.Common(c.Issuer)))
	}
	if len(c.Names) > 0 && !c.Authority {
		row(b, p.Faint, "for", quoteSome(c.Names, 6))
	}
	row(b, p.Faint, "valid", validity(c, v.At, p))
	if c.Unreadable != "" {
		row(b, p.Bad, "unreadable", terminal.Printable(c.Unreadable))
	}
	for _, a := range v.Answers {
		if a.Certificate == i {
			v.writeAnswer(b, p, a)
		}
	}
}

func (v *Verification) writeAnswer(b *strings.Builder, p terminal.Palette, a explain.Answer) {
	text := a.Text
	if a.URL != "" {
		text += fmt.Sprintf(", from %q", a.URL)
	}
	paint := p.Faint
	if a.Status == "revoked" {
		paint = p.Bad
	}
	row(b, paint, "revocation", text)
	for _, doubt := range a.Doubts {
		row(b, p.Faint, "", terminal.Printable(doubt))
	}
}

// quoteSome quotes the first most names, and counts the others.
func quoteSome(names []string, most int) string {
	var quoted []string
	for i, name := range names {
		if i == most {
			return strings.Join(quoted, ", ") + fmt.Sprintf(" and %d more", len(names)-most)
		}
		quoted = append(quoted, fmt.Sprintf("%q", name))
	}
	return strings.Join(quoted, ", ")
}

// writePaths says which other ways to a root there were.
func (v *Verification) writePaths(b *strings.Builder, p terminal.Palette, verbose bool) {
	if len(v.Paths) < 2 && !verbose {
		return
	}
	if len(v.Paths) > 0 {
		b.WriteByte('\n')
	}
	for _, path := range v.Paths {
		var names []string
		for _, subject := range path.Subjects {
			names = append(names, fmt.Sprintf("%q", certs.Common(subject)))
		}
		line := strings.Join(names, " > ")
		switch {
		case path.Taken:
			line += ": taken"
		case path.Refused != "":
			line += ": refused, " + path.Refused
		default:
			line += ": good too"
		}
		row(b, p.Faint, "path", line)
	}
}

func (v *Verification) writeChecks(b *strings.Builder, p terminal.Palette, verbose bool) {
	if len(v.Checks) == 0 {
		return
	}
	failed, warned := 0, len(v.Warnings)
	for _, c := range v.Checks {
		if c.Refuses {
			failed++
		}
	}
	b.WriteByte('\n')
	row(b, p.Faint, "checks", fmt.Sprintf("%d passed, %d failed, %s of stricter profiles (profile %s)",
		len(v.Checks)-failed-warned, failed, counted(warned, "warning"), v.Profile))
	said := map[string]bool{}
	for _, c := range v.Checks {
		about := fmt.Sprintf(" [%s, %s]", c.Rule, c.Source)
		switch {
		case c.Refuses:
			row(b, p.Bad, "  FAILED", c.Breach+about)
		case c.Passed && verbose && !said[c.Rule]: // of several certificates, once
			row(b, p.Good, "  passed", c.Demands+about)
			said[c.Rule] = true
		}
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
