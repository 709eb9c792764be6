package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

func newSession(binding [32]byte) *session.Session {
	return &session.Session{
		Version: wire.TLS12, Suite: wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		Secret: make([]byte, 48), ServerName: "example.com", ExtendedMasterSecret: true,
		CreatedAt: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), Lifetime: 24 * time.Hour, Binding: binding,
	}
}

// A ticket carries the session itself, and opens only under the rules that it
// was made under.
func ExampleTicketKeys() {
	here := session.Binding([]byte("example.com"), []byte("no client certificates"))
	elsewhere := session.Binding([]byte("admin.example.com"), []byte("client certificates required"))

	keys := session.NewTicketKeys(nil)
	blob, _ := newSession(here).Append(nil)
	ticket, _ := keys.Seal(nil, blob, here[:])

	blob, _ = keys.Open(nil, ticket, here[:])
	s, _ := session.Parse(blob)
	fmt.Println(s)

	_, err := keys.Open(nil, ticket, elsewhere[:])
	fmt.Println(err)
	// Output:
	// session(TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 for "example.com", created 2026-11-21T12:00:00Z, valid for 24h0m0s)
	// session: not found: altered, or sealed for another virtual host or policy
}

// A session ID is a key of a Store in which the server keeps the session.
func ExampleMemory() {
	ctx := context.Background()
	store := session.NewMemory(64 << 20)
	blob, _ := newSession(session.Binding()).Append(nil)
	store.Put(ctx, "the session ID", blob, time.Now().Add(24*time.Hour))

	_, err := store.Take(ctx, "the session ID")
	fmt.Println(err)
	_, err = store.Take(ctx, "the session ID") // single use
	fmt.Println(errors.Is(err, session.ErrNotFound))
	// Output:
	// <nil>
	// true
}

// A fleet gets tomorrow's key today.
func ExampleTicketKeys_SetSchedule() {
	now := time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)
	today := session.TicketKey{Secret: [32]byte{1}, From: now.Add(-18 * time.Hour)}  // from the fleet's vault,
	tomorrow := session.TicketKey{Secret: [32]byte{2}, From: now.Add(6 * time.Hour)} // made with crypto/rand

	keys := session.NewTicketKeys(func() time.Time { return now })
	if err := keys.SetSchedule([]session.TicketKey{today, tomorrow}); err != nil {
		fmt.Println(err)
	}
	for _, day := range []string{"Saturday", "Sunday", "Monday"} {
		for _, k := range keys.Keys() {
			fmt.Printf("%s: %.4s... %v\n", day, k.Name, k.Stage)
		}
		now = now.Add(24 * time.Hour)
	}
	// Output:
	// Saturday: 4eb9... published
	// Saturday: a21d... sealing
	// Sunday: 4eb9... sealing
	// Sunday: a21d... opening
	// Monday: 4eb9... sealing
}

// What a store has been asked for, and how much it holds.
func ExampleMemory_Stats() {
	ctx := context.Background()
	store := session.NewMemory(64 << 20)
	blob, _ := newSession(session.Binding()).Append(nil)
	for id := range 1000 {
		store.Put(ctx, fmt.Sprint(id), blob, time.Now().Add(24*time.Hour))
	}
	store.Get(ctx, "7")
	store.Get(ctx, "no such session")

	n := store.Stats()
	fmt.Println(n.Entries, "sessions,", n.Hits, "hit,", n.Misses, "miss,", n.Evictions, "evicted")
	fmt.Println("less than 128 bytes each:", n.Used/n.Entries < 128)
	// Output:
	// 1000 sessions, 1 hit, 1 miss, 0 evicted
	// less than 128 bytes each: true
}

// One store for all servers that open the same tickets lets each ticket bring early data once.
func ExampleSingleUse() {
	replay := session.SingleUse(session.NewMemory(1 << 20))
	ctx, until := context.Background(), time.Now().Add(time.Hour)
	fmt.Println(replay.Permit(ctx, "digest of a ticket", until))
	fmt.Println(replay.Claim(ctx, "digest of a ticket", until))
	fmt.Println(errors.Is(replay.Claim(ctx, "digest of a ticket", until), session.ErrReplayed))
	// Output:
	// <nil>
	// <nil>
	// true
}
