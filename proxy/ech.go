package proxy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

// openHellos has own open encrypted hellos by the keys in the files of t: a reload reads them
// again. Clients with another key are told of those in the first file. RFC 9849 §7.1.
func openHellos(t *config.ServerTLS, own *tls.Config) error {
	for i, name := range t.ECHKeys {
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("ech-keys[%d]: %w", i, err)
		}
		keys, err := tls.ParseECHKeys(text)
		if err != nil {
			return fmt.Errorf("ech-keys[%d]: %s: %w", i, name, err)
		}
		for j := range keys {
			keys[j].SendAsRetry = i == 0
		}
		own.EncryptedClientHelloKeys = append(own.EncryptedClientHelloKeys, keys...)
	}
	return nil
}

// publicNames are those that clients show in place of the one they mean. One with a key that
// is gone is told of the new one in a handshake for such a name, whether a route has it or not.
func publicNames(own *tls.Config) map[string]bool {
	names := map[string]bool{}
	for _, key := range own.EncryptedClientHelloKeys {
		list, err := tls.ECHConfigList(key)
		if err != nil {
			continue // the handshake will say so
		}
		if name, err := tls.CheckECHConfigList(list); err == nil {
			names[strings.ToLower(name)] = true
		}
	}
	return names
}

// openForOthers has the door open encrypted hellos for routes that pass TLS on: their targets need no key. It is split
// mode. RFC 9849 §3.1.
func (d *door) openForOthers() error {
	keys := d.tls.EncryptedClientHelloKeys
	if len(keys) == 0 || !slices.ContainsFunc(d.routes, func(r *route) bool { return r.passthrough }) {
		return nil
	}
	d.public = publicNames(d.tls)
	for i, r := range d.routes {
		for name := range d.public {
			if r.passthrough && r.names[name] {
				return fmt.Errorf("routes[%d].names: %s is the public name of ech-keys: clients with an old key are told of the new one in a handshake for it, which is to be here; leave it out, or passthrough", i, name)
			}
		}
	}
	var err error
	if d.front, err = tls.NewECHFront(keys...); err != nil {
		return fmt.Errorf("tls.ech-keys: %w", err)
	}
	return nil
}

// unwrap puts the inner hello of the client in the place of the outer one, for a target that has no key.
func (l *link) unwrap() error {
	conn, inner, err := l.door.front.Accept(context.Background(), l.client) // the socket's deadline ends it
	if err != nil {
		return &refusal{event.NoRoute, fmt.Errorf("the encrypted hello cannot be passed on: %w", err)}
	}
	if inner == nil {
		return &refusal{event.NoRoute, errChangedHello}
	}
	l.mutex.Lock()
	l.client = conn
	l.mutex.Unlock()
	return nil
}

// errChangedHello cannot come, as the bytes of a hello stay where they were looked at.
var errChangedHello = errors.New("the hello is not the one that was looked at")
