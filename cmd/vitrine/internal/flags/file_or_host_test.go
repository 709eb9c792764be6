package flags

import (
	"os"
	"strings"
	"testing"
)

// A file that exists counts first; what only looks like a file is no host, and a folder is
// none unless it is called as one.
func TestFileOrHost(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, folder := range []string{"pub", "example.org", "localhost", "old.json"} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"a", "example.net"} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const missing, folder = "cannot be read: ", "is a folder; give a file in it"
	for arg, want := range map[string]string{
		"a": "file", "-": "file", "example.net": "file",
		"example.com": "host", "example.com:443": "host", "https://example.com/x.json": "host", "[::1]:443": "host",
		"localhost": "host", "example.org": "host", "pub:443": "host", "unix:/run/x.json": "host", "db": "host",
		"none.pem": missing, "./example.com": missing, "sub/none": missing, "a/x": missing, "./none.ndjson": missing,
		"none.pcap": missing, "none.PCAPNG": missing, "none.cap": missing, "none.json": missing, "none.html": missing, "none.pcap.gz": missing,
		"pub": folder, "./pub": folder, "old.json": folder, "./example.org": folder,
	} {
		isFile, err := NamesFile(arg)
		got := map[bool]string{true: "file", false: "host"}[isFile]
		if err != nil {
			got = err.Error()
		}
		if got != want && (want == "file" || want == "host" || !strings.HasPrefix(got, arg+" "+want)) {
			t.Errorf("%s: %s, want %s", arg, got, want)
		}
	}
}
