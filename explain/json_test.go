package explain

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// The schema is made of the types and their comments, so it cannot lag behind
// them; that it is compared with a file makes every change of it visible.
func TestSchema(t *testing.T) {
	got, err := json.MarshalIndent(makeSchema(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile("schema.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(got) != Schema {
		t.Error("schema.json is not that of the types; run with -update, and mind that a field which goes or changes needs a new Format")
	}
}

func makeSchema(t *testing.T) map[string]any {
	var decls []ast.Decl
	for _, name := range []string{"connection.go", "checks.go", "cost.go", "verdict.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		decls = append(decls, file.Decls...)
	}
	defs := map[string]any{}
	var root map[string]any
	for _, d := range decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		spec := g.Specs[0].(*ast.TypeSpec)
		s, ok := spec.Type.(*ast.StructType)
		if !ok || spec.Name.Name == "About" {
			continue
		}
		def := structSchema(s, oneLine(g.Doc))
		if spec.Name.Name == "Connection" {
			root = def
			continue
		}
		defs[spec.Name.Name] = def
	}
	root["$schema"], root["$id"], root["$defs"] = "https://json-schema.org/draft/2020-12/schema", Format, defs
	return root
}

func structSchema(s *ast.StructType, doc string) map[string]any {
	properties := map[string]any{}
	required := []string{}
	for _, f := range s.Fields.List {
		if f.Tag == nil {
			continue
		}
		_, tag, _ := strings.Cut(f.Tag.Value, `json:"`)
		tag, _, _ = strings.Cut(tag, `"`)
		name, options, _ := strings.Cut(tag, ",")
		p := typeSchema(f.Type)
		if doc := oneLine(f.Doc) + oneLine(f.Comment); doc != "" {
			p["description"] = doc
		}
		properties[name] = p
		if options == "" {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "description": doc, "properties": properties, "required": required, "additionalProperties": false}
}

func typeSchema(e ast.Expr) map[string]any {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeSchema(e.X)
	case *ast.ArrayType:
		return map[string]any{"type": "array", "items": typeSchema(e.Elt)}
	case *ast.SelectorExpr: // time.Time
		return map[string]any{"type": "string", "format": "date-time"}
	case *ast.Ident:
		switch e.Name {
		case "string":
			return map[string]any{"type": "string"}
		case "bool":
			return map[string]any{"type": "boolean"}
		case "int", "int64", "uint64":
			return map[string]any{"type": "integer"}
		case "Hex":
			return map[string]any{"type": "string", "pattern": "^([0-9a-f]{2})*$"}
		case "Mood":
			return map[string]any{"enum": []Mood{Plain, Quiet, Good, Advice, Warning, Bad}}
		case "Result":
			return map[string]any{"enum": []Result{Agrees, Differs, Given}}
		}
		return map[string]any{"$ref": "#/$defs/" + e.Name}
	}
	panic("a type without schema")
}

func oneLine(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }

// What is written follows the schema, and nothing is lost in it.
func TestJSON(t *testing.T) {
	c := collect(t, readTape(t, "rfc8448-simple.txt"), nil).Connection(About{Target: "RFC 8448"})
	var out bytes.Buffer
	if err := c.JSON(&out); err != nil {
		t.Fatal(err)
	}
	golden(t, "rfc8448-simple.json", out.Bytes())

	var schema map[string]any
	if err := json.Unmarshal([]byte(Schema), &schema); err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(out.Bytes(), &value); err != nil {
		t.Fatal(err)
	}
	v := validator{t: t, defs: schema["$defs"].(map[string]any)}
	v.check("$", schema, value)

	var back Connection
	d := json.NewDecoder(bytes.NewReader(out.Bytes()))
	d.DisallowUnknownFields()
	if err := d.Decode(&back); err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := back.JSON(&again); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("decoded and encoded again, the JSON is another")
	}
}

// The validator knows the keywords that the schema uses.
type validator struct {
	t    *testing.T
	defs map[string]any
}

func (v validator) check(path string, schema map[string]any, value any) {
	if ref, ok := schema["$ref"].(string); ok {
		schema = v.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, value) {
		v.t.Errorf("%s is %v, which is none of %v", path, value, enum)
	}
	kind := map[any]bool{"object": is[map[string]any](value), "array": is[[]any](value), "string": is[string](value),
		"boolean": is[bool](value), "integer": is[float64](value), nil: true}
	if !kind[schema["type"]] {
		v.t.Errorf("%s is %T, and not %v", path, value, schema["type"])
		return
	}
	switch value := value.(type) {
	case []any:
		for _, x := range value {
			v.check(path+"[]", schema["items"].(map[string]any), x)
		}
	case map[string]any:
		properties := schema["properties"].(map[string]any)
		for _, name := range schema["required"].([]any) {
			if _, ok := value[name.(string)]; !ok {
				v.t.Errorf("%s has no %s", path, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if p, ok := properties[name].(map[string]any); ok {
				v.check(path+"."+name, p, value[name])
			} else {
				v.t.Errorf("%s.%s is not in the schema", path, name)
			}
		}
	}
}

func is[T any](v any) bool { _, ok := v.(T); return ok }
