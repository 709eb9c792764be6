package attacks

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
)

// What SECURITY.md says of the code is compared with the code.

const root = "../../.."

func security() string { return string(must(os.ReadFile(root + "/SECURITY.md"))) }

// Every switch has its row, with the attack that it opens, and every row is a
// switch.
func TestEverySwitchIsDocumented(t *testing.T) {
	_, section, _ := strings.Cut(security(), "\n## Switches under Config.Legacy\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([^|]+) \\| ([^|]+) \\|$").FindAllStringSubmatch(section, -1) {
		rows[m[1]] = true
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[tls.Legacy]()) {
		if !rows[field.Name] {
			t.Errorf("SECURITY.md does not say which attack Legacy.%s opens", field.Name)
		}
		delete(rows, field.Name)
	}
	for name := range rows {
		t.Errorf("SECURITY.md describes the switch %s, which does not exist", name)
	}
}

// citation is a package and tests of it: `tls` TestA, TestB.
var citation = regexp.MustCompile("`([a-z][a-z0-9/]*)` (Test\\w+(?:, Test\\w+)*)")

// Every test that is named exists, and no test of an attack is left out.
func TestEveryTestThatIsNamedExists(t *testing.T) {
	have := map[string]map[string]bool{}
	cited := map[string]bool{}
	for _, m := range citation.FindAllStringSubmatch(security(), -1) {
		if have[m[1]] == nil {
			have[m[1]] = tests(t, m[1])
		}
		for _, name := range strings.Split(m[2], ", ") {
			if cited[name] = true; !have[m[1]][name] {
				t.Errorf("SECURITY.md names %s of %s, which does not exist", name, m[1])
			}
		}
	}
	for _, name := range regexp.MustCompile(`Test\w+`).FindAllString(security(), -1) {
		if !cited[name] {
			t.Errorf("SECURITY.md names %s without its package", name)
		}
	}
	ours := []string{"TestMain", "TestEverySwitchIsDocumented", "TestEveryTestThatIsNamedExists", "TestKeyExchangesPage", "TestCellsHoldPhrases"}
	for _, name := range slices.Sorted(maps.Keys(tests(t, "internal/proof/attacks"))) {
		if !cited[name] && !slices.Contains(ours, name) {
			t.Errorf("SECURITY.md does not name %s", name)
		}
	}
}

// tests are the names of the tests in a folder.
func tests(t *testing.T, folder string) map[string]bool {
	names := map[string]bool{}
	files := must(fs.Glob(os.DirFS(filepath.Join(root, folder)), "*_test.go"))
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, folder, file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Test") {
				names[fn.Name.Name] = true
			}
		}
	}
	return names
}

// A table is to be looked up in: a cell holds a phrase, and what needs sentences
// stands below. Cells that name tests are lists.
func TestCellsHoldPhrases(t *testing.T) {
	const most = 130
	for line := range strings.Lines(security()) {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		for cell := range strings.SplitSeq(strings.TrimSpace(line), " | ") {
			if n := len([]rune(cell)); n > most && !citation.MatchString(cell) {
				t.Errorf("a cell of %d characters, want %d at most: %s", n, most, cell)
			}
		}
	}
}
