package tls_test

import (
	"bufio"
	"bytes"
	stdtls "crypto/tls"
	"fmt"
	"go/constant"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

const (
	stdPath = "crypto/tls"
	ourPath = "github.com/vitrine-tls/vitrine/tls"
)

// exceptions are the lines of crypto/tls's API that package tls does not have,
// each with the reason.
var exceptions = map[string]string{}

// TestAPI checks that code written for crypto/tls compiles with package tls:
// every constant, function, method, type and field that Go promises is there,
// with the same value or signature.
func TestAPI(t *testing.T) {
	golden := goldenAPI(t)
	std, ours := features(t, stdPath), features(t, ourPath)
	for _, line := range golden {
		if !std[line] {
			t.Errorf("this test does not understand %q: it does not find it in crypto/tls itself", line)
		}
		reason, excepted := exceptions[line]
		switch {
		case !ours[line] && !excepted:
			t.Errorf("missing: %s", line)
		case ours[line] && excepted:
			t.Errorf("%q is there, so it is no exception (%s)", line, reason)
		}
	}
	for line := range exceptions {
		if !slices.Contains(golden, line) {
			t.Errorf("%q is excepted and not in crypto/tls", line)
		}
	}
}

// TestConfigFields fails when Go adds a field to Config that ours lacks, before
// any golden file lists it.
func TestConfigFields(t *testing.T) {
	std, ours := reflect.TypeFor[stdtls.Config](), reflect.TypeFor[tls.Config]()
	for i := range std.NumField() {
		want := std.Field(i)
		if !want.IsExported() {
			continue
		}
		got, ok := ours.FieldByName(want.Name)
		if !ok {
			t.Errorf("Config lacks %s %v", want.Name, want.Type)
		} else if got.Type.Kind() != want.Type.Kind() {
			t.Errorf("Config.%s is a %v, and a %v in crypto/tls", want.Name, got.Type, want.Type)
		}
	}
}

// TestCloneTakesEveryField fails when a field is added and Clone forgets it.
func TestCloneTakesEveryField(t *testing.T) {
	const left = "SessionTicketKey" // a clone shares no ticket keys
	var c tls.Config
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); v.Type().Field(i).IsExported() {
			setNonZero(t, v.Type().Field(i).Name, f)
		}
	}
	clone := reflect.ValueOf(c.Clone()).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.IsExported() && clone.Field(i).IsZero() != (f.Name == left) {
			t.Errorf("Config.%s: zero in the clone: %v", f.Name, clone.Field(i).IsZero())
		}
	}
}

func setNonZero(t *testing.T, name string, f reflect.Value) {
	t.Helper()
	switch f.Kind() {
	case reflect.Bool:
		f.SetBool(true)
	case reflect.String:
		f.SetString("x")
	case reflect.Int, reflect.Int64:
		f.SetInt(1)
	case reflect.Uint8, reflect.Uint16:
		f.SetUint(1)
	case reflect.Slice:
		f.Set(reflect.MakeSlice(f.Type(), 1, 1))
	case reflect.Map:
		f.Set(reflect.MakeMap(f.Type()))
	case reflect.Pointer:
		f.Set(reflect.New(f.Type().Elem()))
	case reflect.Func:
		f.Set(reflect.MakeFunc(f.Type(), func([]reflect.Value) []reflect.Value { panic("not to be called") }))
	case reflect.Array:
		setNonZero(t, name, f.Index(0))
	case reflect.Struct:
		for i := range f.NumField() {
			setNonZero(t, name, f.Field(i))
		}
	case reflect.Interface:
		for _, value := range []any{strings.NewReader(""), &bytes.Buffer{}, tls.NewLRUClientSessionCache(1), session.NewMemory(1), session.NewRecorder(1, nil)} {
			if v := reflect.ValueOf(value); v.Type().Implements(f.Type()) {
				f.Set(v)
				return
			}
		}
		t.Fatalf("the test has no value for Config.%s, a %v", name, f.Type())
	default:
		t.Fatalf("the test has no value for Config.%s, a %v", name, f.Type())
	}
}

// goldenAPI reads what Go promises of crypto/tls from the files of every
// release, in $GOROOT/api.
func goldenAPI(t *testing.T) (lines []string) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "api", "go1*.txt"))
	issue := regexp.MustCompile(` #\d+$`)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			line, ok := strings.CutPrefix(s.Text(), "pkg "+stdPath+", ")
			if ok && !strings.HasSuffix(line, "//deprecated") {
				lines = append(lines, issue.ReplaceAllString(line, ""))
			}
		}
	}
	if len(lines) < 300 {
		t.Fatalf("%d lines about crypto/tls in %d files of $GOROOT/api: is this a whole Go distribution?", len(lines), len(files))
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// features returns a package's exported API in the notation of $GOROOT/api.
func features(t *testing.T, path string) map[string]bool {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", path).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", path, err)
	}
	compiled := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		compiled[name] = file
	}
	pkg, err := importer.ForCompiler(token.NewFileSet(), "gc", func(name string) (io.ReadCloser, error) {
		return os.Open(compiled[name])
	}).Import(path)
	if err != nil {
		t.Fatal(err)
	}
	f := featureSet{pkg, map[string]bool{}}
	for _, name := range pkg.Scope().Names() {
		if obj := pkg.Scope().Lookup(name); obj.Exported() {
			f.object(obj)
		}
	}
	return f.lines
}

type featureSet struct {
	pkg   *types.Package
	lines map[string]bool
}

func (f featureSet) add(format string, args ...any) { f.lines[fmt.Sprintf(format, args...)] = true }

func (f featureSet) object(obj types.Object) {
	switch obj := obj.(type) {
	case *types.Const:
		f.add("const %s %s", obj.Name(), f.typeName(obj.Type()))
		f.add("const %s = %s", obj.Name(), constant.ToInt(obj.Val()))
	case *types.Var:
		f.add("var %s %s", obj.Name(), f.typeName(obj.Type()))
	case *types.Func:
		f.add("func %s%s", obj.Name(), f.signature(obj.Signature()))
	case *types.TypeName:
		f.typ(obj.Name(), types.Unalias(obj.Type()))
	}
}

func (f featureSet) typ(name string, typ types.Type) {
	switch under := typ.Underlying().(type) {
	case *types.Struct:
		f.add("type %s struct", name)
		for field := range under.Fields() {
			if field.Exported() {
				f.add("type %s struct, %s %s", name, field.Name(), f.typeName(field.Type()))
			}
		}
	case *types.Interface:
		var methods []string
		for m := range under.Methods() {
			methods = append(methods, m.Name())
			f.add("type %s interface, %s%s", name, m.Name(), f.signature(m.Signature()))
		}
		slices.Sort(methods)
		f.add("type %s interface { %s }", name, strings.Join(methods, ", "))
		return
	default:
		f.add("type %s %s", name, f.typeName(under))
	}
	values := types.NewMethodSet(typ)
	for m := range types.NewMethodSet(types.NewPointer(typ)).Methods() {
		if fn := m.Obj().(*types.Func); fn.Exported() {
			receiver := "*" + name
			if values.Lookup(fn.Pkg(), fn.Name()) != nil {
				receiver = name
			}
			f.add("method (%s) %s%s", receiver, fn.Name(), f.signature(fn.Signature()))
		}
	}
}

// signature writes parameters and results without their names.
func (f featureSet) signature(s *types.Signature) string {
	list := func(tuple *types.Tuple) string {
		var names []string
		for v := range tuple.Variables() {
			names = append(names, f.typeName(v.Type()))
		}
		return strings.Join(names, ", ")
	}
	text := "(" + list(s.Params()) + ")"
	switch s.Results().Len() {
	case 0:
		return text
	case 1:
		return text + " " + list(s.Results())
	}
	return text + " (" + list(s.Results()) + ")"
}

var (
	aliasByte = regexp.MustCompile(`\bbyte\b`)
	untyped   = regexp.MustCompile(`^untyped (\w+)$`)
	stdType   = regexp.MustCompile(`\bcrypto/tls\.(\w+)`)
)

// typeName writes a type in the notation of the golden files. There the
// package's own types have no qualifier; nor has a type of crypto/tls here
// where the package's name for it is an alias. Where the package has its own
// type of that name the qualifier stays: using crypto/tls's is a mistake.
func (f featureSet) typeName(t types.Type) string {
	if s, ok := t.(*types.Signature); ok {
		return "func" + f.signature(s)
	}
	name := types.TypeString(t, func(p *types.Package) string {
		switch p.Path() {
		case f.pkg.Path():
			return ""
		case stdPath:
			return stdPath
		}
		return p.Name()
	})
	name = stdType.ReplaceAllStringFunc(name, func(qualified string) string {
		short := strings.TrimPrefix(qualified, stdPath+".")
		if obj, ok := f.pkg.Scope().Lookup(short).(*types.TypeName); ok && obj.IsAlias() {
			return short
		}
		return qualified
	})
	return untyped.ReplaceAllString(aliasByte.ReplaceAllString(name, "uint8"), "ideal-$1")
}
