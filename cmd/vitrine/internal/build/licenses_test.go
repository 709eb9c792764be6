package build

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write licenses.txt anew")

// systems are those whose binaries differ in dependencies.
var systems = []string{"linux", "darwin", "windows", "freebsd"}

// Whatever is in the binary has its licence in it, too.
func TestLicenses(t *testing.T) {
	got := licenses(t, dependencies(t))
	if *update {
		if err := os.WriteFile("licenses.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if Licenses == got {
		return
	}
	for _, heading := range headings(got) {
		if !slices.Contains(headings(Licenses), heading) {
			t.Errorf("licenses.txt has no entry for %s", heading)
		}
	}
	for _, heading := range headings(Licenses) {
		if !slices.Contains(headings(got), heading) {
			t.Errorf("licenses.txt has an entry for %s, which is not in the binary", heading)
		}
	}
	t.Error("licenses.txt is not what the modules say; run go generate ./cmd/vitrine/... and look at the difference")
}

func headings(text string) []string { return regexp.MustCompile(`(?m)^== .*$`).FindAllString(text, -1) }

// dependencies are the modules in the binary, with their folders.
func dependencies(t *testing.T) map[string]string {
	t.Helper()
	modules := map[string]string{"the Go standard library and runtime": runtimeFolder(t)}
	for _, system := range systems {
		cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}", "../..")
		cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			if name, dir, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
				modules[name] = dir
			}
		}
	}
	return modules
}

func runtimeFolder(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

var isLicense = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice)([.-].*)?$`)

// licenses puts modules with the same text together.
func licenses(t *testing.T, modules map[string]string) string {
	t.Helper()
	under := map[string][]string{} // names by their text
	for name, dir := range modules {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, e := range entries {
			if !isLicense.MatchString(e.Name()) {
				continue
			}
			b, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			text += "\n" + strings.TrimSpace(strings.ReplaceAll(string(b), "\r\n", "\n")) + "\n"
		}
		if text == "" {
			t.Fatalf("%s has no licence in %s", name, dir)
		}
		under[text] = append(under[text], name)
	}
	for _, names := range under {
		slices.Sort(names)
	}
	texts := slices.SortedFunc(maps.Keys(under), func(a, b string) int { return cmp.Compare(under[a][0], under[b][0]) })
	var out strings.Builder
	out.WriteString("vitrine: Apache License 2.0, copyright The vitrine authors. The binary also contains:\n")
	for _, text := range texts {
		out.WriteByte('\n')
		for _, name := range under[text] {
			fmt.Fprintf(&out, "== %s\n", name)
		}
		out.WriteString(text)
	}
	return out.String()
}
