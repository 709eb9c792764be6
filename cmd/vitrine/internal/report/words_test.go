package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// settingNames matches what a program sets and a flag has to stand for: Config's
// fields, and those of its parts behind a dot.
func settingNames() *regexp.Regexp {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[tls.Config]()) {
		if f.Type.Kind() == reflect.Struct && f.Type.PkgPath() != "time" {
			names = append(names, f.Name+`\.[A-Z]\w+`)
		} else if len(f.Name) > len("Time") && f.Name != "Certificates" { // words of English too
			names = append(names, f.Name)
		}
	}
	return regexp.MustCompile(`\b(Config\.\w+|set Certificates|` + strings.Join(names, "|") + `)\b`)
}

// hintsIn are the literals of a package of the library that may be read as hints:
// all but those of errors about a Config, which the command makes itself.
func hintsIn(t *testing.T, dir string) (found []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../../../..", dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(dir, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && strings.Contains(s, " ") {
					found = append(found, s)
				}
			}
			return true
		})
	}
	return found
}

// Every hint of the library is in the words of the command when it reaches its user,
// on either side; and no row of the table stands there for nothing.
func TestHintsAreInTheWordsOfTheCommand(t *testing.T) {
	var all []string
	for _, dir := range []string{"internal/handshake", "internal/engine", "certcheck"} {
		all = append(all, hintsIn(t, dir)...)
	}
	all = append(all, "see Config.HandshakeTimeout") // of tls
	names, met := settingNames(), 0
	for _, hint := range all {
		if names.MatchString(hint) {
			met++
		}
		for _, we := range []wire.Role{wire.Client, wire.Server} {
			if left := names.FindString(inFlags(hint, we)); left != "" && !strings.Contains(hint, " failed") && !strings.Contains(hint, " returned ") {
				t.Errorf("for the %v %q becomes %q, which names %s", we, hint, inFlags(hint, we), left)
			}
		}
	}
	if met < 15 {
		t.Errorf("only %d hints name a setting: is this the right place?", met)
	}
	for _, s := range settings {
		if !strings.Contains(strings.Join(all, "\n"), s.setting) {
			t.Errorf("no hint has %q", s.setting)
		}
	}
}
