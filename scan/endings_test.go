package scan

import (
	"strings"
	"testing"
)

// What a server makes of a KeyUpdate, and how it ends a connection.
func TestUpdatesAndEndings(t *testing.T) {
	tests := []struct {
		server *broken13
		id     string // what is found
		says   map[string]string
	}{
		{&broken13{}, "", map[string]string{"KeyUpdate": "taken, and answered where it asks for that", "answer to close_notify": "yes", "close_notify after an answer": "yes"}},
		{&broken13{updates: "refused"}, "key-update", map[string]string{"KeyUpdate": "refused: alert unexpected_message"}},
		{&broken13{updates: "unanswered"}, "key-update", map[string]string{"KeyUpdate": "taken, and not answered where it asks for that"}},
		{&broken13{abrupt: true}, "no-close-notify", map[string]string{"answer to close_notify": "no: it hangs up", "close_notify after an answer": "no: it hangs up"}},
	}
	for _, test := range tests {
		t.Run(test.server.updates+test.id, func(t *testing.T) {
			t.Parallel()
			r := audited(t, test.server.serve(t), Options{ConfigurationOnly: true})
			for _, id := range []string{"key-update", "no-close-notify"} {
				if r.has(id) != (id == test.id) {
					t.Errorf("%s: %v", id, r.has(id))
				}
			}
			if test.id != "" {
				wantFinding(t, r, test.id)
			}
			for name, want := range test.says {
				if got := r.Feature(name); !strings.HasPrefix(got, want) {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}
