package catalogue

import (
	"bufio"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// sources are the packages whose texts reach an account. Of those with only set, it is what
// stands inside calls of these functions.
var sources = []struct {
	dir  string
	only []string
}{
	{dir: "../.."},
	{dir: "../../../internal/handshake", only: []string{"fault", "disagree", "disagreeOn", "refusedBy", "choseGroup", "choseSuite", "choseResumption", "both"}},
	{dir: "../../../internal/engine", only: []string{"fault"}},
	{dir: "../../../wire", only: []string{"Illegal", "Fail"}},
	{dir: "../../../internal/passive"},
	{dir: "../../page"},
	{dir: "../../../certcheck"},
	{dir: "../../../certcheck/revocation"},
}

// prose is what has two words next to each other: a name has one.
var prose = regexp.MustCompile(`[a-z]{2,}[,:;]? [a-z]{2,}`)

// Every sentence that the source can put into an account is there in every language: found
// in the source, so that it cannot be forgotten because no test meets it.
func TestEverySourceText(t *testing.T) {
	unseen := lines(t, "testdata/unseen.txt")
	for _, s := range sources {
		for text, at := range sourceTexts(t, s.dir, s.only...) {
			if !prose.MatchString(text) || unseen[text] || strings.ContainsAny(text, "<\n") { // HTML is no text
				delete(unseen, text)
				continue
			}
			for _, lang := range names {
				if !said(lang, text) {
					t.Errorf("%s: %q has no entry in %s.json; give it one or, where no account shows it, a line in testdata/unseen.txt", at, text, lang)
				}
			}
		}
	}
	for text := range unseen {
		t.Errorf("testdata/unseen.txt has %q, which no source has any more", text)
	}
}

// said reports that a text is an entry, or is made of some.
func said(lang, text string) bool {
	if _, ok := all()[lang][text]; ok {
		return true
	}
	return !prose.MatchString(Translate(lang, text))
}

// lines are those of a file, without comments.
func lines(t *testing.T, name string) map[string]bool {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	all := map[string]bool{}
	in := bufio.NewScanner(file)
	for in.Scan() {
		if line := in.Text(); line != "" && !strings.HasPrefix(line, "#") {
			all[line] = true
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// writers are packages whose texts can reach an account too, but are not all for it.
var writers = []string{"../recompute", "../words", "../../../internal/handshake", "../../../internal/engine", "../../../internal/record", "../../../internal/kex",
	"../../../wire", "../../diagnose", "../../../cmd/vitrine/internal/report", "../../../cmd/vitrine/internal/verbs/explain",
	"../../../cmd/vitrine/internal/certs"}

// An entry that nothing uses any more would be translated again and again, for nobody.
func TestNoUnusedEntry(t *testing.T) {
	used := lines(t, "testdata/composed.txt")
	composed := maps.Clone(used)
	for _, s := range sources {
		maps.Copy(used, keys(sourceTexts(t, s.dir)))
	}
	for _, dir := range writers {
		maps.Copy(used, keys(sourceTexts(t, dir)))
	}
	maps.Copy(used, pageTexts(t))
	for _, lang := range names {
		for _, e := range Messages(lang) {
			if !used[e.English] {
				t.Errorf("%s: nothing writes %q any more; if it is put together from others, it belongs into testdata/composed.txt", lang, e.English)
			}
			delete(composed, e.English)
		}
	}
	for text := range composed {
		t.Errorf("testdata/composed.txt has %q, which is no entry", text)
	}
}

func keys(texts map[string]string) map[string]bool {
	all := map[string]bool{}
	for text := range texts {
		all[text] = true
	}
	return all
}

// pageScripts is where the page's own texts stand.
const pageScripts = "../../page/assets/js/*.js"

// pageTexts are those that the page's scripts give to t, and to what counts.
func pageTexts(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	names, err := filepath.Glob(pageScripts)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		script, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range textsIn(string(script)) {
			all[text] = true
		}
	}
	return all
}

// Every text of the page's scripts is there in every language; what has no words needs none.
func TestEveryPageText(t *testing.T) {
	texts := pageTexts(t)
	if len(texts) < 100 {
		t.Fatalf("only %d texts were found in %s", len(texts), pageScripts)
	}
	for text := range texts {
		for _, lang := range names {
			if _, ok := all()[lang][text]; !ok && hasWord(text) {
				t.Errorf("the page says %q, which has no entry in %s.json", text, lang)
			}
		}
	}
}

// asked is a string literal as the first argument of t, or the arguments of count.
var (
	asked   = regexp.MustCompile(`\bt\(\s*("(?:\\.|[^"\\])*")`)
	counted = regexp.MustCompile(`\bcount\([^;]*?("(?:\\.|[^"\\])*"),\s*("(?:\\.|[^"\\])*")\s*[,)]`)
)

func textsIn(script string) (all []string) {
	for _, m := range append(asked.FindAllStringSubmatch(script, -1), counted.FindAllStringSubmatch(script, -1)...) {
		for _, literal := range m[1:] {
			if text, err := strconv.Unquote(literal); err == nil {
				all = append(all, text)
			}
		}
	}
	return all
}
