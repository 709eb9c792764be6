package session

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"
)

const (
	nameSize      = 16
	nonceSize     = 12
	tagSize       = 16
	maxTicketSize = 1<<16 - 1 // opaque ticket<1..2^16-1>, RFC 8446 §4.6.1
)

// TicketKeys is a [Sealer] for tickets, with XAES-256-GCM under named keys:
//
//	struct {
//	    opaque key_name[16];
//	    opaque nonce[24];
//	    opaque sealed_blob[blob_length + 16];
//	} Ticket;
//
// Nonces of 192 bits may be random for as many tickets as any number of servers can seal. Half of
// them stay the same while a process lives and seals less than 2³² tickets, so if you see a ticket you may find
// out which server sealed it. XAES-256-GCM is C2SP's, and AES-256-GCM below.
//
// Each key goes through the stages of [Stage]. Left to itself a TicketKeys makes
// a random key when one is first needed and a new one every 24 hours, which
// opens tickets for 25 hours more. Servers that share tickets share keys, by a
// schedule ([TicketKeys.SetSchedule]) or as a mere list ([TicketKeys.Set]).
//
// A key is wiped from memory when its time is over, at the next call of any
// method, as no goroutine runs.
type TicketKeys struct {
	now func() time.Time

	mu    readersLock  // to read while a key is in use, to write before it is wiped
	given bool         // keys come from outside; then none is made here
	keys  []*ticketKey // newest first
}

type ticketKey struct {
	name  [nameSize]byte
	xaes  *xaes
	from  time.Time // when it began to seal, or will; zero if not known
	ends  ends
	seals atomic.Uint64
}

// NewTicketKeys returns keys that rotate by the given clock; nil is time.Now.
func NewTicketKeys(now func() time.Time) *TicketKeys {
	if now == nil {
		now = time.Now
	}
	// Without the monotonic reading, which stands still while a machine is suspended.
	return &TicketKeys{now: func() time.Time { return now().Round(0) }}
}

// Set replaces all keys by those derived from the given secrets and ends the
// rotation. The first seals, all open, until they are replaced. Each secret must
// be random and known to the servers that share tickets, and to nobody else:
// with it, every ticket made under it can be read and, in TLS 1.2, the connections
// behind them. Replace the first one often, and keep the old ones in the list for as
// long as their tickets should be good. It panics on an empty list.
func (t *TicketKeys) Set(secrets [][32]byte) {
	if len(secrets) == 0 {
		panic("session: TicketKeys.Set without keys")
	}
	keys := make([]*ticketKey, len(secrets))
	for i, s := range secrets {
		keys[i] = newTicketKey(s)
		keys[i].ends = ends{StageSealing: past, StageOpening: never}
	}
	keys[0].ends = ends{StageSealing: never}
	t.replace(keys)
}

// Seal appends a ticket to dst. It fails where the ticket would not fit into
// its 65,535 bytes, and where no key of a schedule seals just then.
func (t *TicketKeys) Seal(dst, blob, aad []byte) ([]byte, error) {
	size := nameSize + len(blob) + messageSize
	if size > maxTicketSize {
		return nil, fmt.Errorf("session: ticket of %d bytes, at most %d can be sent", size, maxTicketSize)
	}
	dst = slices.Grow(dst, size)
	for {
		now, held := t.hold()
		if k := t.sealing(now); k != nil {
			if ticket, done := k.xaes.seal(append(dst, k.name[:]...), blob, aad); done {
				k.seals.Add(1)
				held.RUnlock()
				return ticket, nil
			}
		}
		held.RUnlock()
		if err := t.renew(); err != nil {
			return nil, err
		}
	}
}

// Open appends the blob inside a ticket to dst. Any failure is [ErrNotFound],
// wrapped in a reason.
func (t *TicketKeys) Open(dst, ticket, aad []byte) ([]byte, error) {
	if len(ticket) < nameSize+messageSize {
		return nil, errNotATicket
	}
	_, held := t.hold()
	defer held.RUnlock()
	i := slices.IndexFunc(t.keys, func(k *ticketKey) bool { return bytes.Equal(k.name[:], ticket[:nameSize]) })
	if i < 0 {
		return nil, errUnknownKey
	}
	blob, err := t.keys[i].xaes.open(dst, ticket[nameSize:], aad)
	if err != nil {
		return nil, errDoesNotOpen
	}
	return blob, nil
}

// Current reports whether a ticket is one that Seal could have made just now: its
// holder needs no other.
func (t *TicketKeys) Current(ticket []byte) bool {
	now, held := t.hold()
	defer held.RUnlock()
	k := t.sealing(now)
	return k != nil && len(ticket) > nameSize && bytes.Equal(k.name[:], ticket[:nameSize])
}

var (
	errNotATicket  = fmt.Errorf("%w: too short for a ticket of ours", ErrNotFound)
	errUnknownKey  = fmt.Errorf("%w: sealed under a key that is not, or no longer, held here", ErrNotFound)
	errDoesNotOpen = fmt.Errorf("%w: altered, or sealed for another virtual host or policy", ErrNotFound)
	errTooEarly    = errors.New("session: no ticket key of the schedule seals now")
)

// Format prints how many keys there are and nothing else, whatever the verb.
func (t *TicketKeys) Format(f fmt.State, _ rune) {
	held := t.mu.RLock()
	n := len(t.keys)
	held.RUnlock()
	io.WriteString(f, fmt.Sprintf("session.TicketKeys(%d keys)", n))
}

// newTicketKey derives a key and its public name from one secret, so that
// servers given the same secret agree on both.
func newTicketKey(secret [32]byte) *ticketKey {
	k := new(ticketKey)
	copy(k.name[:], expand(secret, "vitrine ticket v2 name", nameSize))
	key := expand(secret, "vitrine ticket v2 key", 32)
	defer clear(key)
	k.xaes = newXAES(key)
	return k
}

func expand(secret [32]byte, label string, n int) []byte {
	return must(hkdf.Expand(sha256.New, secret[:], label, n))
}
