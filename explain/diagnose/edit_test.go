package diagnose

import (
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A hello asks for a session in one of three ways, and its copy in none.
func TestACopyResumesNothing(t *testing.T) {
	versions := wire.Extension{Type: wire.ExtSupportedVersions, Data: wire.AppendSupportedVersions(nil, []wire.Version{wire.TLS13})}
	for name, c := range map[string]struct {
		id   []byte
		x    wire.Extensions
		want string
	}{
		"nothing":                     {nil, nil, ""},
		"a place for a ticket":        {nil, wire.Extensions{{Type: wire.ExtSessionTicket}}, ""},
		"a ticket":                    {nil, wire.Extensions{{Type: wire.ExtSessionTicket, Data: []byte{1}}}, "session_ticket"},
		"an ID":                       {make([]byte, 32), nil, "session_id"},
		"an ID of TLS 1.3 is none":    {make([]byte, 32), wire.Extensions{versions}, ""},
		"a pre-shared key beside one": {make([]byte, 32), wire.Extensions{versions, {Type: wire.ExtPreSharedKey, Data: []byte{0}}}, "pre_shared_key"},
	} {
		h := &hello{ClientHello: wire.ClientHello{LegacyVersion: wire.TLS12, SessionID: c.id, Extensions: c.x}}
		h.read()
		if got := h.resumes(); got != c.want {
			t.Errorf("%s: it resumes by %q, want %q", name, got, c.want)
		}
		if got := h.copyOf().resumes(); got != "" {
			t.Errorf("%s: its copy resumes by %q", name, got)
		}
	}
}
