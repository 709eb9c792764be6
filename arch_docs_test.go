package vitrine_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxCell is how many characters a cell of a table may have: a table is to be looked up in, and what
// needs sentences stands below it.
const maxCell = 130

// unplain are words that do not belong into what people read here: see CONTRIBUTING.md, Style.
var unplain = regexp.MustCompile(`(?i)\b(whoever|until (TLS|SSL) ?\d|goes back to (its|the|a) pool)\b`)

// aCommand is a line of commands with its explanation behind it. Without a # a shell would take
// the words for arguments.
var aCommand = regexp.MustCompile(`^    (vitrine|go|VITRINE_\w+=\S+ go|bench/\w+|\.ci/\w+) [^#]*\S {3,}[a-z]+ [a-z]+`)

// Pages have tables to look things up in, plain words, and commands that can be pasted.
func TestPagesReadWell(t *testing.T) {
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules"):
			return fs.SkipDir
		case path.Ext(name) != ".md":
			return nil
		}
		page, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		code, n := false, 0
		for line := range strings.Lines(string(page)) {
			n++
			line = strings.TrimRight(line, "\r\n")
			if strings.HasPrefix(line, "```") {
				code = !code
			}
			if code {
				continue
			}
			if found := unplain.FindString(line); found != "" {
				t.Errorf("%s:%d: say %q in plainer words", name, n, found)
			}
			if aCommand.MatchString(line) {
				t.Errorf("%s:%d: put # before what explains the command: %s", name, n, line)
			}
			if !strings.HasPrefix(line, "|") {
				continue
			}
			for cell := range strings.SplitSeq(line, " | ") {
				if c := utf8.RuneCountInString(strings.Trim(cell, "| ")); c > maxCell {
					t.Errorf("%s:%d: a cell of %d characters, %d are the most: %s", name, n, c, maxCell, cell)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
