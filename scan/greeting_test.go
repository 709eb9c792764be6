package scan

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

const mailGreeting = "* OK example.test is ready\r\n"

// auditOf is an audit of a server with one suite, reached as if it were at another port.
func auditOf(port string, at Target, v wire.Version, suite wire.CipherSuite) *audit {
	p := &Prober{Dial: func(ctx context.Context, _ Target) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", at.Address)
	}}
	return &audit{p: p, at: Target{Address: "localhost:" + port, Name: at.Name}, r: &Report{answers: map[string]*Answer{}},
		spoken: []wire.Version{v}, suites: map[wire.Version][]wire.CipherSuite{v: {suite}}}
}

// The greeting of a server is no answer to a KeyUpdate.
func TestAGreetingIsNoAnswerToAKeyUpdate(t *testing.T) {
	tests := []struct {
		updates, port, says string
		found               bool
	}{
		{"", "993", "taken, and answered where it asks for that", false},
		{"", "4993", "taken, and answered where it asks for that", false},
		{"refused", "993", "refused: alert unexpected_message", true},
		{"unanswered", "993", "taken, and not answered where it asks for that", true},
	}
	for _, test := range tests {
		t.Run(test.updates+test.port, func(t *testing.T) {
			t.Parallel()
			server := &broken13{greets: mailGreeting, updates: test.updates}
			x := auditOf(test.port, server.serve(t), wire.TLS13, suite13.ID)
			x.keyUpdates(t.Context())
			if got := x.r.Feature(keyUpdate); got != test.says || x.r.has("key-update") != test.found {
				t.Errorf("found %v: %q", x.r.has("key-update"), got)
			}
		})
	}
}

// That a handshake hangs is no refusal of the KeyUpdate behind it.
func TestAHandshakeThatHangsRefusesNoKeyUpdate(t *testing.T) {
	at := silentAt(t, (&broken13{}).serve(t), func(n int32) bool { return n <= 2 })
	x := auditOf("443", at, wire.TLS13, suite13.ID)
	x.p.Timeout = 300 * time.Millisecond
	x.keyUpdates(t.Context())
	if got := x.r.Feature(keyUpdate); !strings.HasPrefix(got, "not known") || x.r.has("key-update") {
		t.Errorf("%q, %+v", got, x.r.Findings)
	}
}

// The greeting of a server is no answer to a record with wrong padding either; and what is
// behind it is.
func TestAGreetingIsNoAnswerToAWrongPadding(t *testing.T) {
	tests := []struct {
		name, port, id string
		server         broken
	}{
		{"sound", "993", "", broken{}},
		{"sound, at an unusual port", "4993", "", broken{}},
		{"sound and late", "4993", "", broken{late: 3 * quiet}},
		{"sound and late, at a port of no greetings", "636", "", broken{late: 3 * quiet}},
		{"ignored", "993", "poodle-tls", broken{padding: "ignored"}},
		{"told", "993", "goldendoodle", broken{padding: "told"}},
		{"told of a right MAC", "465", "zombie-poodle", broken{padding: "told of a right MAC"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.server.greets = mailGreeting
			x := auditOf(test.port, test.server.serve(t), wire.TLS12, brokenSuite.ID)
			var parts []func(context.Context)
			for id, look := range map[string]func(context.Context) (bool, string){"poodle-tls": x.poodle, "zombie-poodle": x.zombie, "goldendoodle": x.goldendoodle} {
				parts = append(parts, func(ctx context.Context) {
					if found, unknown := look(ctx); found != (id == test.id) || unknown != "" {
						t.Errorf("%s: %v, %s", id, found, unknown)
					}
				})
			}
			x.parallel(t.Context(), parts...)
			if n := len(x.r.Findings); n > 1 || test.id != "" && !x.r.has(test.id) {
				t.Errorf("%+v", x.r.Findings)
			}
		})
	}
}
