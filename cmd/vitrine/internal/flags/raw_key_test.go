package flags

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A key is written once its server has proved to hold it, and is found again whatever the
// target looks like, and however the file ends.
func TestKnownKeys(t *testing.T) {
	for _, target := range []string{"example.com:443", "unix:/run/my app.sock", `unix:/a"b`, "#odd:1", "unix:/line\nbreak"} {
		file := filepath.Join(t.TempDir(), "folder", "known")
		first := &RawKey{file: file, target: target}
		if err := first.check([32]byte{1}); err != nil || !first.New || first.Known {
			t.Fatalf("%q: %v, new %v", target, err, first.New)
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%q: a key is remembered before the handshake is complete", target)
		}
		if first.check([32]byte{2}) == nil {
			t.Errorf("%q: two connections with two keys", target)
		}
		if err := first.Keep(); err != nil {
			t.Fatal(err)
		}
		other := &RawKey{file: file, target: "other:1"}
		if err := other.check([32]byte{3}); err != nil || !other.New || other.Keep() != nil {
			t.Fatalf("%q: %v", target, err)
		}
		again := &RawKey{file: file, target: target}
		if err := again.check([32]byte{1}); err != nil || again.New || !again.Known {
			t.Errorf("%q: %v, new %v", target, err, again.New)
		}
		if err := again.check([32]byte{9}); err == nil || !strings.Contains(err.Error(), "has changed") || !strings.Contains(err.Error(), "remove line 1 of") {
			t.Errorf("%q: another key: %v", target, err)
		}
	}
}

// What cannot be read might be the target's line: no key is taken then.
func TestKnownKeysThatCannotBeRead(t *testing.T) {
	const pin = "SHA256:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for text, wrong := range map[string]string{
		"# ours\n\na:1 " + pin + "\n":      "",
		"a:1 " + pin:                       "", // the end of the line is missing
		"a:1 " + pin + "b:1 " + pin + "\n": "line 1 cannot be read",
		"a:1\n":                            "line 1 cannot be read",
		"\na:1 SHA256:short\n":             "line 2 cannot be read",
		strings.Repeat("x", 1<<20) + "\n":  "line 1 cannot be read",
	} {
		file := filepath.Join(t.TempDir(), "known")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f := &RawKey{file: file, target: "new:1"}
		err := f.check([32]byte{5})
		if wrong != "" {
			if err == nil || !strings.Contains(err.Error(), wrong) {
				t.Errorf("%.40q: %v", text, err)
			}
			continue
		}
		if err != nil || f.Keep() != nil {
			t.Fatalf("%.40q: %v", text, err)
		}
		for target, key := range map[string][32]byte{"a:1": {1}, "new:1": {5}} {
			if g := (&RawKey{file: file, target: target}); g.check(key) != nil || !g.Known {
				t.Errorf("%.40q: %s is not known", text, target)
			}
		}
	}
}
