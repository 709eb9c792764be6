package tls

import (
	"sync"
	"testing"
	"time"
)

// An application may keep the session that WrapSession is given: it holds its
// own secret, not memory that the next handshake overwrites.
func TestWrapSessionMayKeepTheSession(t *testing.T) {
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		var kept *SessionState
		server, client := testPKI().server("ecdsa-p256"), testPKI().client()
		server.WrapSession = func(_ ConnectionState, s *SessionState) ([]byte, error) {
			if kept == nil {
				kept = s
			}
			return []byte("kept"), nil
		}
		server.UnwrapSession = func([]byte, ConnectionState) (*SessionState, error) { return kept, nil }
		client.ClientSessionCache = NewLRUClientSessionCache(1)
		server.Resumption.Tickets = 1 // all are called the same
		at(version, client, server)
		for i := range 2 {
			c, s := mustConnect(t, client, server)
			exchange(t, c, s)
			if resumed := c.ConnectionState().DidResume; resumed != (i == 1) {
				t.Errorf("%s, connection %d: resumed %v", VersionName(version), i, resumed)
			}
		}
	}
}

// One SessionState may answer many connections at once; run with -race.
func TestUnwrapSessionMayShareASession(t *testing.T) {
	server, client := testPKI().server("ecdsa-p256"), testPKI().client()
	var kept *SessionState
	server.WrapSession = func(_ ConnectionState, s *SessionState) ([]byte, error) {
		kept = s
		return []byte("shared"), nil
	}
	cache := new(oneSession)
	client.ClientSessionCache = cache
	at(VersionTLS12, client, server)
	c, s := mustConnect(t, client, server)
	exchange(t, c, s)
	shared := kept
	server.WrapSession = nil
	server.UnwrapSession = func([]byte, ConnectionState) (*SessionState, error) { return shared, nil }
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			again := client.Clone()
			again.ClientSessionCache = &oneSession{cache.ClientSessionState}
			c, _, clientErr, serverErr := connect(t, again, server)
			if clientErr != nil || serverErr != nil || !c.ConnectionState().DidResume {
				t.Errorf("%v, %v", clientErr, serverErr)
			}
		})
	}
	all.Wait()
}

type panickingCache struct{ ClientSessionCache }

func (panickingCache) Put(string, *ClientSessionState) { panic("from the application") }

// A panic of the application's passes through Read, and leaves no lock held.
func TestAPanicLeavesNoLock(t *testing.T) {
	client := testPKI().client()
	client.ClientSessionCache = panickingCache{NewLRUClientSessionCache(1)}
	at(VersionTLS13, client)
	c, s := mustConnect(t, client, testPKI().server("ecdsa-p256"))
	if _, err := s.Write([]byte("with a ticket before it")); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not come through")
			}
		}()
		c.Read(make([]byte, 10))
	}()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	done := make(chan struct{})
	go func() { c.Read(make([]byte, 10)); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the next Read hangs")
	}
}
