package proxy

import (
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// Reload serves what cfg says from now on. If anything is wrong with it, the error says what,
// and the old configuration goes on as if nothing had been. Addresses that stay keep their
// sockets, and new ones are listened on before old ones are given up. Connections go on under
// the rules that they began with. In HTTP mode requests go by the new ones, and a connection
// of before is ended in an orderly way with its next answer.
//
// Files that cfg names are read again, also where cfg has not changed.
func (p *Proxy) Reload(cfg config.Config) error {
	err := p.reload(cfg)
	if p.hooks.Reloaded != nil {
		p.hooks.Reloaded(err)
	}
	return err
}

func (p *Proxy) reload(cfg config.Config) error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.stopping.Load() {
		return errors.New("proxy: it is stopping")
	}
	if was := p.plan.config.Process.Handover; cfg.Process.Handover != was {
		return fmt.Errorf("proxy: process.handover: %q cannot be changed to %q while the process runs; start a new one", was, cfg.Process.Handover)
	}
	next, err := p.build(cfg)
	if err != nil {
		return err
	}
	if err := p.openAll(next, nil); err != nil {
		next.end()
		return err
	}
	old := p.plan
	p.plan = next
	p.limits.set(cfg.Limits)
	next.start(p.running)
	gone := make(map[string]*socket)
	for name, s := range p.sockets {
		gone[name] = s
	}
	for _, d := range next.doors {
		for _, name := range d.config.Listen {
			s := p.sockets[name]
			s.door.Store(d)
			delete(gone, name)
			if p.running {
				s.start()
			}
		}
	}
	for name := range gone {
		delete(p.sockets, name)
	}
	closeSockets(gone)
	if len(gone) > 0 && old.enter() { // what they have accepted is still served by the old plan
		go func() {
			waitForAccepts(gone)
			old.leave()
		}()
	}
	old.retire()
	return nil
}
