package vitrine_test

import (
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"
)

// unraced are the packages that .ci/run keeps from the race detector though their tests start
// goroutines: which of those it sees all the same.
var unraced = map[string]string{
	"internal/engine": "TestTheHalves run with it",
	"internal/record": "keys are shared in package tls, whose tests it sees",
	"internal/keys":   "the same",
}

// In what .ci/run keeps from the race detector nothing runs at the same time: not in the
// package, not in what it uses of this module, and not in its tests.
func TestTheRaceDetectorMissesNothing(t *testing.T) {
	script, err := os.ReadFile(".ci/run")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^single='(.*)'$`).FindSubmatch(script)
	if line == nil {
		t.Fatal(".ci/run does not say which packages those are")
	}
	single := regexp.MustCompile("^(" + string(line[1]) + ")$")
	uses, starts := map[string]map[string]bool{}, map[string]string{}
	for _, s := range sources(t) {
		of := s.pkg
		if s.test {
			of += " test"
		}
		if uses[of] == nil {
			uses[of] = map[string]bool{s.pkg: true}
		}
		for _, spec := range s.file.Imports {
			if name, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module); ours {
				uses[of][name] = true
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if startsGoroutine(n) {
				starts[of] = s.path
			}
			return true
		})
	}
	found := 0
	for pkg := range uses {
		if !single.MatchString(pkg) {
			continue
		}
		found++
		for used := range reachedBy(uses, pkg, pkg+" test") {
			if where := starts[used]; where != "" && unraced[pkg] == "" {
				t.Errorf("%s is kept from the race detector by .ci/run, and %s starts a goroutine", pkg, where)
			}
		}
	}
	if found < 10 {
		t.Errorf("%d packages are kept from the race detector", found)
	}
}

func startsGoroutine(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		return true
	case *ast.SelectorExpr:
		switch n.Sel.Name {
		case "Go", "Parallel", "RunParallel", "AfterFunc":
			return true
		}
	}
	return false
}

func reachedBy(uses map[string]map[string]bool, from ...string) map[string]bool {
	seen := map[string]bool{}
	for len(from) > 0 {
		next := from[0]
		if from = from[1:]; seen[next] {
			continue
		}
		seen[next] = true
		for used := range uses[next] {
			from = append(from, used)
		}
	}
	return seen
}
