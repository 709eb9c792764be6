package explain

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/tracefile"
)

// Save writes what was collected of the first connection to w, from which Load makes the
// same account. If about.Previous is set, its session is that of the connection that was
// written to w before. The caller guards what w writes to like a key, where w writes secrets.
func (c *Collector) Save(w *tracefile.Writer, about About) error {
	c.mu.Lock()
	events, dropped, start := slices.Clone(c.events), c.lost, c.start
	c.mu.Unlock()
	h := tracefile.Header{Start: start.Round(0), Target: about.Target, Trust: about.Trust, Captured: about.Captured, Redacted: about.Redacted, Before: about.Before,
		Resumes: about.Previous != nil, Sent: about.Sent, Advice: about.Advice, Warnings: about.Warnings}
	if about.Verdict != nil {
		var err error
		if h.Verdict, err = json.Marshal(about.Verdict); err != nil {
			return err
		}
	}
	if about.Err != nil {
		h.Failure = about.Err.Error()
	}
	if err := w.Begin(h); err != nil {
		return err
	}
	for _, e := range events {
		if err := w.Write(tracefile.Event{At: e.at, What: e.what, Missed: e.missed}); err != nil {
			return err
		}
	}
	for of, l := range dropped {
		if !l.any() {
			continue
		}
		d := tracefile.Dropped{What: shares[of].name, Event: l.first, At: l.at, Records: l.records, Bytes: l.bytes, Others: l.others}
		if err := w.Write(tracefile.Event{What: d}); err != nil {
			return err
		}
	}
	return nil
}

// Load reads a trace and returns the account of each connection in it, at most 8, in
// their order. Each is kept up to budget bytes, as by a Collector; 0 means DefaultBudget.
// Where the trace cannot be read to its end, the accounts are of what came before, and
// the error says where it is damaged.
func Load(r io.Reader, budget int) (all []*Connection, err error) {
	in := tracefile.NewReader(r)
	var one *Collector
	var about About
	end := func() {
		if one != nil {
			all = append(all, one.account(about))
		}
	}
	for {
		h, e, err := in.Next()
		switch {
		case err != nil:
			end()
			if err == io.EOF && len(all) == 0 {
				err = tracefile.ErrNoTrace
			}
			if err == io.EOF {
				err = nil
			}
			return all, err
		case h == nil:
			one.replay(e)
			continue
		}
		end()
		if len(all) == maxConnections {
			return all, nil
		}
		one = &Collector{Budget: budget, started: true, start: h.Start}
		if about, err = aboutOf(h, all); err != nil {
			return all, err
		}
	}
}

// aboutOf is what the header says of its connection, which follows those before.
func aboutOf(h *tracefile.Header, before []*Connection) (About, error) {
	a := About{Redacted: h.Redacted, Target: h.Target, Trust: h.Trust, Captured: h.Captured, Before: h.Before, Sent: h.Sent, Advice: h.Advice, Warnings: h.Warnings}
	if len(h.Verdict) > 0 {
		if err := json.Unmarshal(h.Verdict, &a.Verdict); err != nil {
			return a, fmt.Errorf("the verdict in the trace cannot be read: %w", err)
		}
	}
	if h.Failure != "" {
		a.Err = errors.New(h.Failure)
	}
	if h.Resumes && len(before) > 0 {
		a.Previous = before[len(before)-1]
	}
	return a, nil
}

// replay adds an event of a trace. What was not kept there is not kept here.
func (c *Collector) replay(e tracefile.Event) {
	if d, ok := e.What.(tracefile.Dropped); ok {
		for of := range shares {
			if l := &c.lost[of]; shares[of].name == d.What && !l.any() {
				*l = lost{first: min(d.Event, len(c.events)), at: d.At, records: d.Records, bytes: d.Bytes, others: d.Others}
			}
		}
		return
	}
	if !c.admit(e.What, e.At) {
		return
	}
	now := c.missed
	for dir := range now {
		now[dir] += e.Missed[dir]
	}
	c.events = append(c.events, collected{e.At, e.What, now})
}

// Why a value of a trace is missing, or not what it was.
const (
	unsaved    = "the trace was saved without secrets"
	standsHere = "redacted: a stand-in"
)

// lacks says why a value cannot be relied on; empty where it can.
func (c *Connection) lacks(value ...[]byte) string {
	switch {
	case c.Redacted:
		return standsHere
	case len(slices.Concat(value...)) == 0:
		return unsaved
	}
	return ""
}

// standIn is what a check of a proof amounts to where that is a stand-in: nothing.
func (c *Connection) standIn(check Check) Check {
	if what, _, ok := strings.Cut(check.What, ":"); c.Redacted && ok {
		return Check{Given, what + ": " + standsHere}
	}
	return check
}

// withheld reports that the keys are not there.
func (k *Keys) withheld() bool { return k.lack != "" }

// withheld reports that the value is not there.
func (s *Secret) withheld() bool { return s.lack != "" }

// withheld counts the secrets whose values are not there.
func (c *Connection) withheld() (n int) {
	for _, e := range c.Events {
		if e.Secret != nil && e.Secret.withheld() {
			n++
		}
	}
	return n
}
