package explain

import (
	"bytes"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// What the application data holds, where it is HTTP: a side's data is one stream, and
// each record shows the fields that are in its part of it.

// stretch is a field of a side's stream of application data.
type stretch struct {
	offset, length int
	depth          int
	group          bool
	name, value    string
	meaning, ref   string
	details        []Detail
}

// saying is a few words about what begins at an offset of the stream.
type saying struct {
	offset int
	words  string
}

// An application reads what one side of a protocol says, as far as it was kept.
type application struct {
	parts []stretch
	says  []saying
}

func (a *application) add(p stretch) { a.parts = append(a.parts, p) }

func (a *application) say(offset int, words string) { a.says = append(a.says, saying{offset, words}) }

// spoken is the stream of one side's application data, up to where something is missing.
type spoken struct {
	data    []byte
	records []*Record
	starts  []int // where each begins in data
}

// applied finds out what the application data holds.
func (c *Connection) applied() {
	var streams [wire.Server + 1]spoken
	var broken [wire.Server + 1]bool
	for _, e := range c.Events {
		if e.Gap != nil {
			broken[e.Gap.from] = true
		}
		r := e.Record
		if r == nil || r.Refused != "" || broken[r.from] {
			continue
		}
		if r.gap || r.Unopened != "" && r.typ == wire.ContentApplicationData && (r.Epoch > 1 || e.hs.version < wire.TLS13) {
			broken[r.from] = true
			continue
		}
		if s := &streams[r.from]; r.typ == wire.ContentApplicationData && r.Unopened == "" {
			s.records, s.starts = append(s.records, r), append(s.starts, len(s.data))
			s.data = append(s.data, r.Plain...)
		}
	}
	client, server := &streams[wire.Client], &streams[wire.Server]
	var ofClient, ofServer *application
	switch {
	case bytes.HasPrefix(client.data, []byte(preface)):
		ofClient, ofServer = readHTTP2(client.data, wire.Client), readHTTP2(server.data, wire.Server)
	case isRequest(client.data):
		var methods []string
		ofClient, methods = readRequests(client.data)
		ofServer = readResponses(server.data, methods)
	default:
		return
	}
	client.show(ofClient)
	server.show(ofServer)
}

// show gives each record its part of what was read.
func (s *spoken) show(a *application) {
	left := a.parts
	for i, r := range s.records {
		start, end := s.starts[i], s.starts[i]+len(r.Plain)
		for len(left) > 0 && left[0].offset+left[0].length <= start {
			left = left[1:]
		}
		for _, p := range left {
			if p.offset >= end {
				break
			}
			if f, in := p.within(start, end); in {
				if f.Length <= maxShown && !f.Group {
					f.Bytes = r.Plain[f.Offset : f.Offset+f.Length]
				}
				r.Body = append(r.Body, f)
			}
		}
		var words []string
		for _, w := range a.says {
			if start <= w.offset && w.offset < end {
				words = append(words, w.words)
			}
		}
		r.Says = few(words)
	}
}

// maxShown is how many bytes a field may have to be shown by itself: what is longer is
// content, and stands in the record.
const maxShown = 64

// within is the part of p between two offsets of the stream, as a field.
func (p *stretch) within(start, end int) (f Field, in bool) {
	from, to := max(p.offset, start), min(p.offset+p.length, end)
	if from >= to {
		return f, false
	}
	f = Field{Offset: from - start, Length: to - from, Depth: p.depth, Group: p.group, Name: p.name, Value: p.value, Meaning: p.meaning, Ref: p.ref, Details: p.details}
	if from > p.offset {
		f.Name, f.Value, f.Meaning, f.Details = p.name+" (continued)", "", "", nil
	}
	return f, true
}

// few joins what is said, of which the same words count once.
func few(all []string) string {
	const most = 4
	all = slices.Compact(all)
	if len(all) > most {
		all = append(all[:most:most], "…")
	}
	return strings.Join(all, ", ")
}
