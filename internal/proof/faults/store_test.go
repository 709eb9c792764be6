package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// pair is a client and a server that connect again and again.
func pair(client, server *tls.Config) *flow {
	return &flow{client: asks, server: answers, pair: [2]*tls.Config{client, server}}
}

// succeeds connects once, which must work, within a bound of the time of the bubble,
// and returns how it was resumed.
func (f *flow) succeeds(t *testing.T, what string) string {
	t.Helper()
	var c, s *side
	var took time.Duration
	synctest.Test(t, func(*testing.T) {
		begin := time.Now()
		c, s = f.connect(newLink(fault{}), byTimeout)
		took = time.Since(begin)
	})
	for _, wrong := range f.common(c, s) {
		t.Errorf("%s: %s", what, wrong)
	}
	if c.err != nil || s.err != nil {
		t.Errorf("%s: client: %v, server: %v", what, c.err, s.err)
	} else if c.state.Resumption != s.state.Resumption || c.conn.ConnectionState().DidResume != (c.state.Resumption != "none") {
		t.Errorf("%s: the client has resumed by %s, the server by %s", what, c.state.Resumption, s.state.Resumption)
	}
	if took > patience/2 {
		t.Errorf("%s: the connection took %v", what, took)
	}
	return c.state.Resumption
}

// full demands a handshake in full.
func (f *flow) full(t *testing.T, what string) {
	t.Helper()
	if got := f.succeeds(t, what); got != "none" {
		t.Errorf("%s: resumed by %s", what, got)
	}
}

// store is a shelf with a fault in front.
type store struct {
	*shelf
	put func(ctx context.Context, blob []byte) error
	get func(ctx context.Context, key string, blob []byte) ([]byte, error)
}

func (s *store) Put(ctx context.Context, key string, blob []byte, expiry time.Time) error {
	if s.put != nil {
		if err := s.put(ctx, blob); err != nil {
			return err
		}
	}
	return s.shelf.Put(ctx, key, blob, expiry)
}

func (s *store) Get(ctx context.Context, key string) ([]byte, error) {
	blob, err := s.shelf.Get(ctx, key)
	if err == nil && s.get != nil {
		return s.get(ctx, key, blob)
	}
	return blob, err
}

// identified are configs that resume by session ID, out of a store.
func identified() (client, server *tls.Config, s *store) {
	client, server = defaults(wire.TLS12)
	s = &store{shelf: newShelf()}
	server.SessionTicketsDisabled, server.Resumption.Store = true, s
	client.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	return client, server, s
}

var errDown = errors.New("no route to the store")

// hang waits for as long as it is let.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// A store that takes nothing, or takes too long, costs nothing but the resumption;
// once it is back, so is that.
func TestStoreTakesNothing(t *testing.T) {
	for name, put := range map[string]func(context.Context, []byte) error{
		"down": func(context.Context, []byte) error { return errDown },
		"slow": func(ctx context.Context, _ []byte) error { return hang(ctx) },
		"full": func(context.Context, []byte) error { return errors.New("no space left") },
	} {
		client, server, s := identified()
		f := pair(client, server)
		s.put = put
		f.full(t, name+", to begin with")
		f.full(t, name)
		s.put = nil
		f.full(t, name+" until now")
		if got := f.succeeds(t, "after "+name); got != "id" {
			t.Errorf("after %s: resumed by %s", name, got)
		}
	}
	client, server, _ := identified()
	server.Resumption.Store = session.NewMemory(0)
	f := pair(client, server)
	f.full(t, "no memory")
	f.full(t, "no memory, again")
}

// A store that gives nothing, or something else than it was given.
func TestStoreGivesNothing(t *testing.T) {
	client, server, s := identified()
	f := pair(client, server)
	f.full(t, "the first")
	client.ClientSessionCache = &frozen{kept: client.ClientSessionCache}
	s.freeze()
	other := anotherBlob(t)
	for name, get := range map[string]func(ctx context.Context, key string, blob []byte) ([]byte, error){
		"down":      func(context.Context, string, []byte) ([]byte, error) { return nil, errDown },
		"forgetful": func(context.Context, string, []byte) ([]byte, error) { return nil, session.ErrNotFound },
		"slow":      func(ctx context.Context, _ string, _ []byte) ([]byte, error) { return nil, hang(ctx) },
		"slow, and then says nothing of it": func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
			hang(ctx)
			return nil, nil
		},
		"empty":      func(context.Context, string, []byte) ([]byte, error) { return []byte{}, nil },
		"nothing":    func(context.Context, string, []byte) ([]byte, error) { return nil, nil },
		"mixed up":   func(context.Context, string, []byte) ([]byte, error) { return other, nil },
		"twice":      func(_ context.Context, _ string, b []byte) ([]byte, error) { return append(b, b...), nil },
		"all zeros":  func(_ context.Context, _ string, b []byte) ([]byte, error) { return make([]byte, len(b)), nil },
		"a mebibyte": func(context.Context, string, []byte) ([]byte, error) { return bytes.Repeat([]byte{2}, 1<<20), nil },
	} {
		s.get = get
		f.full(t, name)
	}
	s.get = nil
	if got := f.succeeds(t, "back again"); got != "id" {
		t.Errorf("back again: resumed by %s", got)
	}
}

// anotherBlob is what the same server has stored for another connection.
func anotherBlob(t *testing.T) (blob []byte) {
	client, server, s := identified()
	pair(client, server).full(t, "another")
	for _, blob = range s.blobs {
	}
	if len(blob) == 0 {
		t.Fatal("nothing was stored")
	}
	return blob
}

// damages calls f with b damaged in each of many ways: every byte changed, a bit of it
// and all of it, and every length cut to.
func damages(b []byte, f func(how string, damaged []byte)) {
	for i := range b {
		for _, x := range []byte{1 << (i % 8), 0xff} {
			d := bytes.Clone(b)
			d[i] ^= x
			f(fmt.Sprintf("byte %d of %d changed by %#x", i, len(b), x), d)
		}
		f(fmt.Sprintf("%d of %d bytes", i, len(b)), b[:i:i])
	}
	f("a byte more", append(bytes.Clone(b), 0))
}

// A blob that is damaged in the store.
func TestStoreDamagesBlobs(t *testing.T) {
	for _, auth := range []tls.ClientAuthType{tls.NoClientCert, tls.RequireAndVerifyClientCert} {
		client, server, s := identified()
		server.ClientAuth, client.Certificates = auth, []tls.Certificate{testPKI().client}
		f := pair(client, server)
		f.full(t, "the first")
		client.ClientSessionCache = &frozen{kept: client.ClientSessionCache}
		s.freeze()
		n := 0
		for key, blob := range s.blobs {
			i, every := 0, stride()
			damages(blob, func(how string, damaged []byte) {
				if i++; i%every == 0 {
					s.blobs[key] = damaged
					f.full(t, how)
					n++
				}
			})
			s.blobs[key] = blob
		}
		if got := f.succeeds(t, "whole again"); got != "id" || n < 3*120/stride() {
			t.Errorf("whole again: resumed by %s; %d ways of damage", got, n)
		}
	}
}
