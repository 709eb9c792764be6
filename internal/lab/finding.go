package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// How a run can come out.
const (
	Honest   = "honest"   // nobody was in the middle, and all went well
	Refused  = "refused"  // a side saw that something is wrong and said so
	Cut      = "cut"      // a side saw that the stream ended before its end
	Waiting  = "waiting"  // both waited for each other
	Harmless = "harmless" // it came up, and nothing changed for either side
	Changed  = "changed"  // nobody noticed, and a side was given other data
	Absent   = "absent"   // the connection has no such place
	Failed   = "failed"   // it failed with nobody in the middle
)

// Finding is who noticed, where, and by which rule.
type Finding struct {
	Outcome string `json:"outcome"`
	// By is the side that noticed; empty where none did.
	By string `json:"by,omitempty"`
	// Record is the last one that the side had received, by its number in the account of
	// that side, 0 for none. Message is the last handshake message in the same way, where
	// it came with that record.
	Record  int    `json:"record,omitempty"`
	Message string `json:"message,omitempty"`
	// Byte is the first byte of that record on the wire that is not what was sent; -1
	// where no byte of it was touched.
	Byte int `json:"byte"`
	// Rule and Ref are what was broken, and where that stands. Alert is what the side sent
	// for it, and Heard what its peer made of that.
	Rule  string `json:"rule,omitempty"`
	Ref   string `json:"ref,omitempty"`
	Alert string `json:"alert,omitempty"`
	Heard string `json:"heard,omitempty"`
	// Text is all that in plain words.
	Text string `json:"text"`
	// Without is what would have come of it without the defence, and Defence its name,
	// where that is known.
	Defence string `json:"defence,omitempty"`
	Without string `json:"without,omitempty"`
}

// find makes the finding of a run.
func (r *Result) find() Finding {
	f := Finding{Byte: -1}
	switch {
	case r.refused(&f):
	case r.waited:
		f.Outcome, f.Text = Waiting, "Nobody noticed that something is missing: both sides wait for the other, until their time runs out. The lab ended that at once."
	case r.cut(&f):
	case r.Deviation != nil && !r.applied:
		f.Outcome, f.Text = Absent, "Nothing was touched: the connection has no such place."
	case r.told():
		f.Outcome = map[bool]string{true: Honest, false: Harmless}[r.Deviation == nil]
		f.Text = "Both sides completed the connection, and each was given what the other had sent."
		if r.Deviation != nil {
			f.Text = "Nobody noticed, and nothing was lost: both sides completed the connection, and each was given what the other had sent." + r.remark()
		}
	default:
		f.Outcome, f.Text = Changed, "Nobody noticed, and a side was given other data than its peer had sent."+r.remark()
	}
	if f.Outcome == Refused && r.Deviation == nil {
		f.Outcome = Failed
	}
	if r.explain(&f); f.Text == "" {
		f.Text = f.words()
	}
	return f
}

// told reports that each side was given what the other had sent, to its end.
func (r *Result) told() bool {
	return r.sides[0].err == nil && r.sides[1].err == nil &&
		bytes.Equal(r.sides[0].got, []byte(r.setup.answer())) && bytes.Equal(r.sides[1].got, []byte(r.setup.request()))
}

// refused is for a side that found a rule broken: the first that did, where both have.
func (r *Result) refused(f *Finding) bool {
	var first *party
	var rule *tls.HandshakeError
	for _, x := range r.sides {
		var failure *tls.HandshakeError
		if !errors.As(x.err, &failure) || failure.Received || errors.Is(x.err, io.ErrUnexpectedEOF) || errors.Is(x.err, os.ErrDeadlineExceeded) {
			continue
		}
		if first == nil || x.refused.Load() < first.refused.Load() {
			first, rule = x, failure
		}
	}
	if first == nil {
		return false
	}
	f.Outcome, f.By = Refused, first.role.String()
	f.Rule, f.Ref, f.Alert = sentence(rule), rule.Ref, rule.Alert.String()
	f.locate(r.accountOf(first.role), r.Deviation)
	f.Heard = heard(r.sides[2-int(first.role)])
	return true
}

// sentence is the rule with its cause.
func sentence(e *tls.HandshakeError) string {
	if e.Err != nil && !strings.Contains(e.Rule, e.Err.Error()) {
		return e.Rule + ": " + strings.TrimPrefix(e.Err.Error(), "tls: ")
	}
	return e.Rule
}

// heard is what the peer of the side that noticed learnt.
func heard(peer *party) string {
	var failure *tls.HandshakeError
	switch {
	case peer.err == nil:
		return "nothing: it had ended already"
	case errors.As(peer.err, &failure) && failure.Received:
		return "the alert " + failure.Alert.String()
	case errors.As(peer.err, &failure):
		return "nothing of that: it had refused something too (" + failure.Alert.String() + ")"
	case errors.Is(peer.err, io.ErrUnexpectedEOF):
		return "the end of the stream"
	case errors.Is(peer.err, os.ErrDeadlineExceeded):
		return "nothing, until its time ran out"
	}
	return strings.TrimPrefix(peer.err.Error(), "tls: ")
}

// cut is for a side that saw the stream end.
func (r *Result) cut(f *Finding) bool {
	sides := r.sides
	if d := r.Deviation; d != nil && d.From == wire.Client.String() { // whose receiver counts
		sides[0], sides[1] = sides[1], sides[0]
	}
	for _, x := range sides {
		if !errors.Is(x.err, io.ErrUnexpectedEOF) {
			continue
		}
		f.Outcome, f.By, f.Ref = Cut, x.role.String(), "RFC 5246 §7.2.1"
		if r.accountOf(x.role).Summary.Version == wire.TLS13.String() {
			f.Ref = "RFC 8446 §6.1"
		}
		f.Rule = "the stream ended without close_notify"
		f.locate(r.accountOf(x.role), r.Deviation)
		f.Text = fmt.Sprintf("The %s noticed: the stream ended and no close_notify had come, so what it has may not be all (%s).", f.By, f.Ref)
		return true
	}
	return false
}

func (r *Result) accountOf(role wire.Role) *explain.Connection {
	if role == wire.Client {
		return r.Client
	}
	return r.Server
}

// locate finds the last record that a side had received when it gave up.
func (f *Finding) locate(c *explain.Connection, d *Deviation) {
	peer := wire.Client.String()
	if c.Side == peer {
		peer = wire.Server.String()
	}
	var last *explain.Record
	n := 0 // records of the peer
scan:
	for _, e := range c.Events {
		switch {
		case e.Record != nil && e.Record.From == peer:
			last, f.Message = e.Record, ""
			n++
		case e.Message != nil && e.Message.From == peer:
			f.Message = e.Message.Name
		case e.Alert != nil && e.Alert.From == c.Side && e.Alert.Reason != "":
			break scan
		}
	}
	if last == nil {
		return
	}
	f.Record = last.Number
	if d != nil && !d.Inside && d.From == peer && d.At == n && (d.Kind == "flip" || d.Kind == "replace") {
		f.Byte = d.Byte
	}
}

// words are those of a refusal.
func (f *Finding) words() string {
	where := "before any record had come"
	if f.Record > 0 {
		where = fmt.Sprintf("at record %d", f.Record)
	}
	if f.Byte >= 0 {
		where += fmt.Sprintf(", whose byte %d had been changed", f.Byte)
	}
	if f.Message != "" {
		where += ", which holds " + f.Message
	}
	ref := ""
	if f.Ref != "" {
		ref = " (" + f.Ref + ")"
	}
	return fmt.Sprintf("The %s noticed, %s: %s%s. It sent the alert %s; its peer learnt %s.", f.By, where, f.Rule, ref, f.Alert, f.Heard)
}
