package wire

import (
	"errors"
	"testing"
)

// Names of other types than host_name are passed over, and of a host_name there is
// one at most: two follow the grammar, and are not allowed. RFC 6066 §3.
func TestServerNameList(t *testing.T) {
	for body, want := range map[string]struct {
		host             string
		refused, illegal bool
	}{
		"\x00\x04\x00\x00\x01a":                           {host: "a"},
		"\x00\x04\x01\x00\x01a":                           {},
		"\x00\x03\xff\x00\x00":                            {},
		"\x00\x08\x01\x00\x01b\x00\x00\x01a":              {host: "a"},
		"\x00\x08\x00\x00\x01a\x01\x00\x01b":              {host: "a"},
		"\x00\x08\x01\x00\x01a\x01\x00\x01b":              {},
		"\x00\x08\x00\x00\x01a\x00\x00\x01a":              {refused: true, illegal: true},
		"\x00\x08\x00\x00\x01a\x00\x00\x01b":              {refused: true, illegal: true},
		"\x00\x08\x00\x00\x01a\x00\x00\x02b":              {refused: true}, // the grammar comes first
		"\x00\x08\x00\x00\x01a\x01\x00\x02b":              {refused: true},
		"\x00\x00":                                        {refused: true},
		"\x00\x03\x00\x00\x00":                            {refused: true}, // a host_name has a byte at least
		"\x00\x04\x00\x00\x01a\x00":                       {refused: true},
		"\x00\x0c\x00\x00\x01a\x07\x00\x01b\x00\x00\x01c": {refused: true, illegal: true},
	} {
		r := NewReader([]byte(body), nil)
		host := ReadServerName(&r)
		err := r.Finish("server_name")
		var broken *SyntaxError
		if errors.As(err, &broken) != want.refused || want.refused && broken.Illegal != want.illegal || !want.refused && host != want.host {
			t.Errorf("%q: %q, %v; want %+v", body, host, err, want)
		}
	}
}
