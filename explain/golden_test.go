package explain

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		a, b := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
		for i := range max(len(a), len(b)) {
			var x, y []byte
			if i < len(a) {
				x = a[i]
			}
			if i < len(b) {
				y = b[i]
			}
			if !bytes.Equal(x, y) {
				t.Fatalf("%s differs at line %d (run with -update to accept):\n got %s\nwant %s", file, i+1, x, y)
			}
		}
	}
}

// The connections of RFC 8448, played back.
func TestGolden(t *testing.T) {
	for _, name := range []string{"rfc8448-simple", "rfc8448-retry"} {
		t.Run(name, func(t *testing.T) {
			c := collect(t, readTape(t, name+".txt"), nil).Connection(About{Target: "RFC 8448"})
			if !c.Checks.OK() {
				t.Errorf("checks: %q", c.Checks.Failures)
			}
			var out bytes.Buffer
			if err := c.JSON(&out); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", out.Bytes())
		})
	}
}
