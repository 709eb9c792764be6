package session

import (
	"bytes"
	"crypto/aes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// day is the moment of that many days, and something, after the fleet's start.
func day(n int, more ...time.Duration) time.Time {
	t := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n)
	for _, d := range more {
		t = t.Add(d)
	}
	return t
}

// fleet is a schedule whose keys 1, 2 and 3 seal from day 0, 1 and 2.
func fleet() []TicketKey {
	return []TicketKey{ // in no order
		{Secret: [32]byte{2}, From: day(1)}, {Secret: [32]byte{3}, From: day(2)}, {Secret: [32]byte{1}, From: day(0)},
	}
}

// at returns the fleet's keys by a clock that stands at now.
func at(t testing.TB, now *time.Time) *TicketKeys {
	t.Helper()
	k := NewTicketKeys(func() time.Time { return *now })
	if err := k.SetSchedule(fleet()); err != nil {
		t.Fatal(err)
	}
	return k
}

// stages are the stages of the keys 1, 2 and 3 as letters; "-" for a wiped one.
func stages(k *TicketKeys) string {
	held := map[string]Stage{}
	for _, info := range k.Keys() {
		held[info.Name] = info.Stage
	}
	var b strings.Builder
	for i := range byte(3) {
		stage, ok := held[fmt.Sprintf("%x", newTicketKey([32]byte{i + 1}).name)]
		if !ok {
			b.WriteByte('-')
			continue
		}
		b.WriteByte(stage.String()[0])
	}
	return b.String()
}

func TestTicketStages(t *testing.T) {
	const ns, hour = time.Nanosecond, time.Hour
	var now time.Time
	forward := []struct {
		now  time.Time
		want string
	}{
		{day(-9), "ppp"},
		{day(0, -ns), "ppp"},
		{day(0), "spp"},
		{day(1, -ns), "spp"},
		{day(1), "osp"},
		{day(2, -ns), "osp"},
		{day(2), "oos"},
		{day(2, hour-ns), "oos"},
		{day(2, hour), "-os"},
		{day(3, hour-ns), "-os"},
		{day(3, hour), "--s"},
		{day(900), "--s"},
	}
	k := at(t, &forward[0].now)
	k.now = func() time.Time { return now }
	for _, step := range forward {
		now = step.now
		if got := stages(k); got != step.want {
			t.Errorf("%v: %s, want %s", now, got, step.want)
		}
		if got := stages(at(t, &step.now)); got != step.want {
			t.Errorf("%v: a server started then has %s, want %s", now, got, step.want)
		}
		_, err := k.Seal(nil, []byte("blob"), nil)
		if sealing := strings.Contains(step.want, "s"); sealing != (err == nil) {
			t.Errorf("%v: Seal: %v", now, err)
		}
	}
	for s, want := range map[Stage]string{StageWiped: "wiped", 9: "Stage(9)"} {
		if s.String() != want {
			t.Errorf("%d is %q", uint8(s), s)
		}
	}
}

// Servers whose clocks differ by a minute open each other's tickets at every
// moment, from the first to the last of a ticket's day.
func TestTicketStagesAcrossClocks(t *testing.T) {
	for moment := day(0, time.Minute); moment.Before(day(3)); moment = moment.Add(30 * time.Second) {
		near := moment.Sub(day(0)) % (24 * time.Hour)
		if near > 3*time.Minute && near < 24*time.Hour-3*time.Minute && near%time.Hour != 0 {
			continue // every half minute around midnight, else every hour
		}
		a, b := moment, moment
		one, two := at(t, &a), at(t, &b)
		for _, skew := range []time.Duration{-time.Minute, time.Minute} {
			b = moment.Add(skew)
			for _, pair := range [][2]*TicketKeys{{one, two}, {two, one}} {
				ticket := seal(t, pair[0], "blob", "")
				if _, err := pair[1].Open(nil, ticket, nil); err != nil {
					t.Errorf("%v, clocks %v apart: %v", moment, skew, err)
				}
			}
		}
		// A day later, sealed by a clock that is behind, opened by one ahead.
		a = moment.Add(-time.Minute)
		ticket := seal(t, at(t, &a), "blob", "")
		b = moment.Add(24*time.Hour + time.Minute)
		if _, err := two.Open(nil, ticket, nil); err != nil {
			t.Errorf("%v, a day later: %v", moment, err)
		}
	}
}

// A new schedule in time loses no ticket, and the count of seals goes on.
func TestTicketScheduleGrows(t *testing.T) {
	now := day(2, time.Hour/2)
	k := at(t, &now)
	first := seal(t, k, "blob", "")
	k.keys[0].seals.Store(7)
	if err := k.SetSchedule(append(fleet(), TicketKey{Secret: [32]byte{4}, From: day(3)})); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Open(nil, first, nil); err != nil {
		t.Error(err)
	}
	if got := k.Keys()[1].Sealed; got != 7 {
		t.Errorf("the key has forgotten how often it sealed: %d", got)
	}
	now = day(3)
	if fresh := seal(t, k, "blob", ""); bytes.Equal(first[:nameSize], fresh[:nameSize]) {
		t.Error("the new key does not seal")
	}
}

func TestTicketScheduleRefuses(t *testing.T) {
	now := day(0)
	k := at(t, &now)
	before := k.Keys()
	for want, keys := range map[string][]TicketKey{
		"without keys":  nil,
		"all zeros":     {{Secret: [32]byte{1}, From: day(0)}, {Secret: [32]byte{}, From: day(1)}},
		"two ticket":    {{Secret: [32]byte{1}, From: day(1)}, {Secret: [32]byte{2}, From: day(1).In(time.FixedZone("", 3600))}},
		"twice":         {{Secret: [32]byte{1}, From: day(0)}, {Secret: [32]byte{2}, From: day(1)}, {Secret: [32]byte{1}, From: day(2)}},
		"from 2026-03-": {{Secret: [32]byte{}, From: day(1)}},
	} {
		if err := k.SetSchedule(keys); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if after := k.Keys(); !reflect.DeepEqual(before, after) {
		t.Errorf("a refused schedule changed the keys from %v to %v", before, after)
	}
	now = day(-1)
	if _, err := k.Seal(nil, []byte("blob"), nil); !errors.Is(err, errTooEarly) {
		t.Errorf("Seal before the first key: %v", err)
	}
}

// expanded is the AES key and all else that a key's block cipher points to.
func expanded(k *ticketKey) reflect.Value { return reflect.ValueOf(k.xaes.block).Elem() }

// own is the same of the subkey that seals.
func own(k *ticketKey) reflect.Value { return reflect.ValueOf(k.xaes.own.aead).Field(0).Elem() }

func TestTicketKeysAreWiped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, end := range map[string]func(*TicketKeys){
			"time":        func(k *TicketKeys) { time.Sleep(50 * time.Hour); k.Keys() },
			"Seal":        func(k *TicketKeys) { time.Sleep(50 * time.Hour); k.Seal(nil, nil, nil) },
			"Open":        func(k *TicketKeys) { time.Sleep(50 * time.Hour); k.Open(nil, make([]byte, 99), nil) },
			"Set":         func(k *TicketKeys) { k.Set([][32]byte{{9}}) },
			"SetSchedule": func(k *TicketKeys) { k.SetSchedule([]TicketKey{{Secret: [32]byte{9}, From: time.Now()}}) },
		} {
			k := NewTicketKeys(nil)
			seal(t, k, "blob", "")
			old := k.keys[0]
			if expanded(old).IsZero() || own(old).IsZero() {
				t.Fatal("the test does not see the key")
			}
			if end(k); !expanded(old).IsZero() || !own(old).IsZero() || old.xaes.mask != [16]byte{} {
				t.Errorf("%s: the key is still in memory", name)
			}
		}
	})
}

func TestTicketKeyInfo(t *testing.T) {
	now := day(1, time.Hour)
	k := at(t, &now)
	seal(t, k, "blob", "")
	name := func(i byte) string { return fmt.Sprintf("%x", newTicketKey([32]byte{i}).name) }
	want := []TicketKeyInfo{
		{Name: name(3), Stage: StagePublished, From: day(2), Age: -23 * time.Hour, Until: day(2)},
		{Name: name(2), Stage: StageSealing, From: day(1), Age: time.Hour, Until: day(2), Sealed: 1},
		{Name: name(1), Stage: StageOpening, From: day(0), Age: 25 * time.Hour, Until: day(2, time.Hour)},
	}
	if got := k.Keys(); !reflect.DeepEqual(got, want) {
		t.Errorf("schedule:\n got %v\nwant %v", got, want)
	}
	k.Set([][32]byte{{2}, {1}})
	want = []TicketKeyInfo{{Name: name(2), Stage: StageSealing, Sealed: 1}, {Name: name(1), Stage: StageOpening}}
	if got := k.Keys(); !reflect.DeepEqual(got, want) {
		t.Errorf("list:\n got %v\nwant %v", got, want)
	}
	own := NewTicketKeys(func() time.Time { return now })
	if got := own.Keys(); len(got) != 0 {
		t.Errorf("keys before the first is needed: %v", got)
	}
	seal(t, own, "blob", "")
	now = now.Add(time.Hour)
	want = []TicketKeyInfo{{Name: own.Keys()[0].Name, Stage: StageSealing, From: day(1, time.Hour), Age: time.Hour, Until: day(2, time.Hour), Sealed: 1}}
	if got := own.Keys(); len(got[0].Name) != 2*nameSize || !reflect.DeepEqual(got, want) {
		t.Errorf("own:\n got %v\nwant %v", got, want)
	}
}

// What wipe clears is inside the standard library: a change there must not pass
// unseen.
func TestWipeKnowsTheCiphers(t *testing.T) {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	if wipe(block); !reflect.ValueOf(block).Elem().IsZero() {
		t.Error("the expanded key is still in the block cipher")
	}
	aead := newXAES(make([]byte, 32)).derive(make([]byte, saltSize))
	if wipe(aead); !reflect.ValueOf(aead).Field(0).Elem().IsZero() {
		t.Error("the key of a message is still in its AEAD")
	}
	wipe(7) // nothing that could be wiped
}

// Of all that find no key at once, one makes it.
func TestTicketKeyIsRenewedOnce(t *testing.T) {
	k := NewTicketKeys(nil)
	for range 5 {
		if err := k.renew(); err != nil {
			t.Fatal(err)
		}
	}
	if got := k.Keys(); len(got) != 1 || got[0].Stage != StageSealing {
		t.Errorf("the keys are %v", got)
	}
}

// A key with an Until seals no longer than that, and opens for 25 hours more.
func TestUntil(t *testing.T) {
	now := day(0)
	k := NewTicketKeys(func() time.Time { return now })
	if err := k.SetSchedule([]TicketKey{{Secret: [32]byte{1}, From: day(0), Until: day(1)}}); err != nil {
		t.Fatal(err)
	}
	ticket, err := k.Seal(nil, []byte("blob"), nil)
	if err != nil {
		t.Fatal(err)
	}
	now = day(1)
	if _, err := k.Seal(nil, []byte("blob"), nil); err == nil || k.Current(ticket) {
		t.Error("a key seals at its Until")
	}
	if now = day(2, time.Hour-1); stages(k) != "o--" {
		t.Errorf("stages %s", stages(k))
	}
	if _, err := k.Open(nil, ticket, nil); err != nil {
		t.Error(err)
	}
	if now = day(2, time.Hour); stages(k) != "---" {
		t.Errorf("stages %s", stages(k))
	}
	if err := k.SetSchedule([]TicketKey{{Secret: [32]byte{1}, From: day(1), Until: day(1)}}); err == nil {
		t.Error("a key without time is taken")
	}
}
