package page

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"sync"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/internal/catalogue"
)

// A Page is what Write writes.
type Page struct {
	// Connections are the accounts, at least one. Several get a tab each.
	Connections []*explain.Connection
	// Lang is the language, as "en" or "zh". Empty leaves it to the browser.
	Lang string
	// Title is that of the window. Empty takes the first target.
	Title string
}

// errEmpty is for a page of nothing.
var errEmpty = errors.New("page: there is no connection to show")

// Write writes the page. It returns the first error of w.
func Write(w io.Writer, p Page) error {
	if len(p.Connections) == 0 {
		return errEmpty
	}
	title := cmp.Or(p.Title, p.Connections[0].Target, "TLS")
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, head, html.EscapeString(tag(p.Lang)), policy(), html.EscapeString(title), styles())
	if err := json.NewEncoder(b).Encode(contentOf(p, title)); err != nil { // it escapes <, so that no text ends the element
		return err
	}
	fmt.Fprintf(b, foot, scripts())
	return b.Flush()
}

// Languages are those that a page can be in, English first.
func Languages() []string { return catalogue.Languages() }

// tag is the language of the document until its script runs.
func tag(lang string) string {
	if lang == "zh" {
		return "zh-Hans"
	}
	return cmp.Or(lang, "en")
}

// texts are all translations.
var texts = sync.OnceValue(func() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, lang := range catalogue.Languages() {
		for _, e := range catalogue.Messages(lang) {
			if all[lang] == nil {
				all[lang] = map[string]string{}
			}
			all[lang][e.English] = e.Translation
		}
	}
	return all
})

// content is the data of the page, as its scripts read it.
type content struct {
	Title    string      `json:"title"`
	Lang     string      `json:"lang,omitempty"`
	Accounts []account   `json:"accounts"`
	Values   []valueList `json:"values"`
	// Texts are the translations by language, then by the English text.
	Texts map[string]map[string]string `json:"texts,omitempty"`
}

// account is a connection, with what its JSON leaves to renderers.
type account struct {
	Connection *explain.Connection `json:"connection"`
	Outcome    []remark            `json:"outcome"`
}

// remark is an [explain.Remark].
type remark struct {
	Mood explain.Mood `json:"mood,omitempty"`
	Text string       `json:"text"`
}

func contentOf(p Page, title string) content {
	c := content{Title: title, Lang: p.Lang, Values: values(), Texts: texts()}
	for _, x := range p.Connections {
		a := account{Connection: x}
		for _, r := range x.Outcome() {
			a.Outcome = append(a.Outcome, remark(r))
		}
		c.Accounts = append(c.Accounts, a)
	}
	return c
}

// policy lets the page's own script and styles run, and nothing else, from anywhere.
func policy() string {
	return fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; base-uri 'none'; form-action 'none'", hashOf(scripts()), hashOf(styles()))
}

// hashOf is the source expression that stands for a text. CSP Level 3, §2.3.1.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
