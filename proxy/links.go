package proxy

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
)

var errStopped = errors.New("the proxy stopped before the connection ended")

// links are the connections that are open.
type links struct {
	mutex sync.Mutex
	open  map[uint64]*link // by About.ID
	empty chan struct{}    // closed when the last goes; nil where nobody waits
}

func (s *links) add(l *link) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.open == nil {
		s.open = make(map[uint64]*link)
	}
	s.open[l.About.ID] = l
}

func (s *links) remove(l *link) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.open, l.About.ID)
	if len(s.open) == 0 && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
}

// wait returns once no connection is open, or ctx's error.
func (s *links) wait(ctx context.Context) error {
	s.mutex.Lock()
	if len(s.open) == 0 {
		s.mutex.Unlock()
		return nil
	}
	if s.empty == nil {
		s.empty = make(chan struct{})
	}
	empty := s.empty
	s.mutex.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// find is the link of that number; nil if it has ended.
func (s *links) find(id uint64) *link {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.open[id]
}

// all are those that are open now.
func (s *links) all() []*link {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Collect(maps.Values(s.open))
}

// cut ends all that are open.
func (s *links) cut(why error) {
	for _, l := range s.all() {
		l.abort(why)
	}
}
