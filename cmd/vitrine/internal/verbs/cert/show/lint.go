package show

import (
	"cmp"
	"fmt"
	"slices"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
)

// Finding is what one rule of zlint found.
type Finding struct {
	// Severity is "fatal", "error", "warning" or "notice".
	Severity string `json:"severity"`
	// Rule is its name in zlint, Source where it is written.
	Rule    string `json:"rule"`
	Source  string `json:"source"`
	Demands string `json:"demands"`
	// Details are the evidence, where zlint gives some.
	Details string `json:"details,omitempty"`
}

func (f Finding) isError() bool { return f.Severity == "error" || f.Severity == "fatal" }

func (f Finding) String() string {
	s := f.Severity + ": " + f.Demands
	if f.Details != "" {
		s += " (" + quoteList([]string{f.Details}) + ")"
	}
	return s + " [" + f.Rule + ", " + f.Source + "]"
}

// severities are those that say something, the worst first.
var severities = []struct {
	status lint.LintStatus
	name   string
}{{lint.Fatal, "fatal"}, {lint.Error, "error"}, {lint.Warn, "warning"}, {lint.Notice, "notice"}}

// lint asks zlint about each item that it has rules for.
func (s *Shown) lint(source *certs.Source) {
	for i, item := range source.Items {
		s.Items[i].Lint = guarded(func() []Finding { return findings(results(item)) })
		for _, f := range s.Items[i].Lint {
			if f.isError() {
				s.LintErrors++
			}
		}
	}
}

// guarded says so where zlint panics, as it may on what is malformed.
func guarded(lint func() []Finding) (list []Finding) {
	defer func() {
		if cause := recover(); cause != nil {
			list = []Finding{{
				Severity: "error", Rule: "zlint-panics", Source: "zlint", Details: fmt.Sprint(cause),
				Demands: "zlint can read it; it gave up on this one, so its other rules were not asked",
			}}
		}
	}()
	return lint()
}

func results(i certs.Item) *zlint.ResultSet {
	switch i.Kind {
	case certs.ACertificate:
		if c, err := zx509.ParseCertificate(i.DER); err == nil {
			return zlint.LintCertificate(c)
		}
	case certs.ACRL:
		if l, err := zx509.ParseRevocationList(i.DER); err == nil {
			return zlint.LintRevocationList(l)
		}
	case certs.AnOCSP:
		return zlint.LintOcspResponse(i.OCSP)
	}
	return nil
}

// findings are the worst first, and then by their names.
func findings(r *zlint.ResultSet) (list []Finding) {
	if r == nil {
		return nil
	}
	for _, s := range severities {
		from := len(list)
		for name, result := range r.Results {
			if result.Status == s.status {
				list = append(list, Finding{
					Severity: s.name, Rule: name, Source: cmp.Or(result.LintMetadata.Citation, string(result.LintMetadata.Source)),
					Demands: result.LintMetadata.Description, Details: result.Details,
				})
			}
		}
		slices.SortFunc(list[from:], func(a, b Finding) int { return cmp.Compare(a.Rule, b.Rule) })
	}
	return list
}
