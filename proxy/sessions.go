package proxy

import (
	"context"
	"crypto/sha256"
	"os"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/session/fleet"
	"github.com/vitrine-tls/vitrine/tls"
)

// keysPatience is how long a plan waits for the ticket keys of a fleet. Without them it goes
// on, and they come later.
const keysPatience = 2 * time.Second

// resume has own resume sessions, also those of plans before.
func (n *plan) resume(_ *config.ServerTLS, own *tls.Config) error {
	keys, _ := os.ReadFile(n.config.Sessions.KeyFile) // that there is none is for Open to say
	of := []any{"sessions", n.config.Sessions, sha256.Sum256(keys)}
	clear(keys)
	sessions, release, _, err := share(&n.p.shared, of, func() (*fleet.Sessions, func(), error) { return n.p.openSessions(n.config.Sessions) })
	if err != nil {
		return err
	}
	n.closes, n.sessions = append(n.closes, release), sessions
	sessions.Apply(own)
	return nil
}

func (p *Proxy) openSessions(c config.Sessions) (*fleet.Sessions, func(), error) {
	ctx, cancel := context.WithCancel(context.Background())
	sessions, err := fleet.Open(ctx, fleet.Settings{
		Store: c.Store, KeyFile: c.KeyFile, Timeout: time.Duration(c.Timeout), SingleUse: c.SingleUse, SessionIDs: c.SessionIDs,
		Rotation: fleet.Rotation{Every: time.Duration(c.Rotation)}, Inherit: p.inherited,
	}, fleet.Options{Report: p.hooks.Store})
	if err != nil {
		cancel()
		return nil, nil, err
	}
	var running sync.WaitGroup
	p.onceRunning(ctx, func() {
		first, done := context.WithTimeout(ctx, keysPatience)
		_ = sessions.Update(first) // Store is told of a failure
		done()
		running.Go(func() { sessions.Run(ctx) })
	})
	return sessions, func() {
		cancel()
		running.Wait()
		_ = sessions.Close() // nobody waits for the store any more
	}, nil
}
