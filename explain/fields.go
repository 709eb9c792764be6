package explain

import (
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// fields turns the spans of a message into fields: with their bytes, and with
// what they mean, which the first of scopes says that knows the field.
func fields(spans []wire.Span, raw []byte, scopes ...string) []Field {
	out := make([]Field, 0, len(spans))
	var path []string // the groups that are open
	for _, s := range spans {
		path = append(path[:min(s.Depth, len(path))], s.Name)
		f := Field{Offset: s.Offset, Length: s.Length, Depth: s.Depth, Group: s.Group, Name: s.Name, Value: s.Value,
			Ref: s.Ref, Meaning: meaningOf(s, path, scopes)}
		if end := s.Offset + s.Length; !s.Group && end <= len(raw) {
			f.Bytes = raw[s.Offset:end]
		}
		if s.Name != "cert_data" || s.Group {
			out = append(out, f)
			continue
		}
		f.Details = certificateDetails(f.Bytes)
		if parts := certificateFields(f.Bytes, s.Offset, s.Depth); parts != nil {
			parts[0].Details = f.Details
			out = append(out, parts...)
			continue
		}
		out = append(out, f)
	}
	return out
}

// meaningOf says in a sentence what a field is for. Most fields have a name
// that says it; a length or an item of a list needs no words.
func meaningOf(s wire.Span, path, scopes []string) string {
	switch {
	case strings.HasPrefix(s.Name, "GREASE ("):
		return greaseExtension
	case strings.HasPrefix(s.Value, "GREASE (") && s.Name != "extension_type":
		return greaseValue
	case strings.HasPrefix(s.Name, "extension(0x"):
		return unknownExtension
	case signals[s.Value] != "" && len(path) > 1:
		return signals[s.Value]
	case s.Name == "undecoded":
		return "These bytes do not follow the grammar of the message."
	}
	if i := slices.Index(path, s.Name); i >= 0 && i < len(path)-1 { // the content of what has the name already
		return ""
	}
	for _, scope := range scopes {
		if m, ok := fieldMeanings[scope+"."+s.Name]; ok {
			return m
		}
	}
	return fieldMeanings[s.Name]
}
