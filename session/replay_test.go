package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Of many callers that claim a permit at once, over a store that several servers share, one
// gets it; and none without a permit. RFC 8446 §8.1.
func TestAPermitIsTakenOnce(t *testing.T) {
	memory := NewMemory(1 << 20)
	ctx, until := context.Background(), time.Now().Add(time.Hour)
	for round := range 50 {
		key := fmt.Sprint("ticket ", round)
		if err := SingleUse(memory).Permit(ctx, key, until); err != nil {
			t.Fatal(err)
		}
		var taken atomic.Int32
		var wait sync.WaitGroup
		for range 3 { // servers
			store := SingleUse(memory)
			for range 10 {
				wait.Go(func() {
					switch err := store.Claim(ctx, key, until); {
					case err == nil:
						taken.Add(1)
					case !errors.Is(err, ErrReplayed):
						t.Error(err)
					}
				})
			}
		}
		wait.Wait()
		if taken.Load() != 1 {
			t.Fatalf("the permit was taken %d times", taken.Load())
		}
	}
	if err := SingleUse(memory).Claim(ctx, "never given", until); !errors.Is(err, ErrReplayed) {
		t.Error(err)
	}
}

// down is a store that is not there.
type down struct{ Store }

var errDown = errors.New("down")

func (down) Put(context.Context, string, []byte, time.Time) error { return errDown }
func (down) Take(context.Context, string) ([]byte, error)         { return nil, errDown }

func TestAStoreThatIsDownPermitsNothing(t *testing.T) {
	store := SingleUse(down{})
	if store.Permit(context.Background(), "key", time.Now()) == nil || store.Claim(context.Background(), "key", time.Now()) == nil {
		t.Error("early data is taken without a store")
	}
}

// A recorder refuses what it has seen until that is over, is full rather than forgetful, and
// takes nothing in its beginning. RFC 8446 §8.2.
func TestARecorderForgetsNothing(t *testing.T) {
	now := time.Unix(1000, 0)
	r := NewRecorder(3, func() time.Time { return now })
	const window = 20 * time.Second
	claim := func(key string) error { return r.Claim(context.Background(), key, now.Add(window)) }
	if claim("a") == nil {
		t.Error("a process that begins does not know what the one before has taken")
	}
	now = now.Add(window)
	if r.Permit(context.Background(), "a", now) != nil || claim("a") != nil || claim("b") != nil || claim("c") != nil {
		t.Error("the first of each is refused")
	}
	if err := claim("d"); err == nil || errors.Is(err, ErrReplayed) {
		t.Errorf("there is no room: %v", err)
	}
	now = now.Add(holds - time.Millisecond)
	for _, key := range []string{"a", "b", "c"} {
		if err := claim(key); !errors.Is(err, ErrReplayed) {
			t.Errorf("%s is taken twice: %v", key, err)
		}
	}
	now = now.Add(time.Second) // it looks for what is over once a second
	if claim("d") != nil || claim("a") != nil {
		t.Error("what is over takes room")
	}
}

// clocked is a Recorder past its beginning, with its clock.
func clocked(most int) (r *Recorder, now *time.Time) {
	at := time.Unix(1000, 0)
	r = NewRecorder(most, func() time.Time { return at })
	at = at.Add(time.Hour)
	return r, &at
}

// When the clock is set back, what it has shown already counts as if it were fresh. What is
// forgotten by then must not be taken again.
func TestARecorderWhoseClockIsSetBack(t *testing.T) {
	r, now := clocked(10)
	begun := *now
	claim := func(key string) error { return r.Claim(context.Background(), key, now.Add(20*time.Second)) }
	if err := claim("a"); err != nil {
		t.Fatal(err)
	}
	*now = begun.Add(time.Hour)
	if err := claim("b"); err != nil { // and a is forgotten
		t.Fatal(err)
	}
	for _, key := range []string{"a", "c"} {
		if *now = begun.Add(time.Second); claim(key) == nil {
			t.Errorf("%s is taken after the clock was set back", key)
		}
	}
	if *now = begun.Add(holds); claim("c") != nil {
		t.Error("the clock is past all that was forgotten, and nothing is taken")
	}

	// An entry that is found over, and not forgotten.
	r, now = clocked(10)
	_ = claim("a")
	r.next = now.Add(24 * time.Hour)
	if *now = now.Add(holds); claim("a") != nil {
		t.Error("what is over is refused")
	}
	if *now = now.Add(-holds); claim("b") == nil {
		t.Error("taken after the clock was set back")
	}
}

// Freshness goes by the time of day, so a reading of the monotonic clock, which goes on where that
// is set back, must have no say.
func TestARecorderGoesByTheTimeOfDay(t *testing.T) {
	start := time.Now()
	mono := start // with a monotonic reading
	r := NewRecorder(10, func() time.Time { return mono })
	mono = mono.Add(time.Hour)
	if err := r.Claim(context.Background(), "a", mono.Add(20*time.Second)); err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{r.since, r.seen["a"]} {
		if at != at.Round(0) {
			t.Errorf("%v has a monotonic reading", at)
		}
	}
}

// A server whose clock is behind the Recorder's has its tickets remembered as long as it takes
// copies.
func TestARecorderAheadOfTheServer(t *testing.T) {
	r, now := clocked(10)
	const behind, window = 19 * time.Second, 20 * time.Second
	claim := func() error { return r.Claim(context.Background(), "a", now.Add(window-behind)) }
	if err := claim(); err != nil {
		t.Fatal(err)
	}
	for range 19 {
		if *now = now.Add(time.Second); !errors.Is(claim(), ErrReplayed) {
			t.Fatalf("taken twice at %v", *now)
		}
	}
	if err := r.Claim(context.Background(), "b", *now); err == nil {
		t.Error("taken, though it is over at once")
	}
}
