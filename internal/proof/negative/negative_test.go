package negative

import (
	"flag"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

var (
	all  = flag.Bool("all", false, "run the tests on every defect, not only on some of the first of each layer")
	only = flag.String("only", "", "run the tests on the defects whose names match this, and on no other")
)

func defects(t *testing.T) []Defect {
	t.Helper()
	list, err := Defects()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestThereAreEnough(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range defects(t) {
		if seen[d.Name] {
			t.Errorf("there are two defects of the name %q", d.Name)
		}
		seen[d.Name] = true
	}
	if len(seen) < 36 {
		t.Errorf("there are %d defects", len(seen))
	}
}

// What a defect changes must be there; that all of them compile takes a minute and a half.
func TestEachCompiles(t *testing.T) {
	if programs.Brief() {
		dir := root(t)
		for _, d := range defects(t) {
			if _, err := d.apply(dir); err != nil {
				t.Errorf("%q: %v", d.Name, err)
			}
		}
		return
	}
	if err := Compile(t.Context(), root(t), defects(t), runtime.GOMAXPROCS(0)); err != nil {
		t.Error(err)
	}
}

// Those that fail are told apart from those that they are compiled with.
func TestCompileNamesTheDefect(t *testing.T) {
	const file = "internal/proof/negative/defect.go"
	list := []Defect{
		{Name: "good", Edits: []Edit{{file, "//go:embed defects/*.txt\n", "const one = 1\n\n//go:embed defects/*.txt\n"}}},
		{Name: "wrong", Edits: []Edit{{file, "	Name  string\n", "	Name  nothing\n"}}},
		{Name: "gone", Edits: []Edit{{file, "nothing like it\n", "\n"}}},
	}
	err := Compile(t.Context(), root(t), list, 1)
	if err == nil || strings.Contains(err.Error(), `"good"`) || !strings.Contains(err.Error(), `"wrong": it does not compile`) || !strings.Contains(err.Error(), `"gone": `+file+" has changed") {
		t.Error(err)
	}
}

func TestCaught(t *testing.T) {
	list := defects(t)
	if *only != "" {
		wanted := regexp.MustCompile(*only)
		list = slices.DeleteFunc(list, func(d Defect) bool { return !wanted.MatchString(d.Name) })
	} else if !*all {
		list = firsts(list)
		if programs.Brief() {
			list = list[:1]
		}
	}
	if len(list) == 0 {
		t.Fatalf("no name of a defect matches %q", *only)
	}
	dir := root(t)
	if err := Pass(t.Context(), dir, list, runtime.GOMAXPROCS(0)); err != nil {
		t.Fatal(err)
	}
	Each(list, runtime.GOMAXPROCS(0), func(d *Defect) {
		if err := d.Caught(t.Context(), dir); err != nil {
			t.Errorf("%s: %q: %v", d.Layer, d.Name, err)
		}
	})
}

// firsts are the first defects of each layer.
func firsts(list []Defect) (some []Defect) {
	for i, d := range list {
		if i == 0 || d.Layer != list[i-1].Layer {
			some = append(some, d)
		}
	}
	return some
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no words":            "== a\ntest p TestA\n--- f.go\n-x\n+y\n",
		"no tests":            "== a\nwords\n--- f.go\n-x\n+y\n",
		"a test of nothing":   "== a\nwords\ntest p\n--- f.go\n-x\n+y\n",
		"no change":           "== a\nwords\ntest p TestA\n",
		"a line of no diff":   "== a\nwords\ntest p TestA\n--- f.go\n-x\ny\n",
		"a name with nothing": "== a\n== b\nwords\ntest p TestA\n--- f.go\n-x\n+y\n",
	} {
		if got, err := parse(text); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	list, err := parse("For people.\n\n== a\nwords and\nwords\ntest p TestA TestB\ntest q TestC\n--- f.go\n x\n-y\n+z\n--- g.go\n-v\n+w\n")
	if err != nil || len(list) != 1 || len(list[0].Tests) != 2 || len(list[0].Edits) != 2 || list[0].Edits[0] != (Edit{"f.go", "x\ny\n", "x\nz\n"}) {
		t.Errorf("%+v, %v", list, err)
	}
}

// A defect whose place has changed is not passed over.
func TestApplyRefuses(t *testing.T) {
	const file = "internal/proof/negative/doc.go"
	for name, before := range map[string]string{
		"lines that are not there": "nothing like it\n",
		"lines that repeat":        "//\n",
		"part of a line":           "negative\n",
		"nothing":                  "",
	} {
		d := Defect{Edits: []Edit{{file, before, "changed\n"}}}
		if _, err := d.apply(root(t)); err == nil {
			t.Errorf("%s: applied", name)
		}
	}
	d := Defect{Edits: []Edit{{file, "package negative\n", "package changed\n"}, {file, "package changed\n", "package twice\n"}}}
	if texts, err := d.apply(root(t)); err != nil || !strings.HasSuffix(texts[file], "\npackage twice\n") {
		t.Errorf("%v: %v", texts, err)
	}
}

// What counts as caught: each test named fails, and by what it asserts.
func TestWhatCounts(t *testing.T) {
	tests := []Tests{{"internal/proof/negative", []string{"TestGuarded", "TestAround"}}}
	for name, test := range map[string]struct{ after, want string }{
		"it fails":          {"const guard = false\n", ""},
		"it passes":         {"const guard = 1 < 2\n", "not caught, or there are no such tests"},
		"it panics":         {"var guard = []bool{true}[len(Tests{}.Names)+1]\n", "crash"},
		"it does not build": {"const guard = nothing\n", "does not compile"},
	} {
		d := Defect{Tests: tests, Edits: []Edit{{"internal/proof/negative/guard_test.go", "const guard = true\n", test.after}}}
		err := d.Caught(t.Context(), root(t))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	half := Defect{Tests: []Tests{{"internal/proof/negative", []string{"TestGuarded", "TestParseRefuses"}}}, Edits: []Edit{{"internal/proof/negative/guard_test.go", "const guard = true\n", "const guard = false\n"}}}
	if err := half.Caught(t.Context(), root(t)); err == nil || !strings.Contains(err.Error(), "not caught by TestParseRefuses") {
		t.Error(err)
	}
	if err := Pass(t.Context(), root(t), []Defect{{Tests: tests}}, 1); err != nil {
		t.Error(err)
	}
	if err := Pass(t.Context(), root(t), []Defect{{Tests: []Tests{{"internal/proof/negative", []string{"TestGuarded", "TestOfNoName"}}}}}, 1); err == nil {
		t.Error("a test that does not exist has passed")
	}
}
