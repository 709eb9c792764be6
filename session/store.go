package session

import (
	"context"
	"errors"
	"time"
)

// ErrNotFound says that no live session stands behind a handle: it never was,
// has expired, was evicted or taken, or was sealed under keys or rules that
// are not ours. Stores and Sealers return it, possibly wrapped.
var ErrNotFound = errors.New("session: not found")

// Store keeps blobs by key for a server's session IDs and single-use tickets.
// It sees opaque bytes; they contain secrets, so what a Store writes down must
// be guarded like a private key. Keys are arbitrary bytes, not text.
//
// All methods may be called at the same time. They should return soon after
// ctx is done: a slow store delays handshakes. An error other than
// [ErrNotFound] says that the store could not answer; either way the peers
// fall back to a full handshake.
type Store interface {
	// Put keeps a copy of blob until expiry at most, in place of what key
	// stood for before.
	Put(ctx context.Context, key string, blob []byte, expiry time.Time) error
	// Get returns the blob, which the caller owns, or [ErrNotFound].
	Get(ctx context.Context, key string) ([]byte, error)
	// Take is Get and Delete in one atomic step: of any number of callers,
	// on any number of machines, at most one gets the blob.
	Take(ctx context.Context, key string) ([]byte, error)
	// Delete removes the blob. That there was none is not an error.
	Delete(ctx context.Context, key string) error
}

// Swapper is a [Store] that can also change a value on the condition that nobody else has. The
// members of a fleet need it to agree on their ticket keys.
type Swapper interface {
	Store
	// CompareAndSet puts blob in the place of old until expiry at most, if key stands for old
	// just then; a nil old means that it stands for nothing. It reports whether it did. Of any
	// number of callers with the same old, on any number of machines, at most one does. An
	// error leaves open which way it went.
	CompareAndSet(ctx context.Context, key string, old, blob []byte, expiry time.Time) (done bool, err error)
}

// Sealer turns blobs into handles that carry them, and back.
//
// All methods may be called at the same time.
type Sealer interface {
	// Seal appends the handle of blob to dst. blob and dst must not overlap.
	// The aad, which is not part of the handle, must be given again to Open.
	Seal(dst, blob, aad []byte) (handle []byte, err error)
	// Open appends the blob inside handle to dst. It returns [ErrNotFound],
	// possibly wrapped, where the handle was not sealed under keys still held
	// and the same aad. handle and dst must not overlap.
	Open(dst, handle, aad []byte) (blob []byte, err error)
}
