package session

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Stage says what a ticket key is used for. The stages follow each other by the
// clock alone; the last is the end.
type Stage uint8

// A fleet publishes a key, which then only opens while the servers get to know
// it, seals when all have it, only opens again while its tickets are good, and
// is wiped.
const (
	StagePublished Stage = iota // opens the tickets of servers whose clock is ahead
	StageSealing                // seals and opens
	StageOpening                // opens the tickets that it has sealed
	StageWiped                  // is no longer in memory
)

var stageNames = [...]string{"published", "sealing", "opening", "wiped"}

func (s Stage) String() string {
	if int(s) < len(stageNames) {
		return stageNames[s]
	}
	return fmt.Sprintf("Stage(%d)", uint8(s))
}

// ends are the moments at which the stages of a key are over. A stage that ends
// before it begins is left out.
type ends [StageWiped]time.Time

const (
	sealingTime = 24 * time.Hour // of keys made here
	// openingTime is the day for which a session can be resumed, and an hour
	// for servers whose clocks differ.
	openingTime = 25 * time.Hour
)

var (
	past  = time.Time{}
	never = time.Unix(1<<40, 0)
)

// stage is the first stage that is not over.
func (e *ends) stage(now time.Time) Stage {
	for i, end := range e {
		if now.Before(end) {
			return Stage(i)
		}
	}
	return StageWiped
}

// TicketKey is a secret of a fleet and the moment from which it seals.
type TicketKey struct {
	Secret [32]byte
	From   time.Time
	// Until is when it stops to seal though there is no next key; zero for never. A server that
	// no longer hears of new keys then gives out no tickets, rather than those that the others
	// will not open.
	Until time.Time
}

// SetSchedule replaces all keys by those derived from the given secrets, each of
// which seals from its own moment until that of the next, and ends the rotation.
// Before that it opens; after that it opens for 25 hours more, and is wiped. The
// last seals until there is a new schedule, or until its Until; from then on Seal fails.
//
// So the servers of a fleet are given tomorrow's key today, some hours before it
// seals, and no ticket is lost though they get it, and reach its moment, one
// after the other. To rotate, give a schedule with one key more; those whose
// time is over may stay in it. What is said of the secrets at [TicketKeys.Set]
// holds here too.
//
// It fails, and changes nothing, without keys, or where a secret is all zeros or
// there twice, two keys seal from the same moment, or a key's Until is not after its From.
func (t *TicketKeys) SetSchedule(keys []TicketKey) error {
	keys = slices.Clone(keys)
	defer clear(keys)
	slices.SortFunc(keys, func(a, b TicketKey) int { return b.From.Compare(a.From) }) // newest first
	if err := checkSchedule(keys); err != nil {
		return err
	}
	made := make([]*ticketKey, len(keys))
	next := never
	for i, k := range keys {
		made[i] = newTicketKey(k.Secret)
		made[i].from = k.From
		if !k.Until.IsZero() && k.Until.Before(next) {
			next = k.Until
		}
		made[i].ends = ends{k.From, next, next.Add(openingTime)}
		next = k.From
	}
	t.replace(made)
	return nil
}

func checkSchedule(keys []TicketKey) error {
	if len(keys) == 0 {
		return errors.New("session: a schedule of ticket keys without keys")
	}
	for i, k := range keys {
		switch {
		case k.Secret == [32]byte{}:
			return fmt.Errorf("session: the ticket key that seals from %v is all zeros", k.From)
		case !k.Until.IsZero() && !k.Until.After(k.From):
			return fmt.Errorf("session: the ticket key that seals from %v is to stop at %v", k.From, k.Until)
		case i > 0 && k.From.Equal(keys[i-1].From):
			return fmt.Errorf("session: two ticket keys seal from %v", k.From)
		case slices.ContainsFunc(keys[:i], func(o TicketKey) bool { return o.Secret == k.Secret }):
			return fmt.Errorf("session: the ticket key that seals from %v is in the schedule twice", k.From)
		}
	}
	return nil
}

// replace puts given keys, newest first, in the place of all others. A key that
// stays goes on counting what it sealed.
func (t *TicketKeys) replace(keys []*ticketKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, old := range t.keys {
		for _, k := range keys {
			if k.name == old.name {
				k.seals.Store(old.seals.Load())
				k.xaes, old.xaes = old.xaes, k.xaes // which counts what it has sealed
			}
		}
		old.xaes.wipe()
	}
	t.given, t.keys = true, keys
	t.expire(t.now())
}

// hold takes the lock under which keys can be used, but not wiped, when there is
// none to be wiped, and returns the time and what gives the lock back.
func (t *TicketKeys) hold() (now time.Time, held *sync.RWMutex) {
	for {
		now, held := t.lockAt()
		if !slices.ContainsFunc(t.keys, over(now)) {
			return now, held
		}
		held.RUnlock()
		t.mu.Lock()
		t.expire(now)
		t.mu.Unlock()
	}
}

// lockAt takes the lock for reading, and returns the time. The clock is the
// application's: if it panics, it must not leave the lock behind.
func (t *TicketKeys) lockAt() (now time.Time, held *sync.RWMutex) {
	told := false
	held = t.mu.RLock()
	defer func() {
		if !told {
			held.RUnlock()
		}
	}()
	now = t.now()
	told = true
	return now, held
}

func over(now time.Time) func(*ticketKey) bool {
	return func(k *ticketKey) bool { return k.ends.stage(now) == StageWiped }
}

// expire wipes the keys whose time is over. The lock is held for writing.
func (t *TicketKeys) expire(now time.Time) {
	t.keys = slices.DeleteFunc(t.keys, func(k *ticketKey) bool {
		if !over(now)(k) {
			return false
		}
		k.xaes.wipe()
		return true
	})
}

// sealing returns the key that seals, or nil. The lock is held.
func (t *TicketKeys) sealing(now time.Time) *ticketKey {
	i := slices.IndexFunc(t.keys, func(k *ticketKey) bool { return k.ends.stage(now) == StageSealing })
	if i < 0 || t.fromAhead(t.keys[i], now) {
		return nil
	}
	return t.keys[i]
}

// setBack is how far a clock may go back before a key counts as made ahead of time.
const setBack = time.Minute

// fromAhead reports that k was made here while the clock was ahead: its stages end as
// much too late.
func (t *TicketKeys) fromAhead(k *ticketKey, now time.Time) bool {
	return !t.given && k.from.After(now.Add(setBack))
}

// renew makes a key to seal with, unless there is one or keys are given.
func (t *TicketKeys) renew() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for _, k := range t.keys {
		if t.fromAhead(k, now) {
			k.from, k.ends = now, ends{past, now, now.Add(openingTime)}
		}
	}
	k := t.sealing(now)
	switch {
	case k == nil && t.given:
		return errTooEarly
	case k == nil:
	case k.xaes.worn():
		k.xaes.refresh()
		return nil
	default: // another goroutine was here first
		return nil
	}
	var secret [32]byte
	rand.Read(secret[:])
	k = newTicketKey(secret)
	clear(secret[:])
	k.from = now
	k.ends = ends{past, now.Add(sealingTime), now.Add(sealingTime + openingTime)}
	t.keys = slices.Insert(t.keys, 0, k)
	return nil
}

// TicketKeyInfo is what operators may know of a ticket key.
type TicketKeyInfo struct {
	Name   string        // the first 16 bytes of its tickets, in hex
	Stage  Stage         // where it is now
	From   time.Time     // since when it seals, or from when; zero after Set, which does not say
	Age    time.Duration // the time since From, negative before it; 0 where From is zero
	Until  time.Time     // when its stage ends; zero if not by itself
	Sealed uint64        // tickets sealed under it in this process
}

// Keys describes the keys, newest first, without what is secret of them.
func (t *TicketKeys) Keys() []TicketKeyInfo {
	now, held := t.hold()
	defer held.RUnlock()
	infos := make([]TicketKeyInfo, len(t.keys))
	for i, k := range t.keys {
		stage := k.ends.stage(now)
		info := TicketKeyInfo{Name: hex.EncodeToString(k.name[:]), Stage: stage, From: k.from, Sealed: k.seals.Load()}
		if !k.from.IsZero() {
			info.Age = now.Sub(k.from)
		}
		if end := k.ends[stage]; end.Before(never) {
			info.Until = end
		}
		infos[i] = info
	}
	return infos
}
