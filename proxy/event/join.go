package event

import (
	"net"
	"time"
)

// Join returns hooks that call those of each of all, in their order.
func Join(all ...Hooks) Hooks {
	var j Hooks
	for _, h := range all {
		j = j.and(h)
	}
	return j
}

func (h Hooks) and(o Hooks) Hooks {
	return Hooks{
		Accepted:      both(h.Accepted, o.Accepted),
		Handshaken:    both2(h.Handshaken, o.Handshaken),
		RequestFailed: both2(h.RequestFailed, o.RequestFailed),
		Connected:     both2(h.Connected, o.Connected),
		Closed:        both2(h.Closed, o.Closed),
		Reloaded:      both(h.Reloaded, o.Reloaded),
		Certificate:   both(h.Certificate, o.Certificate),
		Refused: func() func(string, net.Addr, Reason, error) {
			if h.Refused == nil || o.Refused == nil {
				return one(h.Refused, o.Refused, h.Refused == nil)
			}
			return func(listener string, peer net.Addr, why Reason, err error) {
				h.Refused(listener, peer, why, err)
				o.Refused(listener, peer, why, err)
			}
		}(),
		AcceptFailed: func() func(string, error) {
			if h.AcceptFailed == nil || o.AcceptFailed == nil {
				return one(h.AcceptFailed, o.AcceptFailed, h.AcceptFailed == nil)
			}
			return func(listener string, err error) {
				h.AcceptFailed(listener, err)
				o.AcceptFailed(listener, err)
			}
		}(),
		Health: func() func(string, string, bool, error) {
			if h.Health == nil || o.Health == nil {
				return one(h.Health, o.Health, h.Health == nil)
			}
			return func(target, address string, up bool, why error) {
				h.Health(target, address, up, why)
				o.Health(target, address, up, why)
			}
		}(),
		Store: func() func(string, time.Duration, error) {
			if h.Store == nil || o.Store == nil {
				return one(h.Store, o.Store, h.Store == nil)
			}
			return func(operation string, took time.Duration, err error) {
				h.Store(operation, took, err)
				o.Store(operation, took, err)
			}
		}(),
	}
}

func one[F any](a, b F, second bool) F {
	if second {
		return b
	}
	return a
}

func both[A any](f, g func(A)) func(A) {
	if f == nil || g == nil {
		return one(f, g, f == nil)
	}
	return func(a A) { f(a); g(a) }
}

func both2[A, B any](f, g func(A, B)) func(A, B) {
	if f == nil || g == nil {
		return one(f, g, f == nil)
	}
	return func(a A, b B) { f(a, b); g(a, b) }
}
