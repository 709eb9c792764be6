package redact

import (
	"errors"
	"maps"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/tracefile"
)

// What is replaced in a sentence without being known: what stands in quotes, the parts of
// a distinguished name, a digest or a key, and what looks like a name, a mail address, a path or a URL.
var (
	quoted     = regexp.MustCompile(`"(\\.|[^"\\])*"`)
	attributes = regexp.MustCompile(`\b([A-Z]{1,12}|(\d+\.)+\d+)=([^,+"]*)`)
	digests    = regexp.MustCompile(`\b[0-9A-Fa-f]{16,}\b|\b[0-9A-Za-z+/]{40,}={0,2}`)
	nameLike   = regexp.MustCompile(`[\w*-]+([.@:/\\]+[\w*-]+)+`)
)

// numeric are versions, sections and times, which look like names.
var numeric = regexp.MustCompile(`^(?i)[\d.:/-]+$|^(http|tls|ssl)/[\d.]+$|^X\.\d+$|^x\d+\.`)

// usual are words that sentences have anyway, so that it says nothing that they are names.
var usual = []string{"server", "client", "certificate", "authority", "root", "test", "http", "tls", "ssl", "the"}

// escaped are letters behind a backslash in quotes, which are no part of the text.
var escaped = regexp.MustCompile(`\\.`)

// part is a piece of a sentence.
type part struct {
	text string
	done bool // it is a stand-in, or stays
}

// prose is a sentence in which names, addresses and data have stand-ins.
func (s *Redactor) prose(t string) string {
	parts := []part{{text: t}}
	parts = each(parts, quoted.FindStringIndex, func(q string) string {
		return `"` + s.words(escaped.ReplaceAllString(q[1:len(q)-1], "..")) + `"`
	})
	parts = each(parts, attributes.FindStringIndex, s.attribute)
	parts = each(parts, addresses, s.words)
	parts = each(parts, digests.FindStringIndex, s.words)
	parts = each(parts, nameLike.FindStringIndex, func(n string) string {
		if numeric.MatchString(n) {
			return n
		}
		return s.words(n)
	})
	for _, known := range s.longestFirst() {
		parts = each(parts, func(t string) []int { return find(t, known) }, s.words)
	}
	var out strings.Builder
	for _, p := range parts {
		out.WriteString(p.text)
	}
	return out.String()
}

// each replaces what is found in the parts that are not done yet.
func each(parts []part, find func(string) []int, replace func(string) string) (out []part) {
	for _, p := range parts {
		for !p.done {
			at := find(p.text)
			if at == nil {
				break
			}
			out = append(out, part{text: p.text[:at[0]]}, part{replace(p.text[at[0]:at[1]]), true})
			p.text = p.text[at[1]:]
		}
		out = append(out, p)
	}
	return out
}

// addresses finds the next IP address.
func addresses(t string) []int {
	four := ipv4.FindStringIndex(t)
	for begin := 0; begin < len(t); {
		at := ipv6.FindStringIndex(t[begin:])
		if at == nil {
			break
		}
		if four != nil && four[0] < begin+at[0] {
			break
		}
		if a, err := netip.ParseAddr(strings.TrimRight(t[begin+at[0]:begin+at[1]], ".")); err == nil && a.Is6() {
			return []int{begin + at[0], begin + at[1]}
		}
		begin += at[1]
	}
	return four
}

// attribute is a part of a distinguished name, whose kind stays.
func (s *Redactor) attribute(a string) string {
	kind, value, _ := strings.Cut(a, "=")
	return kind + "=" + s.text(value)
}

// distinguished is the stand-in for a distinguished name.
func (s *Redactor) distinguished(t string) string {
	if !attributes.MatchString(t) {
		return s.text(t)
	}
	return attributes.ReplaceAllStringFunc(t, s.attribute)
}

// longestFirst are the texts that have a stand-in.
func (s *Redactor) longestFirst() []string {
	all := slices.Collect(maps.Keys(s.known))
	all = slices.DeleteFunc(all, func(t string) bool { return slices.Contains(usual, t) })
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// find finds a text, which is in lower case, where it stands alone.
func find(t, known string) []int {
	lower := lowerCase(t)
	for begin := 0; ; {
		i := strings.Index(lower[begin:], known)
		if i < 0 {
			return nil
		}
		i += begin
		end := i + len(known)
		if (i == 0 || !isWord(lower[i-1])) && (end == len(lower) || !isWord(lower[end])) {
			return []int{i, end}
		}
		begin = i + 1
	}
}

func (s *Redactor) proses(list []string) []string {
	out := slices.Clone(list)
	for i := range out {
		out[i] = s.prose(out[i])
	}
	return out
}

func (s *Redactor) err(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(s.prose(err.Error()))
}

// sentences replaces what events say in words.
func (s *Redactor) sentences(events []tracefile.Event) {
	for i, e := range events {
		switch x := e.What.(type) {
		case trace.Record:
			x.Err, x.Unopened = s.err(x.Err), s.prose(x.Unopened)
			events[i].What = x
		case trace.Alert:
			x.Err = s.err(x.Err)
			events[i].What = x
		case trace.Choice:
			x.Why = s.prose(x.Why)
			if strings.HasSuffix(x.What, "certificate") {
				x.Picked = s.prose(x.Picked)
			}
			events[i].What = x
		}
	}
}

// target is the stand-in for a host and a port, which stays.
func (s *Redactor) target(t string) string {
	host, port, err := net.SplitHostPort(t)
	if err != nil {
		return s.text(t)
	}
	return net.JoinHostPort(s.text(host), port)
}
