package config

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// An Account is a user and groups of this machine, by their numbers.
type Account struct {
	UID, GID int
	// Groups are further groups of the user, without root's.
	Groups []int
}

// Account is what the process becomes: User and Group, by name or number. Without a group it is
// the user's own; without both it is that of this process. It errs where this machine has none
// of the name.
func (p Process) Account() (a Account, err error) {
	a.UID, a.GID = os.Geteuid(), os.Getegid()
	if p.User != "" {
		u, err := lookupUser(p.User)
		if err == nil {
			err = a.take(u)
		}
		if err != nil {
			return a, fmt.Errorf("user %q: %w", p.User, err)
		}
	}
	if p.Group != "" {
		g, err := user.LookupGroup(p.Group)
		if err != nil {
			if g, err = user.LookupGroupId(p.Group); err != nil {
				return a, fmt.Errorf("group %q: there is none of this name", p.Group)
			}
		}
		if a.GID, err = strconv.Atoi(g.Gid); err != nil {
			return a, fmt.Errorf("group %q has the number %q", p.Group, g.Gid)
		}
	}
	return a, nil
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

func (a *Account) take(u *user.User) (err error) {
	if a.UID, err = strconv.Atoi(u.Uid); err != nil {
		return err
	}
	if a.GID, err = strconv.Atoi(u.Gid); err != nil {
		return err
	}
	ids, err := u.GroupIds()
	if err != nil {
		return fmt.Errorf("its groups cannot be read: %w", err)
	}
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil && n != 0 {
			a.Groups = append(a.Groups, n)
		}
	}
	return nil
}
