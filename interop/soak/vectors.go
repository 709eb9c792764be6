package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// vectors is a public test suite that is not kept here: some folders of a repository, at a
// commit.
type vectors struct {
	name        string // of its folder in the user's cache
	env         string // the environment variable that names a checkout to use instead
	url, commit string
	paths       []string
}

// checkout returns the folder of a checkout. Unless the environment names one it is
// fetched into the user's cache.
func (s *vectors) checkout(ctx context.Context, r *report) (string, error) {
	if dir := os.Getenv(s.env); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "vitrine", s.name+"-"+s.commit)
	if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(s.paths[0]))); err == nil {
		return dir, nil
	}
	r.Logf("fetching %s at %s", s.url, s.commit)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{"init", "-q"},
		append([]string{"sparse-checkout", "set", "--no-cone"}, s.paths...),
		{"fetch", "-q", "--depth=1", "--filter=blob:none", s.url, s.commit},
		{"checkout", "-q", "FETCH_HEAD"},
	} {
		if _, err := run(ctx, dir, "git", args...); err != nil {
			return "", fmt.Errorf("%s cannot be fetched; set %s to a checkout of %s: %w", s.url, s.env, s.commit, err)
		}
	}
	return dir, nil
}
