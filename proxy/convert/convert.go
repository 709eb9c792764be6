// Package convert makes configurations of the proxy out of those of other programs. What has
// no equivalent is a Note with its line: nothing is left out in silence. Where leaving it out
// would let more people in, the result has the word REPLACE in its place, which
// [config.Check] refuses: nothing becomes less strict in silence.
package convert

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/vocabulary"
	"github.com/vitrine-tls/vitrine/proxy/config"
)

// A Note says what became of a line that is not taken over as it stands.
type Note struct {
	Line         int // counts from 1; 0 for a command line
	Text         string
	What, Remedy string
}

// String is the note in one line.
func (n Note) String() string {
	place := ""
	if n.Line > 0 {
		place = fmt.Sprintf("%d: ", n.Line)
	}
	return fmt.Sprintf("%s%q %s; %s", place, n.Text, n.What, n.Remedy)
}

// A Result is a configuration, and what is not in it.
type Result struct {
	Config *config.Config
	Notes  []Note
}

// placeholder is a rule that is none, so that the configuration is refused until somebody
// writes one.
const placeholder = "REPLACE"

// An option is one setting of another program.
type option struct {
	line             int
	text, key, value string
}

// maker collects a Result.
type maker struct {
	Result
}

func newMaker() *maker {
	return &maker{Result{Config: &config.Config{Targets: map[string]config.Target{}}}}
}

// note says what became of an option: what, and the remedy behind the last semicolon.
func (m *maker) note(o option, text string) {
	what, remedy := text, ""
	if i := strings.LastIndex(text, "; "); i >= 0 {
		what, remedy = text[:i], text[i+2:]
	}
	m.Notes = append(m.Notes, Note{o.line, o.text, what, remedy})
}

// lost has the note for each option that has no equivalent; it reports whether there is one.
func (m *maker) lost(table map[string]string, o option) bool {
	text, ok := table[o.key]
	if ok {
		m.note(o, text)
	}
	return ok
}

func (m *maker) unknown(o option) {
	m.note(o, "is not known here, and left out; look up what it does, and see docs/proxy.md")
}

// finish sorts the notes.
func (m *maker) finish() *Result {
	slices.SortStableFunc(m.Notes, func(a, b Note) int { return cmp.Compare(a.Line, b.Line) })
	m.Notes = slices.Compact(m.Notes)
	return &m.Result
}

// yes reads a switch.
func yes(value string) bool {
	return slices.Contains([]string{"yes", "on", "true", "1"}, strings.ToLower(value))
}

// seconds reads a time in seconds.
func (m *maker) seconds(o option) config.Duration {
	var d config.Duration
	if err := d.UnmarshalText([]byte(o.value)); err != nil {
		m.note(o, "is not a number of seconds, and left out; write a time like 30s")
	}
	return d
}

// address adds what an address lacks: the host, or unix: before a path.
func address(s, host string) string {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "/") {
		return "unix:" + s
	}
	switch i := strings.LastIndexByte(s, ':'); {
	case i < 0:
		s = ":" + s
	case strings.Contains(s[:i], ":") && s[0] != '[': // an IPv6 address without brackets
		s = net.JoinHostPort(s[:i], s[i+1:])
	}
	if h, port, err := net.SplitHostPort(s); err == nil && (h == "*" || h == "") {
		if host == "" {
			return ":" + port
		}
		return net.JoinHostPort(host, port)
	}
	return s
}

// suites reads a list of cipher suites; a string of OpenSSL's keywords has no equivalent.
func (m *maker) suites(o option, v *config.Versions) {
	names := strings.FieldsFunc(o.value, func(r rune) bool { return r == ':' || r == ',' || r == ' ' })
	for _, name := range names {
		if _, err := vocabulary.Suite(name); err != nil {
			m.note(o, fmt.Sprintf("has %q, which is not a name of a suite, so that the whole list is left out and the safe suites are on; if fewer are to be on, name them with suites", name))
			return
		}
	}
	v.Suites = append(v.Suites, names...)
}

// tls13Suites are added where a list for the versions before is all that there is.
var tls13Suites = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}

// bothSuites completes the list of suites, which other programs have for TLS 1.3 and for
// the versions before apart.
func (m *maker) bothSuites(before, after *option, v *config.Versions) {
	if before != nil {
		m.suites(*before, v)
	}
	switch {
	case after != nil && before == nil:
		m.note(*after, "is for TLS 1.3 alone, and suites would leave the versions before out; it is left out, so name all with suites if fewer are to be on")
	case after != nil:
		m.suites(*after, v)
	case len(v.Suites) > 0:
		v.Suites = append(v.Suites, tls13Suites...)
	}
}

// groups reads a list of groups.
func (m *maker) groups(o option, v *config.Versions) {
	for _, name := range strings.FieldsFunc(o.value, func(r rune) bool { return r == ':' || r == ',' || r == ' ' }) {
		if _, err := vocabulary.Group(name); err != nil {
			m.note(o, fmt.Sprintf("has %q, which is not a group that vitrine has; it is left out", name))
			continue
		}
		v.Groups = append(v.Groups, name)
	}
}

// version reads a version.
func (m *maker) version(o option, value string) string {
	v, err := vocabulary.Version(value)
	if err != nil {
		m.note(o, fmt.Sprintf("has %q, which is not a version that vitrine has; set min and max by hand", value))
		return ""
	}
	return vocabulary.VersionName(v)
}
