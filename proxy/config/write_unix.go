//go:build unix

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// Bits of a mode, for the owner, the group or the others.
const (
	mayEnter = 0o1
	mayWrite = 0o2
)

// cannotWrite says why a, which this process is or becomes, cannot write in a folder; empty where it
// can. makes says that this process makes the folder for it where it is missing.
func (a Account) cannotWrite(folder string, makes bool) string {
	path, err := filepath.Abs(folder)
	if err != nil {
		return err.Error()
	}
	for at := path; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && !info.IsDir():
			return fmt.Sprintf("%s is not a folder", at)
		case err == nil && at != path && makes && os.Geteuid() == 0:
			return a.cannotEnter(at)
		case err == nil:
			if why := a.cannotEnter(at); why != "" {
				return why
			}
			return a.lacks(at, info, mayWrite, "write in")
		case errors.Is(err, fs.ErrNotExist) && at == filepath.Dir(at):
			return fmt.Sprintf("%s is missing", at)
		case errors.Is(err, fs.ErrNotExist) && !makes:
			return fmt.Sprintf("the folder %s is missing", at)
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Sprintf("%s cannot be looked at: %v", at, errors.Unwrap(err))
		}
	}
}

// cannotEnter says which of the folders on the way to one a may not pass.
func (a Account) cannotEnter(folder string) string {
	real, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return fmt.Sprintf("%s cannot be looked at: %v", folder, err)
	}
	for at := real; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return fmt.Sprintf("%s cannot be looked at: %v", at, errors.Unwrap(err))
		}
		if why := a.lacks(at, info, mayEnter, "enter"); why != "" || at == filepath.Dir(at) {
			return why
		}
	}
}

// lacks says that a lacks a right to a folder: of this process the system is asked, and of another
// account the mode.
func (a Account) lacks(path string, info fs.FileInfo, right uint32, verb string) string {
	if a.UID == os.Geteuid() {
		if err := syscall.Access(path, right); err != nil {
			return fmt.Sprintf("this user may not %s %s (%v)", verb, path, err)
		}
		return ""
	}
	owner, is := info.Sys().(*syscall.Stat_t)
	if !is || a.UID == 0 {
		return ""
	}
	mode := uint32(info.Mode().Perm())
	switch {
	case int(owner.Uid) == a.UID:
		mode >>= 6
	case int(owner.Gid) == a.GID || slices.Contains(a.Groups, int(owner.Gid)):
		mode >>= 3
	}
	if mode&right == 0 {
		return fmt.Sprintf("user %d may not %s %s", a.UID, verb, path)
	}
	return ""
}
