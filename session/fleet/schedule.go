package fleet

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

// A Rotation says how ticket keys follow each other. 0 is the default of each. All members must
// have the same.
type Rotation struct {
	// Every is how long a key seals; 24 h by default, at most that, at least a second.
	Every time.Duration
	// Lead is how long before it seals a key is published; a quarter of Every by default. A
	// member that is away for less misses none.
	Lead time.Duration
	// Poll is how often the store is looked at; 2 s by default.
	Poll time.Duration
}

func (r Rotation) or() (Rotation, error) {
	if r.Every == 0 {
		r.Every = 24 * time.Hour
	}
	if r.Lead == 0 {
		r.Lead = r.Every / 4
	}
	if r.Poll == 0 {
		r.Poll = 2 * time.Second
	}
	if r.Every < time.Second || r.Every > 24*time.Hour || r.Lead < 0 || r.Lead > r.Every/2 || r.Poll < 0 {
		return r, errors.New("fleet: ticket keys are changed every 1 s to 24 h, published at most half of that before, and looked for at intervals above 0")
	}
	return r, nil
}

const (
	// opens is how long a key opens after it has sealed, as session.TicketKeys has it.
	opens = 25 * time.Hour
	// skew is how far the clocks of members may differ.
	skew = time.Hour
	// maxKeys bounds the record. Keys that change once an hour are 27 at once.
	maxKeys = 64
)

// A schedule is the ticket keys of a fleet, by the moment from which they seal.
type schedule []session.TicketKey

// encode writes a schedule:
//
//	struct {
//	    uint8 version = 1;
//	    struct { opaque secret[32]; int64 from_milliseconds; } keys<0..64>;  // a count of 1 byte
//	} Schedule;
func (s schedule) encode() []byte {
	out := []byte{1, byte(len(s))}
	for _, k := range s {
		out = binary.BigEndian.AppendUint64(append(out, k.Secret[:]...), uint64(k.From.UnixMilli()))
	}
	return out
}

func decodeSchedule(data []byte) (schedule, error) {
	if len(data) < 2 || data[0] != 1 || data[1] > maxKeys || len(data) != 2+40*int(data[1]) {
		return nil, errDamaged
	}
	var s schedule
	for rest := data[2:]; len(rest) > 0; rest = rest[40:] {
		var k session.TicketKey
		copy(k.Secret[:], rest)
		k.From = time.UnixMilli(int64(binary.BigEndian.Uint64(rest[32:])))
		if s.has(k) || k.Secret == [32]byte{} || len(s) > 0 && !k.From.After(s[len(s)-1].From) {
			return nil, errDamaged
		}
		s = append(s, k)
	}
	return s, nil
}

func (s schedule) has(k session.TicketKey) bool {
	return slices.ContainsFunc(s, func(o session.TicketKey) bool { return o.Secret == k.Secret })
}

// ends is when key i no longer seals.
func (s schedule) ends(i int, r Rotation) time.Time {
	end := s[i].From.Add(r.Every)
	if i+1 < len(s) && s[i+1].From.Before(end) {
		end = s[i+1].From
	}
	return end
}

// plan is what the record should be, given what it is and what this member knows. It is stored
// itself where nothing needs to change.
func plan(stored, known schedule, now time.Time, r Rotation) (next schedule, changed bool) {
	all := slices.Clone(stored)
	for i, k := range known { // the store has lost some, or all
		if !all.has(k) && now.Before(known.ends(i, r).Add(opens)) {
			all, changed = append(all, k), true
		}
	}
	all.order()
	// What other members might still put back stays for a while longer.
	for i := range all {
		if now.Before(all.ends(i, r).Add(opens + skew)) {
			next = append(next, all[i])
		}
	}
	changed = changed || len(next) != len(all)
	if from, due := next.due(now, r); due && len(next) < maxKeys {
		k := session.TicketKey{From: from}
		rand.Read(k.Secret[:])
		next, changed = append(next, k), true
		next.order()
	}
	return next, changed
}

// due is the moment from which the next key is to seal, if it is time to make it. A key of the
// far future, which a member with a wrong clock has made, delays no other.
func (s schedule) due(now time.Time, r Rotation) (from time.Time, due bool) {
	last := -1
	for i, k := range s {
		if k.From.Before(now.Add(r.Every + skew)) {
			last = i
		}
	}
	back := now.Add(-min(skew, r.Every/8)).Truncate(time.Millisecond) // so that it seals on clocks that are behind
	if last < 0 {
		return back, true
	}
	end := s[last].From.Add(r.Every)
	if now.Before(end.Add(-r.Lead)) {
		return from, false
	}
	if end.Before(back) { // the fleet was stopped
		end = back
	}
	return end, true
}

// order sorts by time, and keeps two keys from sealing from the same millisecond.
func (s schedule) order() {
	slices.SortFunc(s, func(a, b session.TicketKey) int {
		if c := a.From.Compare(b.From); c != 0 {
			return c
		}
		return bytes.Compare(a.Secret[:], b.Secret[:])
	})
	for i := 1; i < len(s); i++ {
		if !s[i].From.After(s[i-1].From) {
			s[i].From = s[i-1].From.Add(time.Millisecond)
		}
	}
}

// sealing are the keys for session.TicketKeys: none seals longer than its time, so that a member
// that is cut off stops while the others still open what it sealed.
func (s schedule) sealing(r Rotation) []session.TicketKey {
	keys := slices.Clone(s)
	for i := range keys {
		keys[i].Until = keys[i].From.Add(r.Every)
	}
	return keys
}
