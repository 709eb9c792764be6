package page

import (
	_ "embed"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/proof/browser"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

//go:embed testdata/texts.js
var textsScript string

// readThrough are kinds whose Chinese page is read through: what fails, what is old, what is
// done twice and what is missing have words of their own.
var readThrough = []string{"live-refused", "live-ssl30", "live-tls12-renegotiation", "secrets-withheld"}

// A Chinese page says nothing in English: not its own words, nor those of the account.
func TestChinese(t *testing.T) {
	b := browser.Start(t)
	stay := keptNames(t)
	all := kinds(t)
	names := readThrough
	if !programs.Required() {
		names = names[:1]
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if all[name] == nil {
				t.Fatal("there is no such kind")
			}
			x := openTab(t, b, Page{Connections: []*explain.Connection{all[name]}, Lang: "zh"}, "")
			if lang := browser.Eval[string](x.Tab, "document.documentElement.lang"); lang != "zh-Hans" {
				t.Errorf("the page says that it is in %q", lang)
			}
			texts := browser.Eval[[]string](x.Tab, textsScript)
			if len(texts) < 100 {
				t.Errorf("only %d texts were found", len(texts))
			}
			for _, text := range texts {
				if left := english(text, stay); left != "" {
					t.Errorf("%q has %q", text, left)
				}
			}
			x.Shot(name + "-zh")
		})
	}
}

var (
	// data is what is no text: in quotation marks, the name of an owner, bytes, or a name with
	// other characters than small letters in it.
	data    = regexp.MustCompile(`"(\\.|[^"\\])*"|\b[A-Z]+=[^,]*|^([0-9a-f]{2} )*[0-9a-f]{2}( …)?$|[\w./@=+-]*[\d_./@=A-Z-][\w./@=+-]*`)
	word    = regexp.MustCompile(`[a-z]{2,}`)
	prose   = regexp.MustCompile(`[a-z]{2,}[,:;]? [a-z]{2,}`)
	chinese = regexp.MustCompile(`\p{Han}`)
)

// english returns the words of a text that are English: where there are two together, or
// some beside Chinese. One alone is the name of a field.
func english(text string, stay map[string]bool) string {
	said := data.ReplaceAllString(text, "")
	if strings.Contains(text, " › ") || !prose.MatchString(said) && !chinese.MatchString(said) {
		return ""
	}
	var left []string
	for _, w := range word.FindAllString(said, -1) {
		if !stay[w] {
			left = append(left, w)
		}
	}
	return strings.Join(left, " ")
}

// keptNames are those that stay as they are in every language.
func keptNames(t *testing.T) map[string]bool {
	t.Helper()
	data, err := os.ReadFile("../internal/catalogue/testdata/kept.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{"ms": true}
	for _, w := range slices.DeleteFunc(strings.Split(string(data), "\n"), func(l string) bool { return strings.HasPrefix(l, "#") }) {
		all[w] = true
	}
	return all
}
