package folder

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func filesIn(t *testing.T, dir string) (names []string, size int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		names, size = append(names, e.Name()), size+info.Size()
	}
	return names, size
}

func open(t *testing.T, dir string, files int, bytes int64) *Folder {
	t.Helper()
	f, err := Open(dir, files, bytes)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The folder holds a bounded number of files. An address that fails again and again
// pushes out its own, also after a new start, and the files of others stay.
func TestFilesAreBounded(t *testing.T) {
	const most = 50
	dir := filepath.Join(t.TempDir(), "failures")
	f := open(t, dir, most, 0)
	mine := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(mine, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := f.Add(time.Now(), "192.0.2.7:5000", make([]byte, 10))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * most {
		if i == most {
			f = open(t, dir, most, 0)
		}
		if _, err := f.Add(time.Now(), fmt.Sprintf("[2001:db8::%x]:%d", i, 1000+i), make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
	}
	names, _ := filesIn(t, dir)
	if len(names) != most+1 || !slices.Contains(names, filepath.Base(first)) || !slices.Contains(names, "notes.txt") {
		t.Errorf("%d files, with that of the other address: %v", len(names), slices.Contains(names, filepath.Base(first)))
	}
	if info, err := os.Stat(first); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// The folder holds a bounded number of bytes; what is larger than all is not taken.
func TestBytesAreBounded(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, 0, 1000)
	for i := range 10 {
		if _, err := f.Add(time.Now(), fmt.Sprintf("192.0.2.%d:1", i), make([]byte, 140)); err != nil {
			t.Fatal(err)
		}
	}
	if name, err := f.Add(time.Now(), "192.0.2.9:1", make([]byte, 1001)); err == nil {
		t.Errorf("%s is too large, and was taken", name)
	}
	if names, size := filesIn(t, dir); size > 1000 || len(names) != 7 {
		t.Errorf("%d files of %d bytes", len(names), size)
	}
}

// A peer's address cannot lead out of the folder.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	f := open(t, dir, 0, 0)
	for peer, ends := range map[string]string{
		"192.0.2.7:50":        "_192.0.2.7_50.ndjson",
		"[fe80::1%eth0/..]:5": "_fe80--1-eth0-.._5.ndjson",
		"@":                   "_-_0.ndjson",
		"":                    "_unknown_0.ndjson",
	} {
		name, err := f.Add(time.Now(), peer, []byte("{}"))
		if err != nil || filepath.Dir(name) != dir || !strings.HasSuffix(name, ends) || !named.MatchString(filepath.Base(name)) {
			t.Errorf("%q: %s, %v", peer, name, err)
		}
	}
}

// On a disk that is full nothing half-written stays, and the folder goes on.
func TestAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full here")
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "full")
	if err := os.Symlink("/dev/full", name); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := fill(file, []byte("{}")); err == nil {
		t.Error("what a full disk refuses was taken as written")
	}
	if names, _ := filesIn(t, dir); len(names) != 0 {
		t.Errorf("%q stays", names)
	}
	if _, err := open(t, dir, 0, 0).Add(time.Now(), "192.0.2.7:1", []byte("{}")); err != nil {
		t.Error(err)
	}
}

// A name that is there already is not written over, and not through a link either.
func TestNothingIsWrittenOver(t *testing.T) {
	dir, at := t.TempDir(), time.Now()
	f := open(t, dir, 0, 0)
	name, err := f.Add(at, "192.0.2.7:1", []byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Add(at, "192.0.2.7:1", []byte("second")); err == nil {
		t.Error("a file was written twice")
	}
	if text, _ := os.ReadFile(name); string(text) != "first" {
		t.Errorf("%q", text)
	}
}
