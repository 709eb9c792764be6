package tls

import "github.com/vitrine-tls/vitrine/session"

// SetSessionTicketKeys sets the keys that tickets are sealed under: the first
// seals, all of them open. Servers that share tickets share these. It may be
// called while the Config is in use, and panics on an empty list.
func (c *Config) SetSessionTicketKeys(keys [][32]byte) {
	if len(keys) == 0 {
		panic("tls: keys must have at least one key")
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.keysHeld().Set(keys)
	c.ticketsGiven = true
}

// SetTicketKeySchedule sets the keys that tickets are sealed under, each with the
// moment from which it seals, so that the servers of a fleet change to the next one
// without losing a ticket; see [session.TicketKeys.SetSchedule]. It may be called
// while the Config is in use. On an error nothing has changed.
func (c *Config) SetTicketKeySchedule(keys []session.TicketKey) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if err := c.keysHeld().SetSchedule(keys); err != nil {
		return err
	}
	c.ticketsGiven = true
	return nil
}

// TicketKeys describes the keys that tickets are sealed under and opened with, newest
// first, without what is secret of them.
func (c *Config) TicketKeys() []session.TicketKeyInfo { return c.ticketKeys().Keys() }

// ticketKeys returns the keys set for c, or those made for it.
func (c *Config) ticketKeys() *session.TicketKeys {
	if keys := c.tickets.Load(); keys != nil { // each handshake asks
		return keys
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.keysHeld()
}

// keysHeld is ticketKeys with the mutex held. The value stays the same for the life of
// c, so that replaced keys are wiped and those that stay go on counting.
func (c *Config) keysHeld() *session.TicketKeys {
	keys := c.tickets.Load()
	if keys == nil {
		keys = session.NewTicketKeys(c.Time)
		if c.SessionTicketKey != [32]byte{} {
			keys.Set([][32]byte{c.SessionTicketKey})
		}
		c.tickets.Store(keys) // with its keys: a look takes no lock
	}
	return keys
}

// hasTicketKeys reports whether c was given ticket keys. Those that were made for it,
// because somebody asked for them, do not count.
func (c *Config) hasTicketKeys() bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.ticketsGiven || c.SessionTicketKey != [32]byte{}
}
