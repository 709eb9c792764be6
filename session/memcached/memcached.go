// Package memcached is a [session.Store] in one or several memcached servers.
//
// A key is stored under "vitrine:" and its SHA-256 in base64, as memcached takes 250 printable bytes
// at most. Several servers share the keys; each key is on one of them, which follows from the servers'
// names as the URL has them: write the same ones everywhere, in any order. Names are looked up again every half minute,
// and when no connection can be made. Items are lost when a
// server is restarted, and when it needs room. Items are limited to 1 MiB there and 512 KiB here.
//
// [Store.Take] is one command, gat: it returns an item and gives it another expiry, which is over. memcached does both
// under the lock of the item, so the next caller finds none. It must be memcached itself, from 1.5.3 on: with a program that
// only speaks like it, single use is as good as its gat.
//
// Do not let strangers reach the server: it has no passwords here. What is stored are secrets:
// see package session/fleet, which seals them.
package memcached

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/session/internal/bound"
	"github.com/vitrine-tls/vitrine/session/internal/guard"
)

// Store is a [session.Swapper] in memcached.
type Store struct {
	client  *memcache.Client
	servers *servers
	calls   bound.Calls
}

var _ session.Swapper = (*Store)(nil)

const (
	prefix   = "vitrine:"
	port     = "11211"
	patience = time.Second // for the server, whatever the context says
	maxIdle  = 64
	past     = -1 // an expiry: none finds the item from now on
)

// Open returns the store at a URL, memcached://HOST:PORT,HOST:PORT, without connecting yet.
func Open(address string) (*Store, error) {
	rest, found := strings.CutPrefix(address, "memcached://")
	if rest = strings.TrimSuffix(rest, "/"); !found || strings.ContainsAny(rest, "@?#/ ") {
		return nil, errors.New("memcached: the address is not a URL like memcached://HOST:11211,HOST:11211")
	}
	servers, err := newServers(strings.Split(rest, ","))
	if err != nil {
		return nil, err
	}
	return open(servers), nil
}

func open(servers *servers) *Store {
	c := memcache.NewFromSelector(servers)
	c.Timeout, c.MaxIdleConns, c.DialContext = patience, maxIdle, servers.dial
	servers.changed = func() { _ = c.Close() } // which ends the connections that rest, and no more
	return &Store{client: c, servers: servers, calls: bound.New()}
}

// line looks at a line of the server: "VALUE key flags bytes [cas]" is followed by the bytes.
func line(text []byte) (skip int, err error) {
	fields := bytes.Fields(text)
	if len(fields) == 0 || string(fields[0]) != "VALUE" {
		return 0, nil
	}
	if len(fields) < 4 {
		return 0, guard.ErrNonsense
	}
	n, err := guard.Number(fields[3], guard.MaxBlob+headerSize)
	return n + 2, err
}

// A value is the moment of expiry, in Unix milliseconds in 8 bytes, and the blob: memcached counts seconds.
const headerSize = 8

func item(key string, blob []byte, expiry time.Time) *memcache.Item {
	value := binary.BigEndian.AppendUint64(make([]byte, 0, headerSize+len(blob)), uint64(expiry.UnixMilli()))
	left := int64(math.Ceil(time.Until(expiry).Seconds()))
	if left > 30*24*3600 { // a moment, not a duration, to the server
		left = expiry.Unix() + 1
	}
	return &memcache.Item{Key: nameOf(key), Value: append(value, blob...), Expiration: int32(min(max(left, 1), math.MaxInt32))}
}

// blobOf is what an item holds, or ErrNotFound for one that has expired.
func blobOf(i *memcache.Item) ([]byte, error) {
	if len(i.Value) < headerSize {
		return nil, fmt.Errorf("%w: memcached has an item of %d bytes", session.ErrNotFound, len(i.Value))
	}
	if int64(binary.BigEndian.Uint64(i.Value)) <= time.Now().UnixMilli() {
		return nil, session.ErrNotFound
	}
	return i.Value[headerSize:], nil
}

func nameOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return prefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// run bounds f, which knows no contexts.
func run[T any](ctx context.Context, s *Store, f func() (T, error)) (T, error) {
	result, err := bound.Run(ctx, s.calls, f)
	return result, explain(err)
}

func explain(err error) error {
	if err == nil || errors.Is(err, session.ErrNotFound) {
		return err
	}
	if errors.Is(err, memcache.ErrCacheMiss) {
		return session.ErrNotFound
	}
	return fmt.Errorf("memcached: %w", err)
}

func check(blob []byte) error {
	if len(blob) > guard.MaxBlob {
		return fmt.Errorf("memcached: a session of %d bytes, at most %d are stored", len(blob), guard.MaxBlob)
	}
	return nil
}

// Put implements [session.Store]. A blob of more than 512 KiB is refused.
func (s *Store) Put(ctx context.Context, key string, blob []byte, expiry time.Time) error {
	if err := check(blob); err != nil {
		return err
	}
	one := item(key, blob, expiry)
	_, err := run(ctx, s, func() (struct{}, error) { return struct{}{}, s.client.Set(one) })
	return err
}

// Get implements [session.Store].
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	return run(ctx, s, func() ([]byte, error) {
		one, err := s.client.Get(nameOf(key))
		if err != nil {
			return nil, err
		}
		return blobOf(one)
	})
}

// Take implements [session.Store]; see the package.
func (s *Store) Take(ctx context.Context, key string) ([]byte, error) {
	return run(ctx, s, func() ([]byte, error) {
		one, err := s.client.GetAndTouch(nameOf(key), past)
		if err != nil {
			return nil, err
		}
		return blobOf(one)
	})
}

// swap reports whether one took the place of the item with the same revision.
func (s *Store) swap(one *memcache.Item) (done bool, err error) {
	switch err := s.client.CompareAndSwap(one); {
	case errors.Is(err, memcache.ErrCASConflict), errors.Is(err, memcache.ErrNotStored), errors.Is(err, memcache.ErrCacheMiss):
		return false, nil
	default:
		return err == nil, err
	}
}

// Delete implements [session.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	_, err := run(ctx, s, func() (struct{}, error) { return struct{}{}, s.client.Delete(nameOf(key)) })
	if errors.Is(err, session.ErrNotFound) {
		return nil
	}
	return err
}

// CompareAndSet implements [session.Swapper], by add and cas.
func (s *Store) CompareAndSet(ctx context.Context, key string, old, blob []byte, expiry time.Time) (bool, error) {
	if err := check(blob); err != nil {
		return false, err
	}
	next := item(key, blob, expiry)
	return run(ctx, s, func() (bool, error) {
		was, err := s.client.Get(next.Key)
		if errors.Is(err, memcache.ErrCacheMiss) {
			if old != nil {
				return false, nil
			}
			err := s.client.Add(next)
			if errors.Is(err, memcache.ErrNotStored) {
				return false, nil
			}
			return err == nil, err
		}
		if err != nil {
			return false, err
		}
		there, err := blobOf(was)
		if (err != nil) != (old == nil) || err == nil && !bytes.Equal(there, old) {
			return false, nil
		}
		next.CasID = was.CasID
		return s.swap(next)
	})
}

// Close waits for the calls that go on, two seconds at most, and ends the connections. The store must
// not be used by then.
func (s *Store) Close() error {
	s.calls.Drain()
	s.servers.looking.Wait()
	return s.client.Close()
}
