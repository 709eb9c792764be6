package faults

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// clockAt is a clock that stands still.
func clockAt(t time.Time) func() time.Time { return func() time.Time { return t } }

// shelf is a session.Store.
type shelf struct {
	mu     sync.Mutex
	frozen bool
	blobs  map[string][]byte
}

func newShelf() *shelf { return &shelf{blobs: map[string][]byte{}} }

// freeze has it take nothing more.
func (s *shelf) freeze() { s.frozen = true }

func (s *shelf) Put(_ context.Context, key string, blob []byte, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.frozen {
		s.blobs[key] = bytes.Clone(blob)
	}
	return nil
}

func (s *shelf) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if blob, ok := s.blobs[key]; ok {
		return bytes.Clone(blob), nil
	}
	return nil, session.ErrNotFound
}

func (s *shelf) Take(ctx context.Context, key string) ([]byte, error) {
	blob, err := s.Get(ctx, key)
	return blob, errJoin(err, s.Delete(ctx, key))
}

func errJoin(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (s *shelf) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.blobs, key)
	return nil
}

// frozen is a client's cache that keeps what it has.
type frozen struct{ kept tls.ClientSessionCache }

func (f *frozen) Get(key string) (*tls.ClientSessionState, bool) { return f.kept.Get(key) }
func (f *frozen) Put(string, *tls.ClientSessionState)            {}
