//go:build unix

package harden

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// withoutWaiting opens a pipe that nobody writes to, where an open would wait.
const withoutWaiting = syscall.O_NONBLOCK

// become takes on a user and a group, by name or number, on all threads and for good. Without a group
// it is the user's own; its further groups come along, so that files can be readable by one of them.
func become(p config.Process) error {
	a, err := p.Account()
	if err != nil {
		return err
	}
	uid, gid := a.UID, a.GID
	if os.Geteuid() != 0 {
		if os.Getuid() == uid && os.Getgid() == gid && os.Geteuid() == uid && os.Getegid() == gid {
			return nil // it is there already
		}
		return fmt.Errorf("only root can become user %q, group %q: start as root, or leave user and group out", p.User, p.Group)
	}
	if err := syscall.Setgroups(append(a.Groups, gid)); err != nil {
		return fmt.Errorf("cannot set the groups: %w", err)
	}
	if err := syscall.Setgid(gid); err != nil {
		return fmt.Errorf("cannot become group %d: %w", gid, err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fmt.Errorf("cannot become user %d: %w", uid, err)
	}
	if os.Getuid() != uid || os.Geteuid() != uid || os.Getgid() != gid || os.Getegid() != gid {
		return errors.New("the system did not change user and group, though it said so")
	}
	if uid != 0 && (syscall.Setuid(0) == nil || syscall.Setgid(0) == nil && gid != 0) {
		return errors.New("root came back after it was given up; the process must not go on")
	}
	return nil
}

// Prepare makes the folders that c has the process write in, for the user that Apply will take on: root
// calls it before anything opens them. Folders that are there stay as they are.
func Prepare(c *config.Config) error {
	if os.Geteuid() != 0 || c.Process.User == "" && c.Process.Group == "" {
		return nil // what opens them makes them
	}
	a, err := c.Process.Account()
	if err != nil {
		return fmt.Errorf("process: %w", err)
	}
	for _, f := range c.Folders() {
		if !f.Own {
			continue
		}
		path, err := filepath.Abs(f.Path)
		if err == nil {
			err = makeFor(a, path)
		}
		if err != nil {
			return fmt.Errorf("%s: the folder cannot be made: %w", f.Setting, err)
		}
	}
	return nil
}

// makeFor makes a folder, and those that are missing on the way, for an account alone.
func makeFor(a config.Account, path string) error {
	if _, err := os.Stat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := makeFor(a, filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	// By a descriptor: the account may own the folder above, and must not have another file given to it.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Chown(a.UID, a.GID)
}
