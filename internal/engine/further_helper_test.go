package engine

import (
	"bytes"
	"context"
	stdtls "crypto/tls"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// A further handshake, for both sides and with a rogue in one of them.

// Config, Spent and Ended make a side the engine's Further.
func (s *side) Config() (context.Context, *handshake.Config) {
	if !s.host.again {
		return nil, nil
	}
	return context.Background(), &s.host.config
}

func (s *side) Spent() bool { return s.host.spent }

func (s *side) Ended(err error) { s.ended = append(s.ended, err) }

// Done reports that the first handshake is complete, and as many more as were
// expected.
func (s *side) Done() bool {
	complete := 0
	for _, err := range s.ended {
		if err == nil {
			complete++
		}
	}
	return s.Engine.Done() && complete >= s.expected
}

// current is what is agreed on so far, in a further handshake too.
func (e *Engine) current() *handshake.Result {
	if e.further != nil && e.further.next != nil {
		return e.further.next
	}
	return e.Result()
}

// flush is Flush but for a rogue, which changes what a further handshake sends, one
// item after the other.
func (s *side) flush() error {
	if len(s.edits) == 0 {
		return s.Flush()
	}
	todo, _ := s.control.take()
	for _, i := range todo.items {
		for _, i := range s.edited(i) {
			s.control.add(i)
			if err := s.Flush(); err != nil {
				return err
			}
		}
	}
	for _, a := range todo.alerts {
		s.control.alert(a, todo.why)
	}
	if todo.reply {
		s.control.keyUpdate()
	}
	return s.Flush()
}

// theCCS stands for a change_cipher_spec among the messages.
var theCCS = []byte{byte(ccs), 0, 0, 0}

// edited is what the rogue puts in the place of an item.
func (s *side) edited(i item) (out []item) {
	raw := i.message
	switch {
	case i.late != nil:
		raw = i.late(s.out.half.Secret())
	case i.ccs:
		raw = theCCS
	case raw == nil:
		return []item{i}
	}
	list := [][]byte{raw}
	for _, edit := range s.edits {
		var next [][]byte
		for _, m := range list {
			next = append(next, edit((*records)(s.Engine), m)...)
		}
		list = next
	}
	for _, m := range list {
		if bytes.Equal(m, theCCS) {
			out = append(out, item{ccs: true})
		} else {
			out = append(out, item{message: m})
		}
	}
	return out
}

func (l *link) of(role wire.Role) *side {
	if role == wire.Client {
		return l.client
	}
	return l.server
}

// again runs the further handshake that the hosts want. Of the first one only the
// Result stays.
func (l *link) again(t testing.TB) *link {
	t.Helper()
	for _, s := range []*side{l.client, l.server} {
		s.expected++
		s.sent, s.log, s.secrets, s.received = nil, nil, nil, nil
	}
	if err := l.client.host.then(l); err != nil {
		t.Fatal(err)
	}
	return l.run()
}

// renegotiated has by start another handshake after the first, once change has
// changed the hosts.
func renegotiated(by wire.Role, hosts func(testing.TB) (client, server *host), change ...func(c, s *host)) func(testing.TB) (client, server *host) {
	return then(hosts, func(c, s *host) {
		c.again, s.again = true, true
		c.then = func(l *link) error {
			for _, f := range change {
				f(c, s)
			}
			initiator := l.of(by)
			return initiator.Renegotiate(context.Background(), &initiator.host.config)
		}
	})
}

// authenticated has the server of TLS 1.3 ask for the client's certificate after
// the handshake.
func authenticated(hosts func(testing.TB) (client, server *host), change ...func(c, s *host)) func(testing.TB) (client, server *host) {
	return then(hosts, func(c, s *host) {
		c.again, c.config.PostHandshakeAuth, c.certificate = true, true, certificate("ecdsa")
		c.then = func(l *link) error {
			s.config.ClientAuth = stdtls.RequireAndVerifyClientCert
			for _, f := range change {
				f(c, s)
			}
			return l.server.Authenticate(context.Background(), &s.config)
		}
	})
}

func (s *side) SaveSession(r *handshake.Result, c *handshake.ClientSession) {
	s.host.SaveSession(r, c)
}
