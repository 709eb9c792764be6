package lab

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what docs/lab.md says of runs anew")

const docs = "../../docs/lab.md"

// What docs/lab.md says of runs is what they did.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	want := string(b)
	for name, text := range map[string]string{"finding": documentedFinding(t), "shelf": documentedShelf()} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end -->"
		before, rest, ok := strings.Cut(want, begin)
		_, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Fatalf("docs/lab.md has no place for the %s", name)
		}
		want = before + begin + text + end + after
	}
	if *update {
		if err := os.WriteFile(docs, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(b) {
		t.Error("docs/lab.md says something else than the runs; run with -update")
	}
}

// documentedFinding is that of the flip which the pictures show.
func documentedFinding(t *testing.T) string {
	r := run(t, Setup{Max: "TLS 1.2"}, &Deviation{Kind: "flip", From: "server", At: 1, Byte: 11, Bit: 7})
	return fmt.Sprintf("> %s\n>\n> Without that defence: %s\n", wrapped(r.Finding.Text, "> "), wrapped(r.Finding.Without, "> "))
}

// documentedShelf lists the experiments and what they claim.
func documentedShelf() string {
	var b strings.Builder
	for _, x := range Shelf {
		fmt.Fprintf(&b, "### %s\n\n%s\n\n", x.Title, wrapped(x.Story[0], ""))
		for _, c := range x.claims {
			fmt.Fprintf(&b, "- %s\n", wrapped(c.text, "  "))
		}
		fmt.Fprintf(&b, "\n%s\n\n", wrapped("The answer: "+x.Answer, ""))
	}
	return b.String()
}

// wrapped breaks a text into lines of 120 columns, each but the first after begin.
func wrapped(text, begin string) string {
	var out strings.Builder
	n := len(begin)
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case n+1+len(word) > 120:
			out.WriteString("\n" + begin)
			n = len(begin)
		default:
			out.WriteString(" ")
			n++
		}
		out.WriteString(word)
		n += len(word)
	}
	return out.String()
}
