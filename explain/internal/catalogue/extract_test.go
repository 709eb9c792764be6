package catalogue

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sourceTexts are the texts that the Go files of a folder, without its tests, write, and
// where: each string expression, with placeholders for what is not a literal.
func sourceTexts(t *testing.T, dir string, only ...string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no source in %s: %v", dir, err)
	}
	texts := map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Walk(&extractor{only: only, found: func(text string, at token.Pos) { texts[text] = set.Position(at).String() }}, file)
	}
	return texts
}

// extractor reports the texts of a syntax tree.
type extractor struct {
	only   []string
	inside bool // a call of one of only
	found  func(string, token.Pos)
}

func (x *extractor) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.ImportSpec, *ast.Field:
		return nil
	case *ast.CallExpr:
		if !x.inside && slices.Contains(x.only, callee(n)) {
			in := &extractor{x.only, true, x.found}
			for _, a := range n.Args {
				ast.Walk(in, a)
			}
			return nil
		}
		if callee(n) == "Count" && len(n.Args) == 2 {
			if thing, ok := n.Args[1].(*ast.BasicLit); ok && x.wanted() {
				one, _ := strconv.Unquote(thing.Value)
				x.found("1 "+one, n.Pos())
				x.found("{0} "+one+"s", n.Pos())
				return nil
			}
		}
	}
	e, ok := n.(ast.Expr)
	if !ok || !x.wanted() {
		return x
	}
	text, literal := new(template).of(e)
	if !literal {
		return x
	}
	x.found(text, e.Pos())
	return (*rest)(x)
}

func (x *extractor) wanted() bool { return len(x.only) == 0 || x.inside }

// rest walks what stands in the places of values of a text.
type rest extractor

func (x *rest) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.BasicLit:
		return nil
	case *ast.CallExpr:
		if formats[callee(n)] {
			return x
		}
		return (*extractor)(x).Visit(n)
	}
	return x
}

// formats are the functions that put values into their first argument.
var formats = map[string]bool{"Sprintf": true, "Errorf": true, "agree": true, "differ": true}

// template makes a text with placeholders of an expression.
type template struct{ values int }

// of also reports whether there is a literal in it.
func (t *template) of(e ast.Expr) (text string, literal bool) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return t.of(e.X)
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			s, err := strconv.Unquote(e.Value)
			return t.format(s), err == nil
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			left, a := t.of(e.X)
			right, b := t.of(e.Y)
			return left + right, a || b
		}
	case *ast.CallExpr:
		if formats[callee(e)] && len(e.Args) > 0 {
			return t.of(e.Args[0])
		}
	}
	t.values++
	return fmt.Sprintf("{%d}", t.values-1), false
}

var verb = regexp.MustCompile(`%(\[(\d)\])?[-+#.*0-9]*[a-zA-Z%]`)

// format puts placeholders in the places of verbs.
func (t *template) format(s string) string {
	base, next := t.values, t.values
	s = verb.ReplaceAllStringFunc(s, func(v string) string {
		if v == "%%" {
			return "%"
		}
		if m := verb.FindStringSubmatch(v); m[2] != "" {
			i, _ := strconv.Atoi(m[2])
			next = base + i - 1
		}
		next++
		t.values = max(t.values, next)
		return fmt.Sprintf("{%d}", next-1)
	})
	return s
}

func callee(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}
