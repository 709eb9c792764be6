package catalogue

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

// rules are texts in a language of four words, and what they become.
var rules = []struct{ name, text, want string }{
	{"an entry", "a record", "RECORD"},
	{"what is not there", "a thing", "a thing"},
	{"nothing", "", ""},
	{"data in quotation marks", `"a record"`, `"a record"`},
	{"two in quotation marks", `"x": "a record"`, `"x": "a record"`},
	{"parts one by one", "a record · x · a record", "RECORD · x · RECORD"},
	{"a value", "the length of x is known", "LENGTH x!"},
	{"a value that is translated", "the length of a record is known", "LENGTH RECORD!"},
	{"a value that is data", "sent to a record", "TO a record"},
	{"an empty value", "the length of  is known", "LENGTH !"},
	{"a number", "12 things", "THINGS 12"},
	{"no number", "many things", "many things"},
	{"twice the same value", "x or x again", "TWICE x"},
	{"two values where one should stand twice", "x or y again", "x or y again"},
	{"separators", "a record: 3 things; a record (RFC 1)", "RECORD：THINGS 3；RECORD（RFC 1）"},
	{"separators between data", "x: y, z", "x: y, z"},
	{"the separator by which all is translated", "a record (x), and b", "RECORD (X)"},
	{"some of it", "a record: many words", "RECORD：many words"},
	{"an entry before what it is made of", "a record and more", "ALL"},
}

var ruleTexts = map[string]string{"a record": "RECORD", "the length of {0} is known": "LENGTH {0}!", "sent to {0}": "TO {=0}", "{0} things": "THINGS {#0}",
	"{0} or {0} again": "TWICE {0}", "{0}: {1}": "{0}：{1}", "{0}; {1}": "{0}；{1}", "{0} ({1})": "{0}（{1}）", "{0}, {1}": "{0}，{1}", "{0} and {1}": "{0}+{1}",
	"a record (x), and b": "RECORD (X)", "a record and more": "ALL"}

func TestRules(t *testing.T) {
	tr := newTranslator(ruleTexts)
	for _, r := range rules {
		j := job{tr, map[place]saying{}}
		if got := j.translate(r.text, 0).text; got != r.want {
			t.Errorf("%s: %q becomes %q, want %q", r.name, r.text, got, r.want)
		}
	}
}

// The script translates as Go does: every rule, every entry, and texts made of them.
func TestScript(t *testing.T) {
	node := programs.Need(t, "node", "nodejs")
	var texts []string
	for _, e := range Messages("zh") {
		one := strings.NewReplacer("{0}", "7", "{1}", "a value", "{2}", "client", "{3}", "x").Replace(e.English)
		texts = append(texts, one, "client: "+one+" · "+e.English, "tls: "+one+" (RFC 8446 §4.1); "+one)
	}
	var small []string
	for _, r := range rules {
		small = append(small, r.text)
	}
	got := runScript(t, node, all()["zh"], texts)
	for i, text := range texts {
		if want := Translate("zh", text); got[i] != want {
			t.Errorf("%q becomes %q in the script, and %q in Go", text, got[i], want)
		}
	}
	for i, text := range runScript(t, node, ruleTexts, small) {
		if text != rules[i].want {
			t.Errorf("%s: %q becomes %q in the script, want %q", rules[i].name, rules[i].text, text, rules[i].want)
		}
	}
}

// runScript has the script translate texts.
func runScript(t *testing.T, node string, catalogue map[string]string, texts []string) (out []string) {
	t.Helper()
	in, err := json.Marshal(map[string]any{"catalogue": catalogue, "texts": texts})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, "-e", Script+`
const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
const say = translator(input.catalogue);
console.log(JSON.stringify(input.texts.map((x) => say(x))));`)
	cmd.Stdin = strings.NewReader(string(in))
	var errors strings.Builder
	cmd.Stderr = &errors
	data, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errors.String())
	}
	if err := json.Unmarshal(data, &out); err != nil || len(out) != len(texts) {
		t.Fatalf("%d of %d texts, %v", len(out), len(texts), err)
	}
	return out
}

// What a peer wrote costs little, whatever it is, and a text that has it does not hang.
func FuzzTranslate(f *testing.F) {
	f.Add(strings.Repeat("a: b; c, d (e) and ", 50))
	f.Add("the {0} speaks {1} here, not TLS: its first bytes are {2}")
	for _, r := range rules {
		f.Add(r.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		j := job{translators()["zh"], map[place]saying{}}
		j.translate(text, 0)
		if len(j.known) > 20000 {
			t.Errorf("%d parts of a text of %d bytes were looked at", len(j.known), len(text))
		}
	})
}
