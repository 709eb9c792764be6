package text

import (
	"io"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/internal/words"
)

// verdictCol is the column where text starts beside the role of a certificate.
const verdictCol = 14

// mostNames is how many names of a certificate are shown.
const mostNames = 6

// WriteVerdict writes what a verdict rests on, without its sentence: each certificate, other
// paths, what failed, and in a line what stricter profiles say. It returns the first error
// of w.
func WriteVerdict(w io.Writer, v *explain.Verdict, o Options) error {
	p := newPrinter(w, o)
	p.evidence(v)
	return p.w.Flush()
}

// verdict writes what was found out about the peer's certificates.
func (p *printer) verdict(v *explain.Verdict) {
	if v == nil {
		return
	}
	p.put()
	mark := text(good, "✓ ")
	if !v.Accepted {
		mark = text(wrong, "✗ ")
	}
	p.lead(line{text(strong, "certificates "), mark}, normal, "%s", v.Sentence)
	if v.Advice != "" {
		p.fact("►", strong, v.Advice)
	}
	p.evidence(v)
}

func (p *printer) evidence(v *explain.Verdict) {
	for i, c := range v.Certificates {
		p.certificate(c)
		for _, a := range v.Answers {
			if a.Certificate == i {
				p.answer(a)
			}
		}
	}
	if len(v.Paths) > 1 {
		for _, way := range v.Paths {
			p.fact("path", normal, pathWords(way))
		}
	}
	p.rules(v)
}

// fact is a line of the verdict: a name, and what it says.
func (p *printer) fact(name string, s style, what string) {
	p.lead(line{space(2), text(faint, "%-*s", verdictCol-2, name)}, s, "%s", what)
}

func (p *printer) certificate(c explain.Certificate) {
	p.fact(c.Role, normal, words.Join(strconv.Quote(commonName(c.Subject)), c.Key, "signed with "+c.SignedWith, explain.DaysLeftWords(c.DaysLeft)))
	if len(c.Names) > 0 && c.Role == "leaf" {
		p.fact("", faint, "for "+someNames(c.Names))
	}
}

func (p *printer) answer(a explain.Answer) {
	s := faint
	if a.Status == "revoked" {
		s = wrong
	}
	p.fact("", s, a.Text)
	for _, d := range a.Doubts {
		p.fact("", faint, d)
	}
}

func (p *printer) rules(v *explain.Verdict) {
	if len(v.Rules) == 0 {
		return
	}
	passed, failed := v.Counts()
	counted := strconv.Itoa(passed) + " passed, " + strconv.Itoa(failed) + " failed (profile " + v.Profile + ")"
	if stricter := v.Stricter(); stricter != "" {
		counted += "; " + stricter
	}
	p.fact("checks", normal, counted)
	for _, c := range v.Rules {
		if c.Refuses {
			p.fact("✗", wrong, c.Breach+" ["+c.Rule+", "+c.Source+"]")
		}
	}
}

func pathWords(way explain.Path) string {
	var names []string
	for _, s := range way.Subjects {
		names = append(names, strconv.Quote(commonName(s)))
	}
	said := strings.Join(names, " > ")
	switch {
	case way.Taken:
		return said + ": taken"
	case way.Refused != "":
		return said + ": refused, " + way.Refused
	}
	return said + ": good too"
}

func someNames(names []string) string {
	var quoted []string
	for _, name := range names[:min(len(names), mostNames)] {
		quoted = append(quoted, strconv.Quote(name))
	}
	said := strings.Join(quoted, ", ")
	if more := len(names) - mostNames; more > 0 {
		said += " and " + strconv.Itoa(more) + " more"
	}
	return said
}

// commonName is that of a distinguished name in text, or all of it.
func commonName(distinguished string) string {
	for part := range strings.SplitSeq(distinguished, ",") {
		if name, ok := strings.CutPrefix(part, "CN="); ok && !strings.HasSuffix(name, `\`) {
			return name
		}
	}
	return distinguished
}
