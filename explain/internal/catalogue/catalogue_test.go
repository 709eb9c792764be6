package catalogue

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// A file that cannot be read would be a language without texts.
func TestFiles(t *testing.T) {
	if got := Languages(); !slices.Equal(got, []string{"en", "zh"}) {
		t.Errorf("the languages are %q", got)
	}
	for _, lang := range names {
		data, err := files.ReadFile(lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]string
		if err := json.Unmarshal(data, &texts); err != nil {
			t.Fatalf("%s: %v", lang, err)
		}
		var keys []string
		for line := range strings.Lines(string(data)) {
			var key string
			if key, _, _ = strings.Cut(line, `": "`); json.Unmarshal([]byte(key+`"`), &key) == nil {
				keys = append(keys, key)
			}
		}
		if len(keys) != len(texts) || !slices.IsSorted(keys) {
			t.Errorf("%s: %d lines for %d entries: one a line, each once, sorted", lang, len(keys), len(texts))
		}
		if got := Messages(lang); len(got) != len(texts) || !slices.IsSortedFunc(got, func(a, b Entry) int { return strings.Compare(a.English, b.English) }) {
			t.Errorf("%s: Messages has %d entries of %d, or they are not sorted", lang, len(got), len(texts))
		}
	}
	if len(Messages("en")) != 0 || Translate("en", "client") != "client" || Translate("tlh", "client") != "client" {
		t.Error("English, or a language that is not there, has entries")
	}
}

var value = regexp.MustCompile(`\{[=#]?(\d)\}`)

// values are the numbers of the placeholders of a text.
func values(text string) (all []string) {
	for _, m := range value.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// What a text says of values, its translation says of all of them, and in its own script.
func TestEntries(t *testing.T) {
	mixed := regexp.MustCompile(`\p{Han}[,;:!?](\p{Han}|$)|[,;!?]\p{Han}|\p{Han}  |\p{Han}[a-zA-Z{]|[a-zA-Z]\p{Han}`)
	for _, lang := range names {
		for _, e := range Messages(lang) {
			english, there := values(e.English), values(e.Translation)
			if !slices.Equal(english, there) || len(english) > 0 && english[len(english)-1] != string(rune('0'+len(english)-1)) {
				t.Errorf("%s: %q has the values %v, and %q has %v", lang, e.English, english, e.Translation, there)
			}
			if strings.TrimSpace(e.Translation) != e.Translation || e.Translation == "" || !utf8Printable(e.Translation) {
				t.Errorf("%s: %q: %q is empty, or has blanks around it", lang, e.English, e.Translation)
			}
			plain := value.ReplaceAllString(e.Translation, "0")
			if m := mixed.FindString(plain); lang == "zh" && m != "" {
				t.Errorf("%q: %q has %q: no blank between scripts, or punctuation of the other", e.English, e.Translation, m)
			}
			if strings.HasSuffix(e.English, ".") != strings.HasSuffix(e.Translation, "。") {
				t.Errorf("%s: %q: only one of the two is a sentence: %q", lang, e.English, e.Translation)
			}
		}
	}
}

func utf8Printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || unicode.IsControl(r) })
}

// terms is one way to say a term, or some.
type terms []string

func (x *terms) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*x = terms{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(x))
}

// A term of the protocol is always the same one in a language: a reader looks for it.
func TestGlossary(t *testing.T) {
	for _, lang := range names {
		data, err := os.ReadFile("testdata/glossary-" + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		glossary := map[string]terms{}
		if err := json.Unmarshal(data, &glossary); err != nil {
			t.Fatal(err)
		}
		longest := slices.SortedFunc(maps.Keys(glossary), func(a, b string) int { return len(b) - len(a) })
		used, found := map[string]bool{}, map[string]*regexp.Regexp{}
		for _, term := range longest {
			found[term] = regexp.MustCompile(`(^|[^\w.-])` + regexp.QuoteMeta(term) + `(s|es)?([^\w-]|$)`)
		}
		for _, e := range Messages(lang) {
			english := strings.ToLower(e.English[:1]) + e.English[1:]
			for _, term := range longest {
				re := found[term]
				if !strings.Contains(english, term) || !re.MatchString(english) {
					continue
				}
				used[term] = true
				english = re.ReplaceAllString(english, "$1·$3") // a shorter term in it is none
				if !slices.ContainsFunc(glossary[term], func(said string) bool { return strings.Contains(e.Translation, said) }) {
					t.Errorf("%s: %q is %q in %q, and not in %q", lang, term, glossary[term], e.English, e.Translation)
				}
			}
		}
		for term := range glossary {
			if !used[term] {
				t.Errorf("%s: no entry has %q", lang, term)
			}
		}
	}
}
