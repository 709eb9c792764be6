package config_test

import (
	"encoding"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

func manual(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/proxy.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tables are the keys that the manual's tables should have, by their headings.
func tables(typ reflect.Type, path string, all map[string][]string) {
	switch typ.Kind() {
	case reflect.Pointer:
		tables(typ.Elem(), path, all)
	case reflect.Slice:
		tables(typ.Elem(), path+"[]", all)
	case reflect.Map:
		tables(typ.Elem(), path+".NAME", all)
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(typ) {
			name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if !f.IsExported() || options == "inline" {
				continue
			}
			all[path] = append(all[path], name)
			if _, text := reflect.New(f.Type).Interface().(encoding.TextUnmarshaler); !text {
				tables(f.Type, strings.TrimPrefix(path+"."+name, "."), all)
			}
		}
	}
}

var code = regexp.MustCompile("`([^`]+)`")

// Each key has a row in the table of its heading, and no row is of a key that is not there.
func TestTheManualHasEveryKey(t *testing.T) {
	want := map[string][]string{}
	tables(reflect.TypeFor[config.Config](), "", want)
	got, section := map[string][]string{}, "none"
	text := manual(t)
	text = text[strings.Index(text, "\n## The file"):strings.Index(text, "\n## Who may come in")]
	for _, line := range strings.Split(text, "\n") {
		if heading, ok := strings.CutPrefix(line, "### "); ok {
			section = strings.Trim(strings.TrimPrefix(heading, "The whole"), "`")
		}
		if row, ok := strings.CutPrefix(line, "| `"); ok {
			for _, key := range code.FindAllStringSubmatch(strings.SplitN("`"+row, "|", 2)[0], -1) {
				got[section] = append(got[section], key[1])
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(want)) {
		slices.Sort(want[path])
		slices.Sort(got[path])
		if !slices.Equal(want[path], got[path]) {
			t.Errorf("%q has the keys %q, and the manual %q", path, want[path], got[path])
		}
		delete(got, path)
	}
	if len(got) > 0 {
		t.Errorf("the manual has what is not there: %q", got)
	}
}

// Each example of the manual is read, and good.
func TestTheManualsExamples(t *testing.T) {
	blocks := strings.Split(manual(t), "```yaml\n")[1:]
	if len(blocks) < 5 {
		t.Fatalf("only %d examples", len(blocks))
	}
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		if problems := config.Check(mustParse(t, text)); problems != nil {
			t.Errorf("%v\nin\n%s", problems, text)
		}
	}
}

// Each command line of the manual has flags that are there.
func TestTheManualsCommands(t *testing.T) {
	var names []string
	for _, one := range new(config.Flags).All() {
		names = append(names, "--"+one.Name)
	}
	names = append(names, "--config", "--from", "--take-over", "--no-files", "--help", "--")
	lines := 0
	for line := range strings.Lines(manual(t)) {
		ours, _, _ := strings.Cut(line, " -- ") // behind it are ghostunnel's
		if !strings.HasPrefix(line, "vitrine proxy") {
			continue
		}
		lines++
		for _, word := range strings.Fields(ours) {
			if strings.HasPrefix(word, "--") && !slices.Contains(names, word) {
				t.Errorf("%s has no %s", line, word)
			}
		}
	}
	if lines < 6 {
		t.Errorf("only %d command lines", lines)
	}
}
