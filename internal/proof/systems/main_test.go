package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// faulty has one fault for each kind of thing that is checked, and a package without any.
var faulty = map[string]string{
	"go.mod":          "module example.test/faulty\n\ngo 1.26\n",
	"sum/sum.go":      "package sum\n\nfunc Most() int { return 1<<63 - 1 }\n",
	"sum/sum_test.go": "package sum\n\nimport \"testing\"\n\nfunc TestMost(t *testing.T) { t.Logf(\"%s\", Most()) }\n",
	"stop/stop.go":    "package stop\n\nimport (\n\t\"os\"\n\t\"syscall\"\n)\n\nfunc Stop() os.Signal { return syscall.SIGSTOP }\n",
	"main/main.go":    "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"all right\") }\n",
}

// TestFaults tells that a fault is seen on the systems that have it, and on no other.
func TestFaults(t *testing.T) {
	dir := t.TempDir()
	for name, text := range faulty {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOFLAGS", "-mod=readonly")
	for system, want := range map[string]string{
		"linux/386":     "constant 9223372036854775807",
		"windows/amd64": "SIGSTOP",
		"linux/arm64":   "%s has arg Most() of wrong type int",
	} {
		var out strings.Builder
		err := check(&out, dir, []string{system})
		if err == nil {
			t.Errorf("%s: no fault was found", system)
		}
		if strings.Count(out.String(), want) != 1 || strings.Count(out.String(), "\n") != 2 {
			t.Errorf("%s: want one line with %q, and a sum:\n%s", system, want, out.String())
		}
	}
}

func TestWhatIsNoSystem(t *testing.T) {
	for _, systems := range [][]string{nil, {"linux"}, {"plan10/amd64"}} {
		var out strings.Builder
		if err := check(&out, ".", systems); err == nil {
			t.Errorf("%q: no error:\n%s", systems, out.String())
		}
	}
}
