package redact

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/tracefile"
	"github.com/vitrine-tls/vitrine/wire"
)

// A stand-in is as long, looks alike, is no other value's by chance, and is the same each time.
func TestTexts(t *testing.T) {
	s := New()
	for _, text := range []string{"www.example.com", "EXAMPLE Inc", "a-b.c_d", "12345", "x", "", "Ünïcode", "192.0.2.200", "10.0.0.9:443", "2001:db8::1", "[2001:db8::1]:443", "*.example.com"} {
		got := s.text(text)
		if len(got) != len(text) || got != s.text(text) || text != "" && got == text {
			t.Errorf("%q: %q", text, got)
		}
		for i := range []byte(text) {
			if isWord(text[i]) != isWord(got[i]) {
				t.Errorf("%q: %q", text, got)
				break
			}
		}
	}
	if a, b := s.text("www.example.com"), s.text("Example.Com"); !strings.HasSuffix(strings.ToLower(a), strings.ToLower(b)) {
		t.Errorf("%q does not end in %q", a, b)
	}
	if a, b := s.words("192.0.2.7"), string(s.address([]byte{192, 0, 2, 7})); b != string(netip.MustParseAddr(a).AsSlice()) {
		t.Errorf("%s and %x are two stand-ins for one address", a, b)
	}
}

// In sentences, what looks like a name goes, and the words of the protocol stay.
func TestProse(t *testing.T) {
	s := New()
	s.text("printer")
	s.text("server")
	for _, stays := range []string{
		"the server ended the connection with the alert unknown_ca", "no version in common (RFC 8446 §4.2.1)",
		"a full handshake over TLS 1.3 in 2.55 ms", "sent: a request in HTTP/1.1", "the clock says 2026-11-29 13:13:59 UTC", "signed with ECDSA-SHA256, x25519", "client_application_traffic_secret_0 with TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
	} {
		if got := s.prose(stays); got != stays {
			t.Errorf("%q became %q", stays, got)
		}
	}
	for _, goes := range []string{
		`it is for "alpha beta\"gamma"`, "mail me@box", "see https://example.com/a?b", "from 192.0.2.1:5", "at fe80::1", "CN=Jane Doe,O=Acme", "for www.example.com", "to Printer now", "2.5.4.3=hidden",
		"ask 192.0.2.77 or 2001:db8::77", "ask 2001:db8::77 or 192.0.2.77", "in ca/ca.pem",
		"its key is 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "its pin is Sv3P0rCt7Yd2kQ9wX5zL8mN1bH4jG6fE0aU2iO3pT8s=",
		`C:\keys\mine`,
	} {
		got := s.prose(goes)
		for _, private := range []string{"alpha", "beta", "gamma", "box", "example", "8899aabb", "Sv3P0", "192.0", "2001:db8", "fe80", "Jane", "Acme", "Printer", "hidden", "pem", "keys"} {
			if strings.Contains(goes, private) && strings.Contains(got, private) {
				t.Errorf("%q became %q", goes, got)
			}
		}
		if len(got) != len(goes) && !strings.Contains(goes, `\"`) {
			t.Errorf("%q became %q", goes, got)
		}
	}
}

// A name has one stand-in, however a sentence has it.
func TestProseIsStable(t *testing.T) {
	s := New()
	name := s.text("mail.example.com")
	for _, text := range []string{`"mail.example.com"`, "İ mail.example.com", "CN=mail.example.com", "https://mail.example.com/x"} {
		if got := s.prose(text); !strings.Contains(got, name) {
			t.Errorf("%q became %q, without %s", text, got, name)
		}
	}
}

// What is no DER, or nested too deep, is replaced as a whole.
func TestWhatIsNoDER(t *testing.T) {
	s := New()
	deep := []byte("secret")
	for range 40 {
		deep = append([]byte{0x30, byte(len(deep))}, deep...)
	}
	for _, b := range [][]byte{deep, []byte("just a secret"), {0x30, 0x84, 1, 2, 3, 4}, {0x0c, 0x06, 's', 'e', 'c', 'r', 'e', 't'}, {0x1f, 1, 0}, {}} {
		if got := s.der(b); len(got) != len(b) || len(b) > 0 && bytes.Equal(got, b) || bytes.Contains(got, []byte("secret")) {
			t.Errorf("%x became %x", b, got)
		}
	}
}

// A trace that is redacted, or too large, or damaged, is refused; what was written till
// then has stand-ins.
func TestRefusals(t *testing.T) {
	var file bytes.Buffer
	w := tracefile.NewWriter(&file, true)
	err := errors.Join(w.Begin(tracefile.Header{Target: "private.example"}),
		w.Write(tracefile.Event{What: trace.Secret{Name: "master_secret", Value: []byte("0123456789abcdef")}}))
	if err != nil {
		t.Fatal(err)
	}
	var once, out bytes.Buffer
	if err := New().Copy(&once, bytes.NewReader(file.Bytes())); err != nil || !strings.Contains(once.String(), `"redacted":true`) || !strings.Contains(once.String(), `"secrets":false`) {
		t.Fatalf("%v: %s", err, once.String())
	}
	if err := New().Copy(&out, bytes.NewReader(once.Bytes())); err == nil {
		t.Error("a redacted trace is redacted again")
	}
	out.Reset()
	if err := New().Copy(&out, io.MultiReader(bytes.NewReader(file.Bytes()), strings.NewReader(`{"alert":`))); !errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(out.String(), "private") || out.Len() == 0 {
		t.Errorf("%v: %s", err, out.String())
	}
}

// No trace makes it fail, and lengths stay.
func FuzzMessage(f *testing.F) {
	f.Add([]byte{1, 0, 0, 2, 3, 3}, uint16(0x303), false)
	f.Add([]byte{11, 0, 0, 9, 0, 0, 6, 0, 0, 3, 0x30, 1, 5}, uint16(0x303), false)
	f.Add([]byte{1, 0, 2, 0, 3, 0, 0, 0, 16, 1, 0, 128}, uint16(0x300), true)
	f.Fuzz(func(t *testing.T, raw []byte, version uint16, ssl2 bool) {
		s := New()
		if got := s.message(raw, wire.Context{Version: wire.Version(version)}, ssl2); len(got) != len(raw) {
			t.Errorf("%d bytes became %d", len(raw), len(got))
		}
		if got := s.der(raw); len(got) != len(raw) {
			t.Errorf("DER of %d bytes became %d", len(raw), len(got))
		}
	})
}
