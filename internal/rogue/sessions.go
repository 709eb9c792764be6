package rogue

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// A flow that resumes does so in every run from the same session, whatever happened
// to the run before: the first session that is put stays.

// onlySession is a client's cache.
type onlySession struct {
	mu      sync.Mutex
	session *tls.ClientSessionState
}

func (c *onlySession) Get(string) (*tls.ClientSessionState, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session, c.session != nil
}

func (c *onlySession) Put(_ string, s *tls.ClientSessionState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == nil {
		c.session = s
	}
}

// onlyBlob is a server's store.
type onlyBlob struct {
	mu   sync.Mutex
	key  string
	blob []byte
}

func (s *onlyBlob) Put(_ context.Context, key string, blob []byte, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blob == nil {
		s.key, s.blob = key, bytes.Clone(blob)
	}
	return nil
}

func (s *onlyBlob) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blob == nil || key != s.key {
		return nil, session.ErrNotFound
	}
	return bytes.Clone(s.blob), nil
}

func (s *onlyBlob) Take(ctx context.Context, key string) ([]byte, error) { return s.Get(ctx, key) }
func (s *onlyBlob) Delete(context.Context, string) error                 { return nil }

// noSession is the cache of a client that has tickets sent and uses none.
type noSession struct{}

func (noSession) Get(string) (*tls.ClientSessionState, bool) { return nil, false }
func (noSession) Put(string, *tls.ClientSessionState)        {}
