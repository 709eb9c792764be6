package main

import (
	"context"
	stdtls "crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	sessions "github.com/vitrine-tls/vitrine/session/fleet"
)

const (
	shortKeys = 12          // ticket keys, of a second each
	shortLife = time.Second // how long each seals
	notice    = 5 * time.Second
)

// shelf is a store that can become another.
type shelf struct{ session.Swapper }

// rotation has ticket keys change each second at load. A proxy's rotation is half an hour at least, so keys of a second are
// put into the members' record, as by a member that has keys which the store has lost. The members change from each to the
// next by their clocks, and one of them makes the key that follows the last.
func (f *fleet) rotation(ctx context.Context) error {
	from := time.Now()
	last, err := f.putKeys(ctx, from.Add(notice))
	if err != nil {
		return fmt.Errorf("ticket keys are put into the record: %w", err)
	}
	seen := make([]map[string]bool, len(f.members))
	for i := range seen {
		seen[i] = map[string]bool{}
	}
	for time.Now().Before(last.Add(time.Second)) {
		for i, m := range f.members {
			name, err := f.keyName(ctx, m.address)
			if err != nil {
				return err
			}
			seen[i][name] = true
		}
		if !sleep(ctx, slice) {
			return ctx.Err()
		}
	}
	n, all, least := f.crowd.between(from, time.Now(), f.sealed), map[string]bool{}, shortKeys+2
	for _, names := range seen {
		least = min(least, len(names))
		for name := range names {
			all[name] = true
		}
	}
	f.Figure(f.named("key rotation at load, ticket keys in use"), "%d by each member, %d by all together", least, len(all)).
		Want(least >= shortKeys && len(all) <= shortKeys+2, "%d to %d, the same by all", shortKeys, shortKeys+2)
	f.Figure(f.named("key rotation at load, failed resumptions"), "%d of %d", n.all-n.resumed, n.all).Want(n.all > 0 && n.resumed == n.all, "none")
	f.Figure(f.named("key rotation at load, handshakes that failed"), "%d of %d", n.failed, n.all).Want(n.failed == 0, "none")
	return nil
}

// putKeys adds short-lived keys to the record, and returns when the last of them no longer seals.
func (f *fleet) putKeys(ctx context.Context, first time.Time) (last time.Time, err error) {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(f.members[0].config), "fleet.key"))
	if err != nil {
		return last, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		return last, err
	}
	store, err := f.engine.open()
	if err != nil {
		return last, err
	}
	defer store.Close()
	var clock atomic.Int64
	now := func() time.Time { return time.UnixMilli(clock.Load()) }
	s := &shelf{session.NewMemory(1 << 20)}
	source, err := sessions.NewTicketKeySource(s, [][32]byte{[32]byte(key)}, sessions.Rotation{Every: shortLife, Lead: shortLife / 2}, now)
	if err != nil {
		return last, err
	}
	for i := range shortKeys {
		clock.Store(first.Add(time.Duration(i) * shortLife).UnixMilli())
		if _, err := source.Update(ctx); err != nil {
			return last, err
		}
	}
	keys := source.Schedule()
	s.Swapper = store
	if _, err := source.Update(ctx); err != nil {
		return last, err
	}
	return keys[len(keys)-1].Until, nil
}

// keyName is the name of the key under which a member has just sealed a ticket.
func (f *fleet) keyName(ctx context.Context, address string) (name string, err error) {
	w := new(witness)
	config := &stdtls.Config{RootCAs: f.crowd.roots, ServerName: loadName, MaxVersion: stdtls.VersionTLS12, ClientSessionCache: w}
	connect := func(conn net.Conn) (client, func() bool) {
		return stdtls.Client(conn, config), func() bool { return false }
	}
	if _, err := visit(ctx, address, connect); err != nil {
		return "", err
	}
	if len(w.ticket) < 16 {
		return "", fmt.Errorf("a ticket of %d bytes", len(w.ticket))
	}
	return string(w.ticket[:16]), nil
}

// witness is a cache that looks at tickets.
type witness struct{ ticket []byte }

// Get is one half of a cache: each handshake is a full one.
func (w *witness) Get(string) (*stdtls.ClientSessionState, bool) { return nil, false }

// Put is the other half.
func (w *witness) Put(_ string, s *stdtls.ClientSessionState) {
	if s != nil {
		w.ticket, _, _ = s.ResumptionState()
	}
}
