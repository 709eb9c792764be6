package fleet

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// The members of a fleet take the early data of a ticket once, all together; and none of it where the store is gone.
func TestEarlyDataOfAFleet(t *testing.T) {
	store := session.NewMemory(1 << 20)
	var members []*tls.Config
	for range 3 {
		s, err := New(store, Settings{Keys: [][32]byte{{1}}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		c := &tls.Config{EarlyData: tls.EarlyData{MaxBytes: 1, Protocols: []string{""}}}
		s.Apply(c)
		if c.EarlyData.Replay == nil {
			t.Fatal("there is no ReplayStore")
		}
		members = append(members, c)
	}
	ctx, until := context.Background(), time.Now().Add(time.Minute)
	for i, c := range members {
		key := string(rune('a' + i))
		if err := c.EarlyData.Replay.Permit(ctx, key, until); err != nil {
			t.Fatal(err)
		}
		taken := 0
		for j := range 6 {
			switch err := members[(i+1+j)%3].EarlyData.Replay.Claim(ctx, key, until); {
			case err == nil:
				if taken++; j > 0 {
					t.Error("a member did not take what another has permitted")
				}
			case !errors.Is(err, session.ErrReplayed):
				t.Error(err)
			}
		}
		if taken != 1 {
			t.Errorf("ticket %d was taken %d times", i, taken)
		}
	}
	own := session.NewRecorder(1, nil)
	c := &tls.Config{EarlyData: tls.EarlyData{MaxBytes: 1, Replay: own}}
	alone, err := Open(ctx, Settings{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer alone.Close()
	if alone.Apply(c); c.EarlyData.Replay != session.ReplayStore(own) {
		t.Error("another ReplayStore was replaced")
	}
	c = &tls.Config{}
	if alone.Apply(c); c.EarlyData.Replay != nil {
		t.Error("a Config without early data got a ReplayStore")
	}
}
