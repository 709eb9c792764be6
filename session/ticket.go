package session

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

const (
	keyRotation = 24 * time.Hour     // a key seals for this long
	keyLifetime = 7 * 24 * time.Hour // and opens for this long: RFC 8446 §4.6.1 caps tickets there

	// maxSeals is how many random 96-bit nonces one AES-GCM key may see.
	// NIST SP 800-38D §8.3.
	maxSeals = 1 << 32

	nameSize      = 16
	nonceSize     = 12
	tagSize       = 16
	maxTicketSize = 1<<16 - 1 // opaque ticket<1..2^16-1>, RFC 8446 §4.6.1
)

// TicketKeys is a [Sealer] for tickets, with AES-256-GCM under named keys:
//
//	struct {
//	    opaque key_name[16];
//	    opaque nonce[12];
//	    opaque sealed_blob[blob_length + 16];
//	} Ticket;
//
// Left to itself it makes a random key when one is first needed and a new one
// every 24 hours; a key opens tickets until it is 7 days old. Servers that
// share tickets share keys through [TicketKeys.Set].
type TicketKeys struct {
	now func() time.Time

	mu    sync.Mutex
	given bool         // by Set; then nothing is rotated here
	keys  []*ticketKey // newest first; the first seals
}

type ticketKey struct {
	name    [nameSize]byte
	aead    cipher.AEAD
	created time.Time
	seals   uint64
}

// NewTicketKeys returns keys that rotate by the given clock; nil is time.Now.
func NewTicketKeys(now func() time.Time) *TicketKeys {
	if now == nil {
		now = time.Now
	}
	return &TicketKeys{now: now}
}

// Set replaces all keys by those derived from the given secrets and ends the
// rotation. The first seals, all open. Each secret must be random and known to
// the servers that share tickets, and to nobody else: who has it can read
// every ticket made under it and, in TLS 1.2, the connections behind them.
// Replace the first one often, well before the servers together have sealed
// 2³² tickets under it, and keep the old ones in the list for as long as
// their tickets should be good. It panics on an empty list.
func (t *TicketKeys) Set(secrets [][32]byte) {
	if len(secrets) == 0 {
		panic("session: TicketKeys.Set without keys")
	}
	keys := make([]*ticketKey, len(secrets))
	for i, s := range secrets {
		keys[i] = newTicketKey(s, time.Time{})
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.given, t.keys = true, keys
}

// Seal appends a ticket to dst. It fails where the ticket would not fit into
// its 65,535 bytes, or where a key given by Set has sealed as many tickets
// (2³²) as random nonces allow; keys made here are then replaced instead.
func (t *TicketKeys) Seal(dst, blob, aad []byte) ([]byte, error) {
	if size := nameSize + nonceSize + len(blob) + tagSize; size > maxTicketSize {
		return nil, fmt.Errorf("session: ticket of %d bytes, at most %d can be sent", size, maxTicketSize)
	}
	k, err := t.sealing()
	if err != nil {
		return nil, err
	}
	dst = append(dst, k.name[:]...)
	return k.aead.Seal(dst, nil, blob, aad), nil
}

// Open appends the blob inside a ticket to dst. Any failure is [ErrNotFound],
// wrapped in a reason.
func (t *TicketKeys) Open(dst, ticket, aad []byte) ([]byte, error) {
	if len(ticket) < nameSize+nonceSize+tagSize {
		return nil, errNotATicket
	}
	k := t.named(ticket[:nameSize])
	if k == nil {
		return nil, errUnknownKey
	}
	blob, err := k.aead.Open(dst, nil, ticket[nameSize:], aad)
	if err != nil {
		return nil, errDoesNotOpen
	}
	return blob, nil
}

var (
	errNotATicket  = fmt.Errorf("%w: too short for a ticket of ours", ErrNotFound)
	errUnknownKey  = fmt.Errorf("%w: sealed under a key that is not, or no longer, held here", ErrNotFound)
	errDoesNotOpen = fmt.Errorf("%w: altered, or sealed for another virtual host or policy", ErrNotFound)
	errWornOut     = errors.New("session: the ticket key given has sealed 2³² tickets; give a new one")
)

// Format prints how many keys there are and nothing else, whatever the verb.
func (t *TicketKeys) Format(f fmt.State, _ rune) {
	t.mu.Lock()
	n := len(t.keys)
	t.mu.Unlock()
	io.WriteString(f, fmt.Sprintf("session.TicketKeys(%d keys)", n))
}

// sealing returns the key to seal one ticket with.
func (t *TicketKeys) sealing() (*ticketKey, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.expire()
	fresh := len(t.keys) > 0 && t.keys[0].seals < maxSeals
	if t.given && !fresh {
		return nil, errWornOut
	}
	if !t.given && (!fresh || now.Sub(t.keys[0].created) >= keyRotation) {
		var secret [32]byte
		rand.Read(secret[:])
		t.keys = slices.Insert(t.keys, 0, newTicketKey(secret, now))
	}
	t.keys[0].seals++
	return t.keys[0], nil
}

// named returns the key of that name, or nil.
func (t *TicketKeys) named(name []byte) *ticketKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire()
	for _, k := range t.keys {
		if bytes.Equal(k.name[:], name) {
			return k
		}
	}
	return nil
}

// expire drops the keys whose time is over and returns the time. The lock is held.
func (t *TicketKeys) expire() time.Time {
	now := t.now()
	if !t.given {
		t.keys = slices.DeleteFunc(t.keys, func(k *ticketKey) bool { return now.Sub(k.created) >= keyLifetime })
	}
	return now
}

// newTicketKey derives a key and its public name from one secret, so that
// servers given the same secret agree on both.
func newTicketKey(secret [32]byte, created time.Time) *ticketKey {
	k := &ticketKey{created: created}
	copy(k.name[:], expand(secret, "vitrine ticket v1 name", nameSize))
	block, err := aes.NewCipher(expand(secret, "vitrine ticket v1 key", 32))
	if err == nil {
		k.aead, err = cipher.NewGCMWithRandomNonce(block)
	}
	if err != nil {
		panic("session: " + err.Error()) // only for a key that is not 32 bytes long
	}
	return k
}

func expand(secret [32]byte, label string, n int) []byte {
	out, err := hkdf.Expand(sha256.New, secret[:], label, n)
	if err != nil {
		panic("session: " + err.Error()) // only for n over 255 hashes
	}
	return out
}
