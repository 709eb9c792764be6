package tls

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// go doc shows no fields of an alias, so its comment lists them.
func TestFieldsOfHandshakeErrorAreDocumented(t *testing.T) {
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	_, comment, _ := strings.Cut(string(source), "// HandshakeError is")
	comment, _, found := strings.Cut(comment, "type HandshakeError =")
	if !found {
		t.Fatal("HandshakeError has moved")
	}
	var list strings.Builder
	for line := range strings.Lines(comment) {
		if item, ok := strings.CutPrefix(line, "//   - "); ok {
			names, _, _ := strings.Cut(item, ":")
			list.WriteString(names + " ")
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[HandshakeError]()) {
		typ := "(" + strings.ReplaceAll(f.Type.String(), "interface {}", "any") + ")"
		if !strings.Contains(list.String(), f.Name) || !strings.Contains(list.String(), typ) {
			t.Errorf("the comment of HandshakeError lacks %s %s", f.Name, typ)
		}
	}
}
