package serve

import (
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// publicFiles is a folder as vitrine serve shows it: without hidden files, and
// with nothing from outside, whatever links are in it (os.Root sees to that).
type publicFiles struct {
	root *os.Root
	fs.FS
}

func openFiles(dir string) (*publicFiles, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, report.Usagef("the folder cannot be served: %v", err)
	}
	return &publicFiles{root, root.FS()}, nil
}

func (p *publicFiles) Close() error { return p.root.Close() }

// hidden reports whether a name is one of those that begin with a dot, but for
// the current folder and that of RFC 8615.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") && name != "." && name != ".well-known"
}

func (p *publicFiles) Open(name string) (fs.File, error) {
	if slices.ContainsFunc(strings.Split(name, "/"), hidden) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	f, err := p.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if dir, ok := f.(fs.ReadDirFile); ok && info.IsDir() {
		return publicDir{dir}, nil
	}
	return f, nil
}

// publicDir lists a folder without what is hidden.
type publicDir struct{ fs.ReadDirFile }

func (d publicDir) ReadDir(n int) ([]fs.DirEntry, error) {
	entries, err := d.ReadDirFile.ReadDir(n)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return hidden(e.Name()) }), err
}
