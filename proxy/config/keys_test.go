package config_test

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// keys are all keys of a configuration, by the type that has them.
func keys(t *testing.T) (all []string) {
	t.Helper()
	seen := map[reflect.Type]bool{}
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			visit(typ.Elem())
		case reflect.Struct:
			if seen[typ] {
				return
			}
			seen[typ] = true
			for i := range typ.NumField() {
				f := typ.Field(i)
				name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
				if f.IsExported() && options != "inline" {
					all = append(all, name)
				}
				if _, text := reflect.New(f.Type).Interface().(encoding.TextUnmarshaler); !text {
					visit(f.Type)
				}
			}
		}
	}
	visit(reflect.TypeFor[config.Config]())
	slices.Sort(all)
	return slices.Compact(all)
}

// missing are the keys that a text in YAML has not.
func missing(t *testing.T, text string) (none []string) {
	for _, key := range keys(t) {
		if key != "" && !strings.Contains(text, key+":") {
			none = append(none, key)
		}
	}
	return none
}
