package redact

import (
	"encoding/json"
	"slices"
)

// Members of a verdict, as package explain writes it: those whose text stays, and those
// that are names as a whole. Others are sentences.
var (
	harmless = []string{"rule", "source", "profile", "role", "demands", "key", "signed_with", "status", "by", "reason",
		"not_before", "not_after", "revoked_at", "this_update", "next_update"}
	names         = []string{"server_name", "names", "sha256", "url"}
	distinguished = []string{"subject", "issuer", "subjects"}
)

// verdict replaces texts in a verdict: first what is a name, which is remembered, then
// sentences. What is no JSON goes: it is empty then.
func (s *Redactor) verdict(raw json.RawMessage, replace func(member, text string) string) json.RawMessage {
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return nil
	}
	out, err := json.Marshal(eachText(v, "", replace))
	if err != nil {
		return nil
	}
	return out
}

// named replaces what is a name as a whole.
func (s *Redactor) named(member, text string) string {
	switch {
	case slices.Contains(distinguished, member):
		return s.distinguished(text)
	case slices.Contains(names, member):
		return s.text(text)
	}
	return text
}

// said replaces names in sentences.
func (s *Redactor) said(member, text string) string {
	if slices.Contains(distinguished, member) || slices.Contains(names, member) || slices.Contains(harmless, member) {
		return text
	}
	return s.prose(text)
}

// eachText is v with each text replaced; those of a list belong to its member.
func eachText(v any, member string, replace func(member, text string) string) any {
	switch x := v.(type) {
	case string:
		return replace(member, x)
	case []any:
		for i := range x {
			x[i] = eachText(x[i], member, replace)
		}
	case map[string]any:
		for name := range x {
			x[name] = eachText(x[name], name, replace)
		}
	}
	return v
}
