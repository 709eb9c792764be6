package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// programs are the blocks of Go in a page.
var programs = regexp.MustCompile("(?s)```go\n(package main\n.*?)```\n")

// The programs of the README build as they stand.
func TestProgramsBuild(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := programs.FindAllSubmatch(page, -1)
	if len(found) == 0 {
		t.Fatal("the README has no program")
	}
	for _, p := range found {
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, p[1], 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), "go", "vet", file).CombinedOutput(); err != nil {
			t.Errorf("%v: %s\n%s", err, out, p[1])
		}
	}
}
