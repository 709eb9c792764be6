package vitrine_test

import (
	"go/ast"
	"maps"
	"testing"
)

// panics are the files that may panic, and how often: on what only a mistake in
// this module's own code can cause, never on input.
var panics = map[string]int{
	"certcheck/internal/forge/forge.go":   1, // what a test wrote down wrongly
	"cmd/vitrine/internal/flags/flags.go": 1, // a flag that was not defined
	"httptls/hooks.go":                    1, // net/http's way to give up a request whose client is gone
	"internal/devca/names.go":             1, // a constant that does not parse
	"internal/keys/hmac.go":               2, // a hash that cannot keep its state
	"internal/keys/tls13.go":              1, // a label out of HKDF's bounds
	"internal/primitive/aesgcm/aesgcm.go": 5, // use after Wipe, lengths and overlaps that no record has, as in crypto/cipher
	"internal/suite/ccm.go":               1, // lengths that no record has, as in crypto/cipher
	"session/ticket.go":                   1, // no keys given
	"session/xaes.go":                     1, // a key or an output of impossible size
	"tls/callbacks.go":                    1, // what a callback panicked with goes on to the caller
	"tls/ticket_keys.go":                  1, // SetSessionTicketKeys without keys, as in crypto/tls
	"tls/receive_other.go":                1, // cannot be reached: without a raw connection nobody asks
	"tls/state.go":                        1, // OCSPResponse of a server, as in crypto/tls
	"wire/append.go":                      1, // a vector longer than its prefix can say
}

// recovers are the files that may recover, and why.
var recovers = map[string]string{
	"tls/early_config.go":                          "a replay store of the application panics, on our own goroutine: early data is refused",
	"tls/callbacks.go":                             "a callback of the application panics: the connection ends and, on our own goroutines, not the process",
	"cmd/vitrine/internal/verbs/cert/show/lint.go": "zlint panics on what is malformed: its rules end there, not the command",
	"httptls/listener.go":                          "a callback of the application panics: net/http ends that connection, not the process",
	"httptls/early.go":                             "the same where a handshake ends behind early data, on a goroutine of net/http that does not recover",
}

func TestPanicsAreFew(t *testing.T) {
	found := map[string]int{}
	inspect(t, nil, func(s source, n ast.Node) {
		if isCall(n, "panic") {
			found[s.path]++
		}
	})
	if !maps.Equal(found, panics) {
		t.Errorf("panics are in %v, the list has %v", found, panics)
	}
}

// What would need a recover is a bug to be found, not hidden.
func TestNothingRecovers(t *testing.T) {
	inspect(t, nil, func(s source, n ast.Node) {
		if isCall(n, "recover") && recovers[s.path] == "" {
			s.errorf(t, n, "recover")
		}
	})
}

func isCall(n ast.Node, name string) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	f, ok := call.Fun.(*ast.Ident)
	return ok && f.Name == name
}
