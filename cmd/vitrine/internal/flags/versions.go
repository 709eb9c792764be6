package flags

import (
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/vocabulary"
	"github.com/vitrine-tls/vitrine/wire"
)

// Versions are the values of --min and --max, oldest first.
var Versions = vocabulary.Versions

// VersionNames are the names for --min and --max, oldest first.
func VersionNames() []string { return vocabulary.VersionNames() }

// VersionName is the name of v for --min and --max.
func VersionName(v wire.Version) string { return vocabulary.VersionName(v) }

// ParseVersion reads a version as people write it: tls1.2, TLSv1.2, TLS 1.2, tls12, 1.2;
// tls1 is TLS 1.0. flag is where it was given.
func ParseVersion(flag, name string) (wire.Version, error) {
	v, err := vocabulary.Version(name)
	return v, of(flag, err)
}

// of says which flag an error is about; nil for none.
func of(flag string, err error) error {
	if err == nil {
		return nil
	}
	return report.Usagef("--%s %v", flag, err)
}

// OneOf lists what there is to choose from.
func OneOf(names []string) string { return vocabulary.OneOf(names) }

// span are the versions in which what a flag asks for exists.
type span struct {
	by        string // the flag as it was given
	low, high wire.Version
	// strict: versions beside these make no sense, even where --min or --max
	// ask for them.
	strict bool
}

// versions are those of the span, for people.
func (n span) versions() string {
	if n.low == n.high {
		return n.low.String()
	}
	return n.low.String() + " to " + n.high.String()
}

// between names the flags that bound the versions.
func between(l, h bound) string {
	return strings.TrimSpace(l.by+" "+h.by) + " leaves others only"
}

// bound is a version, and the flag that asks for it; empty for a default.
type bound struct {
	version wire.Version
	by      string
}

// bounds are the lowest and the highest version: those of --min and --max or,
// where these are not given, TLS 1.2 and TLS 1.3 or what the other flags need.
// Versions before TLS 1.2 are never allowed by a conclusion, but by own, which
// is for a server of ours.
func bounds(minFlag, maxFlag string, needs []span, own bool) (low, high wire.Version, err error) {
	l, h := bound{version: wire.TLS12}, bound{version: wire.TLS13}
	if minFlag != "" {
		l.by = "--min " + minFlag
		if l.version, err = ParseVersion("min", minFlag); err != nil {
			return 0, 0, err
		}
	}
	if maxFlag != "" {
		h.by = "--max " + maxFlag
		if h.version, err = ParseVersion("max", maxFlag); err != nil {
			return 0, 0, err
		}
	}
	if minFlag != "" && maxFlag != "" && l.version > h.version {
		return 0, 0, report.Usagef("--min %s is above --max %s; swap them", minFlag, maxFlag)
	}
	for _, n := range needs {
		switch {
		case n.strict && maxFlag != "" && h.version > n.high:
			return 0, 0, report.Usagef("%s is for %s and before; leave --max out", n.by, n.high)
		case n.strict && minFlag != "" && l.version < n.low:
			return 0, 0, report.Usagef("%s is for %s and later; leave --min out", n.by, n.low)
		}
		if maxFlag == "" && n.high < h.version {
			h = bound{n.high, n.by}
		}
		if minFlag == "" && n.low > l.version {
			l = bound{n.low, n.by}
		}
	}
	switch {
	case l.version <= h.version:
	case l.by != "":
		return 0, 0, report.Usagef("no version is left: %s is for %s and later, and %s for %s and before", l.by, l.version, h.by, h.version)
	case own || maxFlag != "": // to name a version is to allow it
		l.version = h.version
	default:
		return 0, 0, report.Usagef("%s is for %s and before, which is off; if you must, add --min %[3]s or --max %[3]s", h.by, h.version, VersionName(h.version))
	}
	for _, n := range needs {
		if n.high < l.version || n.low > h.version {
			return 0, 0, report.Usagef("no version is left: %s is for %s, and %s", n.by, n.versions(), between(l, h))
		}
	}
	return l.version, h.version, nil
}
