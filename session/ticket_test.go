package session

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func seal(t testing.TB, k *TicketKeys, blob, aad string) []byte {
	t.Helper()
	ticket, err := k.Seal(nil, []byte(blob), []byte(aad))
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

func TestTicketRoundTrip(t *testing.T) {
	k := NewTicketKeys(nil)
	ticket, err := k.Seal([]byte("dst"), []byte("blob"), []byte("aad"))
	if err != nil || !bytes.HasPrefix(ticket, []byte("dst")) {
		t.Fatalf("Seal = %x, %v", ticket, err)
	}
	ticket = ticket[3:]
	if want := 16 + 24 + len("blob") + 16; len(ticket) != want {
		t.Errorf("ticket of %d bytes, want %d", len(ticket), want)
	}
	if bytes.Contains(ticket, []byte("blob")) {
		t.Error("the blob shows in the ticket")
	}
	got, err := k.Open([]byte("dst"), ticket, []byte("aad"))
	if err != nil || string(got) != "dstblob" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if bytes.Equal(ticket, seal(t, k, "blob", "aad")) {
		t.Error("two tickets of one blob are equal: the nonce repeats")
	}
}

func TestTicketDoesNotOpen(t *testing.T) {
	k := NewTicketKeys(nil)
	good := seal(t, k, "blob", "aad")
	for n := range good {
		if _, err := k.Open(nil, good[:n], []byte("aad")); !errors.Is(err, ErrNotFound) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
		bad := bytes.Clone(good)
		bad[n] ^= 1
		if _, err := k.Open(nil, bad, []byte("aad")); !errors.Is(err, ErrNotFound) {
			t.Errorf("byte %d altered: %v", n, err)
		}
	}
	for want, open := range map[string]func() error{
		"another virtual host": func() error { _, err := k.Open(nil, good, []byte("other")); return err },
		"not, or no longer":    func() error { _, err := NewTicketKeys(nil).Open(nil, good, []byte("aad")); return err },
		"too short":            func() error { _, err := k.Open(nil, nil, nil); return err },
	} {
		if err := open(); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), want) {
			t.Errorf("want ErrNotFound with %q, got %v", want, err)
		}
	}
}

func TestTicketSize(t *testing.T) {
	k := NewTicketKeys(nil)
	const most = 1<<16 - 1 - 16 - 24 - 16
	if ticket := seal(t, k, strings.Repeat("x", most), ""); len(ticket) != 1<<16-1 {
		t.Errorf("largest ticket has %d bytes", len(ticket))
	}
	if _, err := k.Seal(nil, make([]byte, most+1), nil); err == nil {
		t.Error("a ticket was made that cannot be sent")
	}
}

func TestTicketKeysRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := NewTicketKeys(nil)
		opens := func(ticket []byte) bool { _, err := k.Open(nil, ticket, nil); return err == nil }
		name := func(ticket []byte) string { return string(ticket[:nameSize]) }

		first := seal(t, k, "blob", "")
		time.Sleep(24*time.Hour - 1)
		if name(seal(t, k, "blob", "")) != name(first) {
			t.Error("a new key before 24 hours were over")
		}
		time.Sleep(time.Nanosecond)
		second := seal(t, k, "blob", "")
		if name(second) == name(first) {
			t.Error("the same key still seals after 24 hours")
		}
		time.Sleep(25*time.Hour - 1)
		if !opens(first) {
			t.Error("a ticket does not open before its key is 49 hours old")
		}
		time.Sleep(time.Nanosecond)
		if opens(first) {
			t.Error("a ticket opens though its key is 49 hours old")
		}
		if !opens(second) {
			t.Error("the second key went with the first")
		}
		seal(t, k, "blob", "")
		if got := fmt.Sprint(k); got != "session.TicketKeys(2 keys)" {
			t.Errorf("after 49 hours: %s", got)
		}
		time.Sleep(365 * 24 * time.Hour)
		if opens(second) || len(k.keys) != 0 {
			t.Errorf("after an idle year %d keys are left", len(k.keys))
		}
	})
}

func TestTicketKeysOwnClock(t *testing.T) {
	now := time.Unix(1e9, 0)
	k := NewTicketKeys(func() time.Time { return now })
	first := seal(t, k, "blob", "")
	now = now.Add(-time.Minute) // as clocks are corrected: neither rotates nor drops
	if second := seal(t, k, "blob", ""); !bytes.Equal(first[:nameSize], second[:nameSize]) {
		t.Error("a clock corrected by a minute made a new key")
	}
	now = now.Add(24*time.Hour + time.Minute)
	if third := seal(t, k, "blob", ""); bytes.Equal(first[:nameSize], third[:nameSize]) {
		t.Error("the given clock is not read")
	}
}

// A key made while the clock was far ahead would seal until that date comes.
func TestTicketKeyFromAhead(t *testing.T) {
	now := time.Unix(1e9, 0)
	k := NewTicketKeys(func() time.Time { return now })
	ahead := seal(t, k, "blob", "")
	now = now.AddDate(-1, 0, 0)
	if k.Current(ahead) {
		t.Error("a ticket from ahead of time is current")
	}
	right := seal(t, k, "blob", "")
	if bytes.Equal(ahead[:nameSize], right[:nameSize]) {
		t.Fatal("a key made a year ahead of time still seals")
	}
	if _, err := k.Open(nil, ahead, nil); err != nil {
		t.Errorf("tickets given out before the clock was set right: %v", err)
	}
	now = now.Add(25 * time.Hour)
	if _, err := k.Open(nil, ahead, nil); err == nil {
		t.Error("a key made a year ahead of time is not wiped with the others")
	}
	// Given keys are dated by their owner.
	if err := k.SetSchedule([]TicketKey{{Secret: [32]byte{1}, From: now.Add(-time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	given := seal(t, k, "blob", "")
	now = now.Add(-30 * time.Minute)
	if again := seal(t, k, "blob", ""); !bytes.Equal(given[:nameSize], again[:nameSize]) {
		t.Error("a given key was replaced when the clock went back")
	}
}

func TestTicketKeysSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, cur := [32]byte{1}, [32]byte{2}
		a, b := NewTicketKeys(nil), NewTicketKeys(nil)
		own := seal(t, a, "blob", "")
		a.Set([][32]byte{old})
		if _, err := a.Open(nil, own, nil); err == nil {
			t.Error("Set left the keys made before it")
		}
		ticket := seal(t, a, "blob", "aad")
		b.Set([][32]byte{cur, old})
		if _, err := b.Open(nil, ticket, []byte("aad")); err != nil {
			t.Errorf("another server of the fleet: %v", err)
		}
		ticket = seal(t, b, "blob", "aad")
		if _, err := a.Open(nil, ticket, []byte("aad")); err == nil {
			t.Error("the second key seals; the first should")
		}
		time.Sleep(365 * 24 * time.Hour)
		if _, err := b.Open(nil, ticket, []byte("aad")); err != nil {
			t.Errorf("given keys rotate by themselves: %v", err)
		}
	})
}

// Without a key nothing could be sealed any more: a mistake of the caller of Set.
func TestTicketKeysSetToNothing(t *testing.T) {
	k := NewTicketKeys(nil)
	ticket := seal(t, k, "blob", "")
	defer func() {
		if why := recover(); why != "session: TicketKeys.Set without keys" {
			t.Errorf("it panics with %v", why)
		}
		if _, err := k.Open(nil, ticket, nil); err != nil {
			t.Errorf("the keys there were are gone: %v", err)
		}
	}()
	k.Set(nil)
}

// A ticket is current until another key seals, whether it still opens or not.
func TestTicketIsCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := NewTicketKeys(nil)
		if k.Current([]byte("not a ticket")) || k.Current(nil) {
			t.Error("without keys there is a current ticket")
		}
		ticket := seal(t, k, "blob", "")
		time.Sleep(sealingTime - time.Second)
		if !k.Current(ticket) {
			t.Error("a ticket under the key that seals is not current")
		}
		if k.Current(ticket[:nameSize-1]) || k.Current(append([]byte{ticket[0] ^ 1}, ticket[1:]...)) {
			t.Error("what is under no key of ours is current")
		}
		time.Sleep(time.Second)
		seal(t, k, "blob", "")
		if _, err := k.Open(nil, ticket, nil); err != nil || k.Current(ticket) {
			t.Errorf("after a rotation: current %v, opens: %v", k.Current(ticket), err)
		}
	})
}

func TestTicketKeysConcurrent(t *testing.T) {
	var minutes atomic.Int64
	clock := func() time.Time { return time.Unix(minutes.Add(1)*60, 0) }
	k := NewTicketKeys(clock)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				begin := clock()
				ticket, err := k.Seal(nil, []byte("blob"), nil)
				if err != nil {
					t.Error(err)
				}
				_, err = k.Open(nil, ticket, nil)
				if err != nil && clock().Sub(begin) < openingTime {
					t.Error(err)
				}
				k.Keys()
			}
		})
	}
	wg.Wait()
}

func FuzzTicketOpen(f *testing.F) {
	k := NewTicketKeys(nil)
	k.Set([][32]byte{{1}})
	f.Add(seal(f, k, "blob", "aad"), []byte("aad"))
	f.Add(seal(f, k, "", ""), []byte{})
	f.Add(bytes.Repeat([]byte{0}, nameSize+messageSize), []byte{})
	f.Fuzz(func(t *testing.T, ticket, aad []byte) {
		blob, err := k.Open(nil, ticket, aad)
		if err != nil {
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("not an ErrNotFound: %v", err)
			}
			return
		}
		if len(ticket) != nameSize+len(blob)+messageSize {
			t.Errorf("a ticket of %d bytes opened to %d", len(ticket), len(blob))
		}
	})
}
