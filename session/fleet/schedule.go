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

// A Rotation says how ticket keys follow each other. 0 is the default of each. A change counts from the
// next key on, which the first member makes that finds it due: give all members the same.
type Rotation struct {
	// Every is how long a key seals; 24 h by default, at most that, at least a second. At less than half an hour the
	// oldest keys go before the day is over for which a session can be resumed: 64 are held.
	Every time.Duration
	// Lead is how long before it seals a key is published; a quarter of Every by default. A
	// member that is away for less misses none.
	Lead time.Duration
	// Poll is how often the store is looked at; 2 s by default, and a minute at most without a store.
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
	// longest is how long a key may seal.
	longest = 24*time.Hour + time.Minute
	// skew is how far the clocks of members may differ.
	skew = time.Hour
	// maxKeys bounds the record. Keys that change every half an hour are 54 at once; of those that
	// change more often the oldest go before their time.
	maxKeys = 64
)

// A schedule is the ticket keys of a fleet, by the moment from which they seal.
type schedule []session.TicketKey

// encode writes a schedule:
//
//	struct {
//	    uint8 version = 2;
//	    struct { opaque secret[32]; int64 from_milliseconds; int64 until_milliseconds; } keys<0..64>;  // a count of 1 byte
//	} Schedule;
//
// A key has its end with it, so that members agree on it while a new rotation is brought to one after the other.
func (s schedule) encode() []byte {
	out := append(make([]byte, 0, 2+keySize*len(s)), scheduleVersion, byte(len(s)))
	for _, k := range s {
		out = binary.BigEndian.AppendUint64(append(out, k.Secret[:]...), uint64(k.From.UnixMilli()))
		out = binary.BigEndian.AppendUint64(out, uint64(k.Until.UnixMilli()))
	}
	return out
}

const (
	scheduleVersion = 2
	keySize         = 32 + 8 + 8
)

var errOtherVersion = errors.New("fleet: the ticket keys in the store were written by another version of vitrine; run the same version on all members, or give this one a store of its own")

func decodeSchedule(data []byte) (s schedule, err error) {
	if len(data) > 0 && data[0] != scheduleVersion {
		return nil, errOtherVersion
	}
	if len(data) < 2 || data[1] > maxKeys || len(data) != 2+keySize*int(data[1]) {
		return nil, errDamaged
	}
	s = make(schedule, 0, data[1])
	for rest := data[2:]; len(rest) > 0; rest = rest[keySize:] {
		var k session.TicketKey
		copy(k.Secret[:], rest)
		k.From = time.UnixMilli(int64(binary.BigEndian.Uint64(rest[32:])))
		k.Until = time.UnixMilli(int64(binary.BigEndian.Uint64(rest[40:])))
		if s.has(k) || k.Secret == [32]byte{} || len(s) > 0 && !k.From.After(s[len(s)-1].From) || !k.Until.After(k.From) || k.Until.Sub(k.From) > longest {
			clear(s)
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
func (s schedule) ends(i int) time.Time {
	end := s[i].Until
	if i+1 < len(s) && s[i+1].From.Before(end) {
		end = s[i+1].From
	}
	return end
}

// plan is what the record should be, given what it is and what this member knows.
func plan(stored, known schedule, now time.Time, r Rotation) (next schedule, changed bool) {
	all := make(schedule, 0, len(stored)+len(known)+1)
	all = append(all, stored...)
	for i, k := range known { // the store has lost some, or all
		if !all.has(k) && now.Before(known.ends(i).Add(opens)) {
			all = append(all, k)
		}
	}
	all.order()
	// What other members might still put back stays for a while longer.
	next = all.keep(func(i int) bool { return now.Before(all.ends(i).Add(opens + skew)) })
	if from, due := next.due(now, r); due {
		k := session.TicketKey{From: from, Until: from.Add(r.Every)}
		rand.Read(k.Secret[:])
		next = append(next, k)
		next.order()
	}
	if more := len(next) - maxKeys; more > 0 { // the oldest go before their time
		clear(next[:more])
		next = next[more:]
	}
	return next, !next.equal(stored)
}

func (s schedule) equal(o schedule) bool {
	return slices.EqualFunc(s, o, func(a, b session.TicketKey) bool {
		return a.Secret == b.Secret && a.From.Equal(b.From) && a.Until.Equal(b.Until)
	})
}

// keep leaves the keys in s of which that is true, and wipes the others. It asks for all before it changes s.
func (s schedule) keep(is func(i int) bool) schedule {
	var gone schedule
	for i := range s {
		if !is(i) {
			gone = append(gone, session.TicketKey{From: s[i].From})
		}
	}
	return slices.DeleteFunc(s, func(k session.TicketKey) bool {
		return slices.ContainsFunc(gone, func(o session.TicketKey) bool { return o.From.Equal(k.From) })
	})
}

// due is the moment from which the next key is to seal, if it is time to make it. A key of the
// far future, which a member with a wrong clock has made, delays no other.
func (s schedule) due(now time.Time, r Rotation) (from time.Time, due bool) {
	last := -1
	for i, k := range s {
		if k.From.Before(now.Add(longest + skew)) {
			last = i
		}
	}
	back := now.Add(-min(skew, r.Every/8)).Truncate(time.Millisecond) // so that it seals on clocks that are behind
	if last < 0 {
		return back, true
	}
	end := s[last].Until
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
			s[i].Until = s[i].Until.Add(time.Millisecond)
		}
	}
}
