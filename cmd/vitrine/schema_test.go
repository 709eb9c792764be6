package main

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/build"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/cert/ca"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/cert/delegate"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/cert/ech"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/cert/expiry"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/cert/show"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/cert/verify"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/connect"
	verb "github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/explain"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/lab"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/man"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/proxy"
	verbscan "github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/scan"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/suites"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diff"
)

var update = flag.Bool("update", false, "write schema.json anew")

// written is what the verbs write with --json; suites writes an array of it.
var written = map[string]reflect.Type{
	"explain CAPTURE":    reflect.TypeFor[verb.List](),
	"explain":            reflect.TypeFor[explain.Connection](),
	"explain --diagnose": reflect.TypeFor[report.Diagnosis](),
	"explain --diff":     reflect.TypeFor[diff.Difference](),
	"connect":            reflect.TypeFor[connect.Summary](),
	"cert show":          reflect.TypeFor[show.Shown](),
	"cert expiry":        reflect.TypeFor[expiry.Watch](),
	"cert ech":           reflect.TypeFor[ech.Made](),
	"cert delegate":      reflect.TypeFor[delegate.Made](),
	"cert ca init":       reflect.TypeFor[ca.Authority](),
	"cert ca issue":      reflect.TypeFor[ca.Certificate](),
	"cert ca revoke":     reflect.TypeFor[ca.Revoked](),
	"cert ca crl":        reflect.TypeFor[ca.List](),
	"cert ca ocsp":       reflect.TypeFor[ca.Responder](),
	"cert ca trust":      reflect.TypeFor[ca.Trust](),
	"cert ca untrust":    reflect.TypeFor[ca.Trust](),
	"cert verify":        reflect.TypeFor[verify.Verification](),
	"lab":                reflect.TypeFor[lab.Lab](),
	"proxy check":        reflect.TypeFor[proxy.Checked](),
	"proxy print":        reflect.TypeFor[proxy.Converted](),
	"proxy import":       reflect.TypeFor[proxy.Converted](),
	"scan":               reflect.TypeFor[verbscan.Scans](),
	"suites":             reflect.TypeFor[suites.Suite](),
	"man":                reflect.TypeFor[man.Pages](),
	"version":            reflect.TypeFor[build.Info](),
	"error":              reflect.TypeFor[report.Refusal](),
}

// schema.json is made of the types, and describes the JSON of every verb.
func TestSchema(t *testing.T) {
	docs := comments(t)
	all := map[string]any{"explain": map[string]any{"$ref": explain.Format, "description": "in explain/schema.json"}}
	for name, typ := range written {
		if name != "explain" {
			all[name] = schemaOf(typ, docs)
		}
	}
	var one []any
	for _, name := range slices.Sorted(maps.Keys(written)) {
		one = append(one, map[string]any{"$ref": "#/$defs/" + name})
	}
	got, err := json.MarshalIndent(map[string]any{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"$id":         "vitrine/1",
		"description": "What the verbs of vitrine write with --json, by the verb's name; suites writes an array. A verb that fails writes error instead. One name means the same in all of them.",
		"oneOf":       one,
		"$defs":       all,
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile("schema.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile("schema.json"); err != nil || string(want) != string(got) {
		t.Errorf("schema.json is not that of the types (%v); run with -update", err)
	}
}

// The schema is a schema: each type has a name that JSON Schema knows, and each property one that JSON can have.
func TestSchemaIsOne(t *testing.T) {
	b, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(b, &root); err != nil {
		t.Fatal(err)
	}
	known := []any{"array", "boolean", "integer", "null", "number", "object", "string"}
	var check func(at string, v any)
	check = func(at string, v any) {
		object, ok := v.(map[string]any)
		if !ok {
			t.Errorf("%s is no schema", at)
			return
		}
		if typ, given := object["type"]; given && !slices.Contains(known, typ) {
			t.Errorf("%s has the type %q", at, typ)
		}
		if items, given := object["items"]; given {
			check(at+"[]", items)
		}
		properties, _ := object["properties"].(map[string]any)
		for name, property := range properties {
			if name == "" || name == "-" {
				t.Errorf("%s has a property %q", at, name)
			}
			check(at+"."+name, property)
		}
		required, _ := object["required"].([]any)
		for _, name := range required {
			if properties[name.(string)] == nil {
				t.Errorf("%s demands %q, which is no property", at, name)
			}
		}
	}
	for name, v := range root["$defs"].(map[string]any) {
		check(name, v)
	}
}

// comments are those of the fields, by package, type and field.
func comments(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, pattern := range []string{"internal/build/*.go", "internal/report/*.go", "internal/certs/*.go", "internal/verbs/*/*.go", "internal/verbs/*/*/*.go", "../../explain/verdict.go", "../../explain/diagnose/verdict.go", "../../scan/*.go", "../../scan/fix/fix.go"} {
		files, _ := filepath.Glob(pattern) // the pattern is well formed
		for _, name := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok {
					return true
				}
				if s, ok := spec.Type.(*ast.StructType); ok {
					for _, f := range s.Fields.List {
						for _, id := range f.Names {
							docs[file.Name.Name+"."+spec.Name.Name+"."+id.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
						}
					}
				}
				return false
			})
		}
	}
	return docs
}

func schemaOf(t reflect.Type, docs map[string]string) map[string]any {
	if t == reflect.TypeFor[time.Time]() {
		return map[string]any{"type": "string", "format": "date-time"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem(), docs)
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), docs)}
	case reflect.Struct:
		properties, required := map[string]any{}, []string{}
		for f := range fieldsOf(t) {
			name, options := nameOf(f)
			property := schemaOf(f.Type, docs)
			if doc := docs[t.String()+"."+f.Name]; doc != "" {
				property["description"] = doc
			}
			properties[name] = property
			if options == "" {
				required = append(required, name)
			}
		}
		return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	}
	return map[string]any{"type": map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer",
	}[t.Kind()]}
}

func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for _, f := range reflect.VisibleFields(t) {
			if f.IsExported() && f.Tag.Get("json") != "-" && !(f.Anonymous && f.Tag.Get("json") == "") && !yield(f) {
				return
			}
		}
	}
}

func nameOf(f reflect.StructField) (name, options string) {
	name, options, _ = strings.Cut(f.Tag.Get("json"), ",")
	return name, options
}

// One thing has one name in every verb: the names that were two are one, and
// what has the same name has the same type.
func TestOneVocabulary(t *testing.T) {
	gone := []string{"suite", "sni", "handshake_ms", "signature", "resumption", "text"}
	types := map[string]reflect.Type{}
	summaries := maps.Clone(written)
	summaries["explain's summary"] = reflect.TypeFor[explain.Summary]()
	summaries["failure"] = reflect.TypeFor[report.Failure]()
	for verb, typ := range summaries {
		for f := range fieldsOf(typ) {
			name, _ := nameOf(f)
			if slices.Contains(gone, name) {
				t.Errorf("%s has %q, which has another name elsewhere", verb, name)
			}
			if types[name] == nil {
				types[name] = f.Type
			} else if types[name].Kind() != f.Type.Kind() {
				t.Errorf("%q is %v in %s, and %v in another verb", name, f.Type, verb, types[name])
			}
		}
	}
}
