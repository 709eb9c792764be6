package build

import (
	"runtime/debug"
	"testing"
)

// The version is right in every way of building.
func TestVersion(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	vcs := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: commit}, {Key: "vcs.modified", Value: modified}}
	}
	for _, c := range []struct {
		how, version string
		settings     []debug.BuildSetting
		want         string
	}{
		{"go install at a tag", "v1.2.3", nil, "v1.2.3 go1.26"},
		{"a checkout at a tag", "v1.2.3", vcs("false"), "v1.2.3 0123456789ab go1.26"},
		{"a checkout after a tag", "v1.2.4-0.20260101000000-0123456789ab", vcs("false"), "v1.2.4-0.20260101000000-0123456789ab go1.26"},
		{"a checkout with changes", "v1.2.4-0.20260101000000-0123456789ab+dirty", vcs("true"), "v1.2.4-0.20260101000000-0123456789ab+dirty go1.26"},
		{"changes, and no version for them", "(devel)", vcs("true"), "(devel) 0123456789ab (modified) go1.26"},
		{"-buildvcs=false", "(devel)", nil, "(devel) go1.26"},
		{"a test binary", "", nil, "(devel) go1.26"},
	} {
		info := debug.BuildInfo{GoVersion: "go1.26", Main: debug.Module{Version: c.version}, Settings: c.settings}
		if got := read(&info).String(); got != c.want {
			t.Errorf("%s: %q, want %q", c.how, got, c.want)
		}
	}
}
