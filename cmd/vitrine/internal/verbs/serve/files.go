package serve

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// publicFiles is a folder as vitrine serve shows it: files and folders only, without
// hidden ones, and with nothing from outside, whatever links are in it (os.Root sees
// to that). Nothing else exists for a client.
type publicFiles struct {
	root *os.Root
	fs.FS
}

func openFiles(dir string) (*publicFiles, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, report.Usagef("%v; give the folder to serve", err)
	}
	return &publicFiles{root, root.FS()}, nil
}

func (p *publicFiles) Close() error { return p.root.Close() }

// hidden reports whether a name is one of those that begin with a dot, but for
// the current folder and that of RFC 8615.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") && name != "." && name != ".well-known"
}

// Open looks before it opens: to open a pipe is to wait for its other end.
func (p *publicFiles) Open(name string) (fs.File, error) {
	if slices.ContainsFunc(strings.Split(name, "/"), hidden) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	info, err := p.stat(name)
	if err != nil {
		return nil, err
	}
	f, err := p.FS.Open(name)
	if err != nil {
		return nil, existence(name, err)
	}
	if dir, ok := f.(fs.ReadDirFile); ok && info.IsDir() {
		return publicDir{dir, p, name}, nil
	}
	return f, nil
}

// stat follows links that stay inside.
func (p *publicFiles) stat(name string) (fs.FileInfo, error) {
	info, err := fs.Stat(p.FS, name)
	if err != nil {
		return nil, existence(name, err)
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return info, nil
}

// existence makes fs.ErrNotExist of errors that say that a name can lead nowhere. The
// error of a link that leads out is os.Root's own, which has no name.
func existence(name string, err error) error {
	system, known := errors.AsType[syscall.Errno](err)
	nowhere := []syscall.Errno{syscall.ELOOP, syscall.EINVAL, syscall.ENAMETOOLONG, syscall.ENOTDIR}
	if errors.Is(err, fs.ErrPermission) || known && !slices.Contains(nowhere, system) {
		return err
	}
	return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// publicDir lists a folder without what cannot be had.
type publicDir struct {
	fs.ReadDirFile
	files *publicFiles
	name  string
}

func (d publicDir) ReadDir(n int) ([]fs.DirEntry, error) {
	entries, err := d.ReadDirFile.ReadDir(n)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		if hidden(e.Name()) {
			return true
		}
		_, err := d.files.stat(strings.TrimPrefix(d.name+"/"+e.Name(), "./"))
		return errors.Is(err, fs.ErrNotExist)
	}), err
}
