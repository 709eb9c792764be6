package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// defaultInterval is that of health checks.
const defaultInterval = Duration(5 * time.Second)

// defaults are values that say the same as none, by the last key of their path.
var defaults = map[string]string{
	"mode": ModeTCP, "balance": RoundRobin, "client-auth": "none", "client-cert": "off", "challenge": "tls-alpn-01",
	"format": "text", "level": "info", "sandbox": "auto", "keys": "memory", "interval": "5s",
	"acme-challenge": "tls-alpn-01", "log-format": "text", "log-level": "info", "client-cert-header": "off",
}

// differences are the paths at which a and b do not say the same.
func differences(a, b reflect.Value, path string) (paths []string) {
	switch a.Kind() {
	case reflect.Pointer:
		if empty(a) && empty(b) {
			return nil
		}
		if a.IsNil() || b.IsNil() {
			return []string{path}
		}
		return differences(a.Elem(), b.Elem(), path)
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(a.Type()) {
			name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if f.IsExported() && options != "inline" {
				paths = append(paths, differences(a.FieldByIndex(f.Index), b.FieldByIndex(f.Index), join(path, name))...)
			}
		}
		return paths
	case reflect.Slice:
		for i := range max(a.Len(), b.Len()) {
			at := fmt.Sprintf("%s[%d]", path, i)
			if i >= a.Len() || i >= b.Len() {
				return append(paths, at)
			}
			paths = append(paths, differences(a.Index(i), b.Index(i), at)...)
		}
		return paths
	case reflect.Map:
		return differentTargets(a.Interface().(map[string]Target), b.Interface().(map[string]Target), path)
	}
	word := defaults[path[strings.LastIndexByte(path, '.')+1:]]
	said := func(v reflect.Value) string {
		if text := textOf(v); text != word {
			return text
		}
		return ""
	}
	if said(a) != said(b) {
		return []string{path}
	}
	return nil
}

// empty reports a pointer that says as little as nil: not of TLS, which is on then.
func empty(v reflect.Value) bool {
	switch p := v.Interface().(type) {
	case *HTTP:
		return p == nil || len(differences(reflect.ValueOf(*p), reflect.ValueOf(HTTP{}), "")) == 0
	case *bool:
		return p == nil || *p // keep-host
	}
	return v.IsNil()
}

func differentTargets(a, b map[string]Target, path string) (paths []string) {
	for _, name := range sortedNames(a) {
		other, ok := b[name]
		if !ok {
			paths = append(paths, join(path, name))
			continue
		}
		paths = append(paths, differences(reflect.ValueOf(a[name]), reflect.ValueOf(other), join(path, name))...)
	}
	return paths
}
