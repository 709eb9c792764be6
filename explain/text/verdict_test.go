package text

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
)

func refused() *explain.Verdict {
	return &explain.Verdict{
		Sentence: `the certificate is for "example.com"; not for "www.example.org"`, Advice: "have it issued for this one", Profile: "interoperable", DaysLeft: -12,
		Certificates: []explain.Certificate{
			{Role: "leaf", Subject: "CN=example.com,O=x", Key: "RSA 2048", SignedWith: "SHA256-RSA", DaysLeft: -13, Names: []string{"a", "b", "c", "d", "e", "f", "g"}},
			{Role: "root", Subject: "O=Root", Key: "ECDSA P-256", SignedWith: "ECDSA-SHA256", DaysLeft: 1},
		},
		Paths: []explain.Path{{Subjects: []string{"CN=a", "CN=b"}, Refused: "it is bad"}, {Subjects: []string{"CN=a", "CN=c"}, Taken: true}, {Subjects: []string{"CN=a", "CN=d"}}},
		Rules: []explain.RuleCheck{
			{Rule: "name", Source: "RFC 9525 §6", Profile: "interoperable", Refuses: true, Breach: "the name does not fit"},
			{Rule: "valid-now", Profile: "interoperable", Passed: true},
			{Rule: "san-empty", Profile: "rfc5280", Breach: "empty"}, {Rule: "san-empty", Profile: "rfc5280", Certificate: 1, Breach: "empty"},
			{Rule: "web-names", Profile: "webpki", Breach: "x"},
		},
		Answers: []explain.Answer{{Status: "revoked", Text: "revoked on 2026-03-02: key compromise (stapled OCSP)", Doubts: []string{"OCSP from http://x: down"}}},
	}
}

// A verdict says the sentence first, then what it rests on; what stricter profiles would
// refuse is folded into a line.
func TestVerdict(t *testing.T) {
	c := &explain.Connection{Verdict: refused()}
	got := render(t, c, Options{Summary: true, Width: 160})
	_, got, _ = strings.Cut(got, "encrypted\n")
	want := `
certificates ✗ the certificate is for "example.com"; not for "www.example.org"
  ►           have it issued for this one
  leaf        "example.com" · RSA 2048 · signed with SHA256-RSA · expired 12 days ago
              for "a", "b", "c", "d", "e", "f" and 1 more
              revoked on 2026-03-02: key compromise (stapled OCSP)
              OCSP from http://x: down
  root        "O=Root" · ECDSA P-256 · signed with ECDSA-SHA256 · good for 1 day more
  path        "a" > "b": refused, it is bad
  path        "a" > "c": taken
  path        "a" > "d": good too
  checks      1 passed, 1 failed (profile interoperable); rfc5280 would refuse it for san-empty; webpki would refuse it for web-names
  ✗           the name does not fit [name, RFC 9525 §6]
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var short strings.Builder
	if err := WriteVerdict(&short, c.Verdict, Options{Width: 160}); err != nil {
		t.Fatal(err)
	}
	if _, evidence, _ := strings.Cut(want, "this one\n"); short.String() != evidence {
		t.Errorf("got\n%s\nwant\n%s", short.String(), evidence)
	}
	c.Verdict = &explain.Verdict{Accepted: true, Sentence: "accepted"}
	if got := render(t, c, Options{Summary: true}); !strings.HasSuffix(got, "certificates ✓ accepted\n") {
		t.Errorf("an accepted one:\n%s", got)
	}
}

// What a certificate says cannot write to the terminal.
func TestVerdictIsQuoted(t *testing.T) {
	const evil = "\x1b[31m\nverified"
	v := refused()
	v.Sentence, v.Advice, v.Answers[0].Text, v.Answers[0].Doubts[0], v.Rules[0].Breach, v.Paths[0].Refused = evil, evil, evil, evil, evil, evil
	v.Certificates[0].Subject, v.Certificates[0].Names[0], v.Certificates[0].Key, v.Paths[0].Subjects[0] = evil, evil, evil, evil
	if got := render(t, &explain.Connection{Verdict: v}, Options{}); strings.Contains(got, "\x1b") || strings.Contains(got, "\nverified") {
		t.Errorf("%q", got)
	}
}
