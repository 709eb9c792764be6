// Package build says what this binary was built from.
package build

import (
	"runtime/debug"
	"strings"
)

// Info is what the binary knows of itself.
type Info struct {
	// Version is the module's: a tag, what stands for a commit between two tags, or
	// "(devel)".
	Version string `json:"version"`
	// Commit is in full; empty unless built from a checkout.
	Commit string `json:"commit,omitempty"`
	// Modified is set where files differed from the commit.
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	// Licenses are those of the software in the binary, where they are asked for.
	Licenses string `json:"licenses,omitempty"`
}

// This is about the running binary.
func This() Info {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Info{Version: "(unknown)"}
	}
	return read(info)
}

func read(info *debug.BuildInfo) Info {
	i := Info{Version: info.Main.Version, Go: info.GoVersion}
	if i.Version == "" { // before Go 1.24, and in tests
		i.Version = "(devel)"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			i.Commit = s.Value
		case "vcs.modified":
			i.Modified = s.Value == "true"
		}
	}
	return i
}

// String is a line without what the version says already: a pseudo-version has
// the commit, and ends with +dirty where files differed from it.
func (i Info) String() string {
	parts := []string{i.Version}
	short := i.Commit[:min(12, len(i.Commit))]
	if short != "" && !strings.Contains(i.Version, short) {
		parts = append(parts, short)
	}
	if i.Modified && !strings.HasSuffix(i.Version, "+dirty") {
		parts = append(parts, "(modified)")
	}
	if i.Go != "" {
		parts = append(parts, i.Go)
	}
	return strings.Join(parts, " ")
}
