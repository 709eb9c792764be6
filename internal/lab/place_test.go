package lab

import (
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

// Of every record of a connection, whole and at a byte, on the wire and inside, each thing
// that is on offer can be done, and is done to what was selected.
func TestTouches(t *testing.T) {
	for _, name := range []string{"defaults", "TLS 1.2", "small records", "renegotiation"} {
		s := setups[name]
		honest := run(t, s, nil)
		for _, c := range []*explain.Connection{honest.Client, honest.Server} {
			for _, e := range c.Events {
				if e.Record == nil {
					continue
				}
				for _, at := range []Selection{{Layer: "wire", Whole: true}, {Layer: "wire", Offset: 5}, {Layer: "inside", Offset: 0}} {
					at.Record = e.Record.Number
					touches := Touches(c, at)
					if len(touches) < 6 {
						t.Fatalf("%s: %+v: %d things can be done", name, at, len(touches))
					}
					if !programs.Brief() && name != "renegotiation" {
						touch(t, s, touches)
					}
				}
			}
		}
	}
}

// touch does each thing, and looks that it came up.
func touch(t *testing.T, s Setup, touches []Touch) {
	t.Helper()
	for _, x := range touches {
		d := x.Deviation
		if len(x.Options) > 0 {
			d.Text = x.Options[0]
		}
		r := run(t, s, &d)
		last := d.Kind == "replay" || d.Kind == "reorder" // needs another behind it
		if r.Finding.Outcome == Absent && !last {
			t.Errorf("%s: %s", r.Words, r.Finding.Text)
		}
	}
}

// The message that is selected is the one that is missing.
func TestTheMessageThatIsSelected(t *testing.T) {
	for _, c := range []struct{ setup, message, kind, want string }{
		{"TLS 1.2", "ServerKeyExchange", "drop", "where ServerKeyExchange is due"},
		{"TLS 1.2", "Certificate", "drop", "where Certificate is due"},
		{"defaults", "EncryptedExtensions", "drop", "where EncryptedExtensions is due"},
		{"defaults", "CertificateVerify", "drop", "where CertificateVerify is due"},
		{"TLS 1.2", "ClientKeyExchange", "drop", "where ClientKeyExchange is due"},
	} {
		honest := run(t, setups[c.setup], nil)
		for _, e := range honest.Client.Events {
			if e.Message == nil || e.Message.Name != c.message {
				continue
			}
			p := e.Message.Pieces[0]
			at := Selection{Record: p.Record, Layer: "inside", Offset: p.Offset + 6, Message: c.message, MessageOffset: 6}
			i := slices.IndexFunc(Touches(honest.Client, at), func(x Touch) bool { return x.Deviation.Kind == c.kind && x.Deviation.Inside })
			if i < 0 {
				t.Fatalf("%s cannot be dropped", c.message)
			}
			d := Touches(honest.Client, at)[i].Deviation
			if r := run(t, setups[c.setup], &d); !strings.Contains(r.Finding.Rule, c.want) {
				t.Errorf("%s: %+v", r.Words, r.Finding)
			}
			if !slices.ContainsFunc(Touches(honest.Client, at), func(x Touch) bool {
				return x.Deviation.Kind == "flip" && x.Deviation.Inside && x.Deviation.Byte == 6 && x.Deviation.At == d.At
			}) {
				t.Errorf("byte 6 of %s cannot be flipped", c.message)
			}
		}
	}
}

// What is no place of the account can be touched in no way.
func TestNoSuchPlace(t *testing.T) {
	c := run(t, Setup{}, nil).Client
	for _, s := range []Selection{{}, {Record: 99}, {Record: -1}, {Record: 1, Offset: 1 << 20}, {Record: 1, Offset: -1}, {Record: 1, Layer: "inside", Offset: 1 << 30}} {
		for _, x := range Touches(c, s) {
			if r := run(t, Setup{}, &x.Deviation); s.Record != 1 || r == nil {
				t.Errorf("%+v: %+v", s, x)
			}
		}
	}
	hello := Touches(c, Selection{Record: 1, Layer: "wire", Offset: 20, Message: "ClientHello"})
	for _, want := range []string{"lower-version", "strip-suite", "strip-extension", "flip", "drop", "replay-session"} {
		if !slices.ContainsFunc(hello, func(x Touch) bool { return x.Deviation.Kind == want }) {
			t.Errorf("a ClientHello offers no %s", want)
		}
	}
}
