package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// makeShard makes a folder of the store.
func makeShard(folder, name string) error {
	path := filepath.Join(folder, name)
	if err := os.Mkdir(path, 0o700); errors.Is(err, fs.ErrExist) {
		return nil
	} else if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(giveToOwner(f, folder), f.Close())
}

// openLock opens a file to lock, and makes it where it is missing.
func openLock(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			continue // another process was first
		}
		if err != nil {
			return nil, err
		}
		if err := giveToOwner(f, filepath.Dir(path)); err != nil {
			f.Close()
			return nil, err
		}
		return f, nil
	}
}
