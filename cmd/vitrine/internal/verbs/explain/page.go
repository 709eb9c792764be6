package explain

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/explain"
	pages "github.com/vitrine-tls/vitrine/explain/page"
)

// writePage writes one page of all connections.
func writePage(w io.Writer, all []subject, l look) error {
	p := pages.Page{Lang: l.lang}
	for _, s := range all {
		p.Connections = append(p.Connections, s.account)
	}
	return pages.Write(w, p)
}

// checkPage finds what is wrong with the flags about pages.
func (o *options) checkPage() error {
	switch {
	case o.open && o.form.name != "html":
		return report.Usagef("--open shows a page; leave out what asks for %s, or add -o FILE.html", o.form.name)
	case o.open && o.output == "-":
		return report.Usagef("--open shows a file; leave out -o, and vitrine makes a temporary one")
	case o.summary && o.form.name == "html":
		return report.Usagef("--summary is for text and JSON; a page has the outcome on top")
	case o.lang != "" && !slices.Contains(pages.Languages(), o.lang):
		return report.Usagef("--lang %q is not a language of pages; choose %s", o.lang, flags.OneOf(pages.Languages()))
	case o.lang != "" && o.form.name != "html":
		return report.Usagef("--lang is for a page; leave it out, or add -o FILE.html")
	}
	return nil
}

// temporary makes the file for a page that is shown, and has no name of its own. Only its
// owner can read it.
func temporary() (string, error) {
	file, err := os.CreateTemp("", "vitrine-*.html")
	if err != nil {
		return "", report.Usagef("--open: %v", err)
	}
	return file.Name(), file.Close()
}

// openPage shows a file in the browser, and says where it is.
func openPage(cmd *cobra.Command, file string) error {
	fmt.Fprintf(cmd.ErrOrStderr(), "vitrine: the page is %s\n", file)
	if err := terminal.Browse(cmd.Context(), file); err != nil {
		return fmt.Errorf("--open: no browser was started (%w); open the page yourself", err)
	}
	return nil
}

// holdsSecrets reports that an account has the value of a secret.
func holdsSecrets(all []subject) bool {
	return slices.ContainsFunc(all, func(s subject) bool {
		return !s.account.Redacted && slices.ContainsFunc(s.account.Events, func(e explain.Event) bool { return e.Secret != nil && len(e.Secret.Value) > 0 })
	})
}
