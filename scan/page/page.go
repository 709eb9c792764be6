package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"unicode"

	explained "github.com/vitrine-tls/vitrine/explain/page"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/scan/policy"
)

// A Page is what Write writes.
type Page struct {
	// Servers are those that were asked, at least one.
	Servers []Server
	// Policy is the name of what they were compared with; empty for nothing.
	Policy string
	// Title is that of the window. Empty says what was scanned.
	Title string
}

// A Server is one target of a scan.
type Server struct {
	Report *scan.Report
	// Differences are those from the policy.
	Differences []policy.Difference
	// Changes are those since an earlier scan; New is set for a server that is not in it.
	Changes []policy.Change
	New     bool
}

var (
	//go:embed assets
	assets embed.FS
	pages  = template.Must(template.New("").Funcs(functions).ParseFS(assets, "assets/*.html"))
)

// errEmpty is for a page of nothing.
var errEmpty = errors.New("page: there is no server to show")

// Write writes the page. It returns the first error of w.
func Write(w io.Writer, p Page) error {
	if len(p.Servers) == 0 {
		return errEmpty
	}
	v := viewOf(p)
	style, script := explained.Base()+asset("page.css"), asset("page.js")
	v.Style, v.Script = template.CSS(style), template.JS(script) // our own
	v.Security = fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; base-uri 'none'; form-action 'none'", hashOf(script), hashOf(style))
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, "page.html", v); err != nil {
		return err
	}
	_, err := w.Write(visible(out.Bytes()))
	return err
}

func asset(name string) string {
	b, _ := assets.ReadFile("assets/" + name) // a test sees what is missing
	return string(b)
}

// hashOf is the source expression that stands for a text. CSP Level 3, §2.3.1.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// visible shows characters that cannot be seen, or that turn the direction of others, as
// their numbers. The page's own have none of them.
func visible(page []byte) []byte {
	if bytes.IndexFunc(page, unseen) < 0 {
		return page
	}
	var out bytes.Buffer
	for _, r := range string(page) {
		if unseen(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	return out.Bytes()
}

func unseen(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }
