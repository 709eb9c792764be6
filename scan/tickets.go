package scan

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"math"
	"slices"
	"sync"

	"github.com/vitrine-tls/vitrine/wire"
)

// ticketSamples is how many connections show how tickets differ.
const ticketSamples = 5

// keyNameLen is how many bytes at the beginning of a ticket name the key that it is sealed
// under. RFC 5077 §4; OpenSSL, GnuTLS and Go of old do so.
const keyNameLen = 16

// tickets looks at what tickets and session IDs are made of: whether they can be opened,
// whether they differ, and what names the key that they are sealed under.
func (x *audit) tickets(ctx context.Context) (found bool, unknown string) {
	for _, v := range []wire.Version{wire.TLS13, x.best12()} {
		suites := x.completable(v)
		if len(suites) == 0 {
			continue
		}
		h := x.offer(v, suites...)
		if v >= wire.TLS13 {
			h = x.offer13(suites)
		}
		sessions, last := x.sessionsOf(ctx, v, h)
		var handles [][]byte
		for _, s := range sessions {
			if len(s.Ticket) > 0 {
				handles = append(handles, s.Ticket)
				found = x.openTicket(s, last) || found
			}
		}
		found = x.alike("tickets of "+v.String(), handles, last) || found
		x.keyName(v, handles)
		if v >= wire.TLS13 {
			continue
		}
		h.Without = append(slices.Clone(h.Without), wire.ExtSessionTicket)
		sessions, last = x.sessionsOf(ctx, v, h)
		handles = nil
		for _, s := range sessions {
			handles = append(handles, s.ID)
		}
		found = x.alike("session IDs", handles, last) || found
	}
	return found, ""
}

// sessionsOf takes what the server hands out on a few connections; no more of them are made
// where the first brings nothing.
func (x *audit) sessionsOf(ctx context.Context, v wire.Version, h Hello) (all []*Session, last *Answer) {
	probe := Probe{Name: "a ticket more", Hello: h, Until: Complete, Then: x.untilTicket(v)}
	last = x.do(ctx, probe)
	if last == nil || handle(last) == nil {
		return nil, last
	}
	more := make([]*Answer, ticketSamples-1)
	var wait sync.WaitGroup
	for i := range more {
		wait.Go(func() { more[i] = x.do(ctx, probe) })
	}
	wait.Wait()
	for _, a := range append(more, last) {
		if a != nil && handle(a) != nil {
			all = append(all, handle(a))
		}
	}
	return all, last
}

// untilTicket are the steps up to a ticket, which some servers of TLS 1.3 hand out with their
// first data only.
func (x *audit) untilTicket(v wire.Version) []Step {
	if v < wire.TLS13 {
		return goodbye
	}
	return []Step{SendRecord{Type: wire.ContentApplicationData, Content: x.request()},
		Await{For: quiet, Done: func(a *Answer) bool { return len(a.Sessions) > 0 }}, CloseNotify{}}
}

// handle is what a connection got to be resumed: a ticket rather than an ID, and one alone,
// because those of one connection may be alike. nil for none.
func handle(a *Answer) *Session {
	for _, s := range a.Sessions {
		if len(s.Ticket) > 0 {
			return s
		}
	}
	if len(a.Sessions) > 0 {
		return a.Sessions[0]
	}
	return nil
}

// openTicket looks for a ticket of which the contents, or the key, are known to everybody.
func (x *audit) openTicket(s *Session, a *Answer) bool {
	if len(s.secret) >= 32 && bytes.Contains(s.Ticket, s.secret) {
		x.found("ticket-open", a, fmt.Sprintf("the ticket holds the session's secret %s in the clear: %s", hexOf(s.secret[:8]), hexOf(s.Ticket)))
		return true
	}
	goKeys := sha512.Sum512(make([]byte, 32)) // crypto/tls makes its keys so
	for _, key := range []struct {
		what string
		key  []byte
	}{{"a key of zeros", nil}, {"the key that crypto/tls makes of zeros", goKeys[32:48]}} {
		for _, of := range []func() hash.Hash{sha1.New, sha256.New, sha512.New384, sha512.New} {
			mac := hmac.New(of, key.key)
			at := len(s.Ticket) - mac.Size()
			if at < keyNameLen {
				continue
			}
			mac.Write(s.Ticket[:at])
			if hmac.Equal(mac.Sum(nil), s.Ticket[at:]) {
				x.found("ticket-open", a, fmt.Sprintf("the ticket ends in its HMAC under %s: %x", key.what, s.Ticket[at:]))
				return true
			}
		}
	}
	return false
}

// leastEntropy is how many bits of a ticket or session ID must be of chance, as a few of
// them show it. OWASP asks for 64 of session IDs.
const leastEntropy = 64

// alike judges how much the handles of sessions differ, and notes that.
func (x *audit) alike(what string, handles [][]byte, a *Answer) bool {
	if len(handles) < ticketSamples {
		return false
	}
	bits, places := entropy(handles)
	value := fmt.Sprintf("%d bits or more", int(bits))
	if bits > 256 {
		value = "more than 256 bits"
	}
	x.set("chance in "+what, value)
	if bits >= leastEntropy {
		return false
	}
	x.found("ticket-guess", a, fmt.Sprintf("%d %s differ in %d of %d bytes: %s, %s", len(handles), what, places, len(handles[0]), hexOf(handles[0]), hexOf(handles[1])))
	return true
}

// entropy estimates how many bits of samples are of chance, and in how many places they
// differ: a byte that is another one each time counts for 8 bits. Samples of several lengths
// are compared as far as the shortest goes.
func entropy(samples [][]byte) (bits float64, places int) {
	shortest := len(slices.MinFunc(samples, func(a, b []byte) int { return len(a) - len(b) }))
	for i := range shortest {
		seen := map[byte]bool{}
		for _, s := range samples {
			seen[s[i]] = true
		}
		if len(seen) > 1 {
			places++
			bits += 8 * math.Log2(float64(len(seen))) / math.Log2(float64(len(samples)))
		}
	}
	return bits, places
}

// keyName notes what names the key of tickets. Several names are a key that was changed
// meanwhile, or several servers with keys of their own.
func (x *audit) keyName(v wire.Version, tickets [][]byte) {
	names := map[string]int{}
	for _, t := range tickets {
		if len(t) >= 3*keyNameLen {
			names[string(t[:keyNameLen])]++
		}
	}
	switch n := len(names); {
	case n == 0 || n == len(tickets): // they begin with something else
	case n == 1:
		for name, times := range names {
			x.set("key of tickets of "+v.String(), fmt.Sprintf("%x in %d of %d", name, times, len(tickets)))
		}
	default:
		x.set("key of tickets of "+v.String(), fmt.Sprintf("%d keys in %d tickets: it changes, or several servers have one each", n, len(tickets)))
	}
}
