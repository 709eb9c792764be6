package proxy

import (
	"context"
	"errors"
	"sync"
)

var errStopped = errors.New("the proxy stopped before the connection ended")

// links are the connections that are open.
type links struct {
	mutex sync.Mutex
	open  map[*link]struct{}
	empty chan struct{} // closed when the last goes; nil where nobody waits
}

func (s *links) add(l *link) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.open == nil {
		s.open = make(map[*link]struct{})
	}
	s.open[l] = struct{}{}
}

func (s *links) remove(l *link) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.open, l)
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

// cut ends all that are open.
func (s *links) cut(why error) {
	s.mutex.Lock()
	all := make([]*link, 0, len(s.open))
	for l := range s.open {
		all = append(all, l)
	}
	s.mutex.Unlock()
	for _, l := range all {
		l.abort(why)
	}
}
