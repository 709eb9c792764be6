package files

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	interval = time.Minute
	// leftover is the age at which a file that was never put in its place is removed.
	leftover = time.Minute
)

func (s *Store) sweepOften(ctx context.Context) {
	defer close(s.ended)
	s.sweep(time.Now())
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.sweep(time.Now())
		case <-ctx.Done():
			return
		}
	}
}

type entry struct {
	path   string
	size   int64
	expiry time.Time
}

// sweep removes what has expired, then what expires first until a tenth of the budget is free. A file that
// is renamed over meanwhile may go with it: that costs a full handshake.
func (s *Store) sweep(now time.Time) {
	s.sweeps.Lock()
	defer s.sweeps.Unlock()
	s.sweepHeld(now)
}

// sweepHeld is sweep for a caller that holds sweeps.
func (s *Store) sweepHeld(now time.Time) {
	var held []entry
	var used int64
	for i := range 256 {
		folder := filepath.Join(s.folder, fmt.Sprintf("%02x", i))
		listed, err := os.ReadDir(folder)
		if err != nil {
			continue
		}
		for _, d := range listed {
			info, err := d.Info()
			if err != nil || d.Name() == lockName {
				continue
			}
			e := entry{filepath.Join(folder, d.Name()), info.Size() + overhead, info.ModTime()}
			if rest, is := strings.CutPrefix(d.Name(), newPrefix); is {
				e.expiry = now.Add(leftover)
				if made, _, _ := strings.Cut(rest, "-"); old(made, now) {
					e.expiry = now
				}
			}
			if e.expiry.After(now) || os.Remove(e.path) != nil {
				held, used = append(held, e), used+e.size
			}
		}
	}
	if limit := s.options.Budget * 9 / 10; used > limit {
		slices.SortFunc(held, func(a, b entry) int { return cmp.Or(a.expiry.Compare(b.expiry), strings.Compare(a.path, b.path)) })
		for _, e := range held {
			if used <= limit {
				break
			}
			if os.Remove(e.path) == nil {
				used -= e.size
			}
		}
	}
	s.used.Store(used)
}

// old reports that a file was begun so long ago, in Unix seconds, that nobody writes it any more.
func old(made string, now time.Time) bool {
	at, err := strconv.ParseInt(made, 10, 64)
	return err != nil || now.Sub(time.Unix(at, 0)) > leftover
}
