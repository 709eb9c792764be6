//go:build unix

package harden

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// withoutWaiting opens a pipe that nobody writes to, where an open would wait.
const withoutWaiting = syscall.O_NONBLOCK

// become takes on a user and a group, by name or number, on all threads and for good. Without a group
// it is the user's own; its further groups come along, so that files can be readable by one of them.
func become(userName, groupName string) error {
	uid, gid, groups := os.Getuid(), os.Getgid(), []int(nil)
	if userName != "" {
		u, err := lookupUser(userName)
		if err != nil {
			return fmt.Errorf("user %q: %w", userName, err)
		}
		if uid, gid, groups, err = numbers(u); err != nil {
			return fmt.Errorf("user %q: %w", userName, err)
		}
	}
	if groupName != "" {
		g, err := user.LookupGroup(groupName)
		if err != nil {
			if g, err = user.LookupGroupId(groupName); err != nil {
				return fmt.Errorf("group %q: there is none of this name", groupName)
			}
		}
		if gid, err = strconv.Atoi(g.Gid); err != nil {
			return fmt.Errorf("group %q has the number %q", groupName, g.Gid)
		}
	}
	if os.Geteuid() != 0 {
		if os.Getuid() == uid && os.Getgid() == gid && os.Geteuid() == uid && os.Getegid() == gid {
			return nil // it is there already
		}
		return fmt.Errorf("only root can become user %q, group %q: start as root, or leave user and group out", userName, groupName)
	}
	if err := syscall.Setgroups(append(groups, gid)); err != nil {
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

func lookupUser(name string) (*user.User, error) {
	u, err := user.Lookup(name)
	if err == nil {
		return u, nil
	}
	if u, err := user.LookupId(name); err == nil {
		return u, nil
	}
	return nil, errors.New("there is none of this name")
}

func numbers(u *user.User) (uid, gid int, groups []int, err error) {
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, nil, err
	}
	if gid, err = strconv.Atoi(u.Gid); err != nil {
		return 0, 0, nil, err
	}
	ids, err := u.GroupIds()
	if err != nil {
		return 0, 0, nil, fmt.Errorf("its groups cannot be read: %w", err)
	}
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil && n != 0 {
			groups = append(groups, n)
		}
	}
	return uid, gid, groups, nil
}
