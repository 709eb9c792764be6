package fleet

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

// member is one of a fleet, whose clock is off by so much and which can be cut off.
type member struct {
	*session.Memory
	source *TicketKeySource
	off    time.Duration
	cut    bool
	keys   *session.TicketKeys
}

var errCut = errors.New("cut off")

func (m *member) Get(ctx context.Context, key string) ([]byte, error) {
	if m.cut {
		return nil, errCut
	}
	return m.Memory.Get(ctx, key)
}

func members(t *testing.T, now *time.Time, store *session.Memory, offs ...time.Duration) []*member {
	var all []*member
	for _, off := range offs {
		m := &member{Memory: store, off: off}
		clock := func() time.Time { return now.Add(m.off) }
		source, err := NewTicketKeySource(m, [][32]byte{{7}}, Rotation{}, clock)
		if err != nil {
			t.Fatal(err)
		}
		m.source, m.keys = source, session.NewTicketKeys(clock)
		all = append(all, m)
	}
	return all
}

// step has each member look at the store.
func step(t *testing.T, all []*member) {
	for _, m := range all {
		changed, err := m.source.Update(t.Context())
		if (err != nil) != m.cut {
			t.Fatal(err)
		}
		if changed {
			if err := m.keys.SetSchedule(m.source.Schedule()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// For 20 days, whatever a member seals, all others open, at once and as long as the ticket is good, though clocks
// differ by minutes, one is cut off for three days, and the store loses everything.
func TestNobodySealsWhatOthersCannotOpen(t *testing.T) {
	now := time.Now()
	store := session.NewMemory(1 << 20)
	all := members(t, &now, store, 0, 7*time.Minute, -9*time.Minute)
	step(t, all)
	step(t, all)
	type ticket struct {
		at     time.Time
		handle []byte
	}
	var tickets []ticket
	silent := 0
	for hour := range 20 * 24 {
		all[1].cut = hour >= 100 && hour < 172
		if hour == 300 {
			for _, m := range all {
				store.Delete(t.Context(), m.source.name)
			}
		}
		step(t, all)
		for i, m := range all {
			handle, err := m.keys.Seal(nil, []byte("blob"), nil)
			if err != nil {
				if silent++; !m.cut {
					t.Fatalf("hour %d: member %d seals nothing: %v", hour, i, err)
				}
				continue
			}
			tickets = append(tickets, ticket{now, handle})
		}
		for len(tickets) > 0 && now.Sub(tickets[0].at) > 23*time.Hour {
			tickets = tickets[1:]
		}
		for _, one := range tickets {
			for i, m := range all {
				if m.cut || hour < 240 && i == 1 && hour >= 100 {
					continue // it is the others that must open what it seals
				}
				if _, err := m.keys.Open(nil, one.handle, nil); err != nil {
					t.Fatalf("hour %d: member %d does not open a ticket of %v before: %v", hour, i, now.Sub(one.at), err)
				}
			}
		}
		now = now.Add(time.Hour)
	}
	if silent == 0 {
		t.Error("the member that was cut off for three days went on sealing")
	}
	if n := len(all[0].source.Schedule()); n > 5 {
		t.Errorf("%d keys are held", n)
	}
}

// Exactly one of many members makes each key.
func TestOneMakesTheKey(t *testing.T) {
	now := time.Now()
	all := members(t, &now, session.NewMemory(1<<20), make([]time.Duration, 50)...)
	done := make(chan error)
	for _, m := range all {
		go func() {
			_, err := m.source.Update(context.Background())
			done <- err
		}()
	}
	for range all {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for _, m := range all {
		if _, err := m.source.Update(t.Context()); err != nil {
			t.Error(err)
		}
		if s := m.source.Schedule(); len(s) != 1 || s[0].Secret != all[0].source.Schedule()[0].Secret {
			t.Errorf("%d keys, or other ones", len(s))
		}
	}
}

// A key that a member with a wrong clock made delays no other.
func TestAWrongClock(t *testing.T) {
	now := time.Now()
	all := members(t, &now, session.NewMemory(1<<20), 0, 30*24*time.Hour)
	step(t, all[:1])
	step(t, all[1:])
	for range 10 * 24 {
		now = now.Add(time.Hour)
		step(t, all[:1])
		if _, err := all[0].keys.Seal(nil, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// A change of the rotation counts from the next key on: a member that has it already makes none that others do not know yet.
func TestTheRotationChanges(t *testing.T) {
	now := time.Now()
	store := session.NewMemory(1 << 20)
	all := members(t, &now, store, 0, 0)
	for range 10 {
		step(t, all)
		now = now.Add(time.Hour)
	}
	old := all[0].source.Schedule()
	all[1].source.rotation, _ = Rotation{Every: time.Hour}.or()
	for step(t, all[1:]); len(all[1].source.Schedule()) == len(old); step(t, all[1:]) {
		if ticket, err := all[1].keys.Seal(nil, nil, nil); err != nil {
			t.Fatal(err)
		} else if _, err := all[0].keys.Open(nil, ticket, nil); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
	}
	next := all[1].source.Schedule()[len(old)]
	if early := next.From.Sub(now); early < 10*time.Minute || next.Until.Sub(next.From) != time.Hour || !next.From.Equal(old[len(old)-1].Until) {
		t.Errorf("the next key seals %v from now, from %v until %v", early, next.From, next.Until)
	}
}

// Keys that change too often for all to be held leave the oldest out, and one always seals.
func TestKeysThatChangeOften(t *testing.T) {
	now := time.Now()
	all := members(t, &now, session.NewMemory(1<<20), 0, 0)
	for _, m := range all {
		m.source.rotation, _ = Rotation{Every: time.Minute}.or()
	}
	for range 4 * 200 {
		step(t, all)
		for _, m := range all {
			if _, err := m.keys.Seal(nil, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(15 * time.Second)
	}
	if n := len(all[0].source.Schedule()); n != maxKeys {
		t.Errorf("%d keys are held", n)
	}
}

// Secrets are wiped when their time is over, though the store is away. The test looks at the memory where they were.
func TestSecretsAreWipedWithoutAStore(t *testing.T) {
	now := time.Now()
	m := members(t, &now, session.NewMemory(1<<20), 0)[0]
	step(t, []*member{m})
	now = now.Add(20 * time.Hour) // the next key is published
	step(t, []*member{m})
	where := m.source.known
	if len(where) != 2 || where[0].Secret == [32]byte{} {
		t.Fatalf("%d keys", len(where))
	}
	first, second := where[0].Secret, where[1].Secret
	m.cut = true
	look := func() (changed int) {
		ctx, cancel := context.WithCancel(t.Context())
		m.source.Run(ctx, func() { changed++ }, func(error) { cancel() })
		return changed
	}
	if look() != 0 || where[0].Secret != first {
		t.Error("a key is gone before its time")
	}
	if now = now.Add(30*time.Hour + time.Minute); look() != 1 || where[0].Secret != second || where[1].Secret != [32]byte{} {
		t.Errorf("the first key is still there: %v", m.source.known)
	}
	if now = now.Add(24 * time.Hour); look() != 1 || where[0].Secret != [32]byte{} || len(m.source.Schedule()) != 0 {
		t.Errorf("the second key is still there: %v", m.source.known)
	}
}

// A record of another version is left alone.
func TestARecordOfAnotherVersion(t *testing.T) {
	now := time.Now()
	store := session.NewMemory(1 << 20)
	m := members(t, &now, store, 0)[0]
	other := m.source.vault.seal(purposeKeys, m.source.name, []byte{1, 0})
	if err := store.Put(t.Context(), m.source.name, other, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := m.source.Update(t.Context()); !errors.Is(err, errOtherVersion) {
		t.Error(err)
	}
}

// A record that was altered counts as lost; one of another fleet is left alone.
func TestRecordsOfOthers(t *testing.T) {
	now := time.Now()
	store := session.NewMemory(1 << 20)
	m := members(t, &now, store, 0)[0]
	other, err := newVault([][32]byte{{8}})
	if err != nil {
		t.Fatal(err)
	}
	put := func(b []byte) {
		if err := store.Put(t.Context(), m.source.name, b, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	put(other.seal(purposeKeys, m.source.name, []byte("theirs")))
	if _, err := m.source.Update(t.Context()); err == nil || len(m.source.Schedule()) != 0 {
		t.Errorf("another fleet's record: %v", err)
	}
	for _, bad := range [][]byte{{}, []byte("nonsense"), m.source.vault.seal(purposeKeys, m.source.name, []byte{scheduleVersion, 200}), m.source.vault.seal(purposeTicket, m.source.name, schedule(nil).encode())} {
		put(bad)
		if _, err := m.source.Update(t.Context()); err != nil || len(m.source.Schedule()) != 1 {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestVault(t *testing.T) {
	old, _ := newVault([][32]byte{{1}})
	both, _ := newVault([][32]byte{{2}, {1}})
	blob := old.seal("a", "name", []byte("secret"))
	if got, err := both.open("a", "name", blob); err != nil || string(got) != "secret" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := old.open("a", "name", both.seal("a", "name", nil)); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("the next key: %v", err)
	}
	for _, at := range [][2]string{{"a", "nam"}, {"an", "ame"}, {"b", "name"}} {
		if _, err := both.open(at[0], at[1], blob); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("%q: %v", at, err)
		}
	}
	for i := range blob {
		blob[i] ^= 1
		if _, err := both.open("a", "name", blob); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("byte %d: %v", i, err)
		}
		blob[i] ^= 1
	}
	for _, bad := range [][][32]byte{nil, {{}}, {{1}, {1}}} {
		if _, err := newVault(bad); err == nil {
			t.Errorf("%d keys are taken", len(bad))
		}
	}
}

func TestBreaker(t *testing.T) {
	var b breaker
	now := time.Now()
	for range breakAfter {
		if _, ok := b.allow(now); !ok {
			t.Fatal("broken too early")
		}
		b.note(now, false, false)
	}
	for range 20 {
		if _, ok := b.allow(now); ok {
			t.Fatal("a call in a rest")
		}
		now = now.Add(longRest)
		if probe, ok := b.allow(now); !ok || !probe {
			t.Fatal("no probe after a rest")
		}
		if _, ok := b.allow(now); ok {
			t.Fatal("two probes")
		}
		b.note(now, true, false)
	}
	now = now.Add(longRest)
	b.allow(now)
	b.note(now, true, true)
	if probe, ok := b.allow(now); !ok || probe {
		t.Error("a store that is back is left alone")
	}
}

// A process without a store looks at its keys once a minute, and they follow each other all the same.
func TestAloneItSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int64
		s, err := Open(t.Context(), Settings{}, Options{Now: func() time.Time { looks.Add(1); return time.Now() }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Run(ctx)
		}()
		for hour := range 72 {
			looks.Store(0)
			time.Sleep(time.Hour)
			synctest.Wait()
			if looks := looks.Load(); looks > 4*60 {
				t.Fatalf("hour %d: the clock is asked %d times", hour, looks)
			}
			now := time.Now()
			if !slices.ContainsFunc(s.source.Schedule(), func(k session.TicketKey) bool { return !k.From.After(now) && k.Until.After(now) }) {
				t.Fatalf("hour %d: no key seals", hour)
			}
		}
		stop()
		<-done
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for every, want := range map[time.Duration]time.Duration{0: time.Minute, 24 * time.Hour: time.Minute, 32 * time.Second: time.Second} {
		if got := alone(every); got != want {
			t.Errorf("keys that change every %v are looked at every %v", every, got)
		}
	}
}
