package config

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/vitrine-tls/vitrine/internal/vocabulary"
)

// isText reports a value that reads itself from text.
func isText(v reflect.Value) bool {
	_, ok := v.Addr().Interface().(encoding.TextUnmarshaler)
	return ok
}

// kindOf says what a node is.
func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.MappingNode:
		return "keys with values"
	case n.Value == "":
		return "an empty text"
	}
	return strconv.Quote(n.Value)
}

// scalar reads one value.
func (d *decoder) scalar(n, given *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.wrong(path, given, "this must be one value, and is "+kindOf(n)+"; give "+exampleOf(v))
		return
	}
	if err := set(v, n); err != "" {
		d.wrong(path, given, err)
	}
}

// set sets v, and returns what is wrong; empty for nothing.
func set(v reflect.Value, n *yaml.Node) string {
	if isText(v) {
		if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Value)); err != nil {
			return err.Error()
		}
		return ""
	}
	var err error
	switch v.Kind() {
	case reflect.Bool:
		if n.Tag != "!!bool" || n.Value != "true" && n.Value != "false" {
			return strconv.Quote(n.Value) + " is neither true nor false; write one of these"
		}
		v.SetBool(n.Value == "true")
	case reflect.Int:
		var number int64
		number, err = strconv.ParseInt(n.Value, 0, 32)
		v.SetInt(number)
	case reflect.Float64:
		var number float64
		number, err = strconv.ParseFloat(n.Value, 64)
		v.SetFloat(number)
	default:
		v.SetString(n.Value)
	}
	if err != nil {
		return strconv.Quote(n.Value) + " is not a number, or too large; give " + exampleOf(v)
	}
	return ""
}

// exampleOf says what v takes.
func exampleOf(v reflect.Value) string {
	switch v.Interface().(type) {
	case Duration:
		return "a time, like 30s"
	case Size:
		return "a size, like 512MiB"
	}
	switch v.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number, like 0.5"
	}
	return "a text"
}

// fields are the keys of a struct.
type fields struct {
	names []string
	index map[string][]int
}

// fieldsOf reads the tags of a struct, and of those that are inline in it.
func fieldsOf(t reflect.Type) fields {
	f := fields{index: map[string][]int{}}
	for _, field := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if !field.IsExported() || options == "inline" {
			continue
		}
		f.names = append(f.names, name)
		f.index[name] = field.Index
	}
	return f
}

// suggest says what was perhaps meant by a key.
func (f fields) suggest(key string) string {
	least, like := 3, ""
	for _, name := range f.names {
		if far := vocabulary.Distance(strings.ReplaceAll(strings.ToLower(key), "_", "-"), name); far < least && far < len(name)-1 {
			least, like = far, name
		}
	}
	if like != "" {
		return "did you mean " + like + "?"
	}
	if places := places(reflect.TypeFor[Config](), key, ""); len(places) > 0 {
		return "it belongs under " + strings.Join(places[:min(2, len(places))], " or ")
	}
	return "choose from " + strings.Join(f.names, ", ")
}

// places are the paths of the structs that have a key.
func places(t reflect.Type, key, path string) (found []string) {
	switch t.Kind() {
	case reflect.Pointer:
		return places(t.Elem(), key, path)
	case reflect.Slice:
		return places(t.Elem(), key, path+"[]")
	case reflect.Map:
		return places(t.Elem(), key, path+".NAME")
	case reflect.Struct:
		f := fieldsOf(t)
		if slices.Contains(f.names, key) && path != "" {
			found = append(found, path)
		}
		for _, name := range f.names {
			found = append(found, places(t.FieldByIndex(f.index[name]).Type, key, join(path, name))...)
		}
	}
	return found
}
