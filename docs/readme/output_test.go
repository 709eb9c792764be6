package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// aDate matches a day, with its time or without: they are new in each run.
var aDate = regexp.MustCompile(`\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d UTC)?`)

// What the README shows of a command's output is what the command prints. A line "…" stands for
// lines that are left out.
func TestOutputs(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(t.TempDir(), "vitrine")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", command, "github.com/vitrine-tls/vitrine/cmd/vitrine").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	blocks := outputs(string(page))
	if len(blocks) == 0 {
		t.Fatal("the README shows no output")
	}
	for _, b := range blocks {
		printed := printedBy(t, command, b.args)
		if missing := firstMissing(b.lines, printed); missing != "" {
			t.Errorf("vitrine %s: the README has the line %q, which does not follow there in what the command prints:\n%s", b.args, missing, printed)
		}
	}
}

// A block is one command of the README with the lines that it prints.
type block struct {
	args  string
	lines []string
}

// outputs are the blocks that begin with "$ vitrine" and have lines of output below.
func outputs(page string) (blocks []block) {
	var b block
	for line := range strings.Lines(page + "\n.\n") {
		line = strings.TrimRight(line, "\n")
		code, indented := strings.CutPrefix(line, "    ")
		args, begins := strings.CutPrefix(code, "$ vitrine ")
		if (begins || !indented && line != "") && b.args != "" {
			for len(b.lines) > 0 && b.lines[len(b.lines)-1] == "" {
				b.lines = b.lines[:len(b.lines)-1]
			}
			if len(b.lines) > 0 {
				blocks = append(blocks, b)
			}
			b = block{}
		}
		switch {
		case begins:
			b.args = args
		case b.args != "":
			b.lines = append(b.lines, code)
		}
	}
	return blocks
}

// printedBy is what a command prints. That of a scan stands in docs/scan.md, which a test of the
// scanner keeps as the command writes it.
func printedBy(t *testing.T, command, args string) string {
	t.Helper()
	if strings.HasPrefix(args, "scan ") {
		page, err := os.ReadFile(filepath.Join("..", "scan.md"))
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`(?m)^    `).ReplaceAllString(string(page), "")
	}
	c := exec.CommandContext(t.Context(), command, strings.Fields(args)...)
	c.Env = append(os.Environ(), "COLUMNS=80", "NO_COLOR=1", "HOME="+t.TempDir())
	out, _ := c.CombinedOutput() // some of them fail, and show how
	return string(out)
}

// firstMissing is the first of lines that does not stand in printed behind the ones before it; ""
// if all do.
func firstMissing(lines []string, printed string) string {
	rest := strings.Split(aDate.ReplaceAllString(printed, "DATE"), "\n")
	skip := false
	for _, line := range lines {
		if line == "…" {
			skip = true
			continue
		}
		want := aDate.ReplaceAllString(line, "DATE")
		for skip && len(rest) > 0 && rest[0] != want {
			rest = rest[1:]
		}
		if len(rest) == 0 || rest[0] != want {
			return line
		}
		rest, skip = rest[1:], false
	}
	return ""
}
