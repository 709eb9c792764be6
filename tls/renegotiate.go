package tls

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// ErrNoRenegotiation says that the peer declined a renegotiation. The connection
// goes on.
var ErrNoRenegotiation = engine.ErrNoRenegotiation

// Renegotiate runs another handshake inside the connection, for new keys or, on
// a server, to see the client's certificate as Config.ClientAuth demands. It
// needs TLS 1.2 or before and a peer that knows RFC 5746; in TLS 1.3 there are
// KeyUpdate and RequestClientCertificate.
//
// Data may be read and written meanwhile, and none is lost: what has been sent
// under the old keys arrives before what is sent under the new ones. Write waits
// while our own keys are new and the peer's are not. If ctx ends first, the
// connection is closed, unless a client has not answered at all.
//
// ErrNoRenegotiation is returned where the peer declines. RFC 5246 §7.4.1.1,
// RFC 5746.
func (c *Conn) Renegotiate(ctx context.Context) error {
	return c.further(ctx, (*engine.Engine).Renegotiate, nil)
}

// RequestClientCertificate has a server ask its client for a certificate in the
// middle of the connection: by a renegotiation until TLS 1.2, by post-handshake
// authentication in TLS 1.3, which the client must have offered. What is demanded
// of the certificate is what Config.ClientAuth says, or just a request where that
// is NoClientCert. Afterwards ConnectionState has what the client showed. All else
// is as with Renegotiate. RFC 8446 §4.6.2.
func (c *Conn) RequestClientCertificate(ctx context.Context) error {
	if c.role != wire.Server {
		return &handshake.Error{Rule: "RequestClientCertificate was called on a client"}
	}
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	ask := (*engine.Engine).Renegotiate
	if handshake.ProfileOf(c.engine.Result().Version).Updates {
		ask = (*engine.Engine).Authenticate
	}
	return c.further(ctx, ask, func(h *handshake.Config) {
		h.ClientAuth, h.ClientCAs = max(h.ClientAuth, RequestClientCert), c.config.clientCAs()
	})
}

// renegotiations is what a connection knows of its further handshakes.
type renegotiations struct {
	mutex    sync.Mutex
	complete int
	byPeer   int       // that the peer has started
	last     time.Time // when it did
	current  *attempt
}

// attempt is a further handshake under way.
type attempt struct {
	done  chan struct{}
	err   error // once done is closed
	timer *time.Timer
}

// further runs a handshake that start begins, with the Config changed by change.
func (c *Conn) further(ctx context.Context, start func(*engine.Engine, *handshake.Config) error, change func(*handshake.Config)) error {
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	h, err := c.resolveFurther()
	if err != nil {
		return err
	}
	if change != nil {
		change(h)
	}
	a, err := c.begin(func() error { return start(c.engine, h) })
	c.answer()
	if err != nil {
		return c.explain(err)
	}
	return c.await(ctx, a)
}

// begin registers an attempt and starts it.
func (c *Conn) begin(start func() error) (*attempt, error) {
	c.in.Lock()
	defer c.in.Unlock()
	if c.engine.FurtherUnderWay() {
		return nil, start() // which says so
	}
	a := c.attempt()
	if err := start(); err != nil {
		c.ended(a, err)
		return nil, err
	}
	return a, nil
}

// attempt makes the current one, bounded in time. in is held.
func (c *Conn) attempt() *attempt {
	r := &c.renegotiations
	a := &attempt{done: make(chan struct{})}
	if limit := c.config.handshakeTimeout(); limit > 0 {
		a.timer = time.AfterFunc(limit, func() { c.giveUp(a, errSilent) })
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.current = a
	return a
}

var errSilent = &handshake.Error{Rule: "the peer did not answer in time"}

// giveUp ends an attempt that takes too long: with the connection, unless the
// client has not answered our HelloRequest.
func (c *Conn) giveUp(a *attempt, why error) {
	c.in.Lock()
	defer c.in.Unlock()
	select {
	case <-a.done:
		return
	default:
	}
	if !c.engine.Cancel() {
		c.timedOut.Store(true)
		c.conn.Close()
	}
	c.ended(a, why)
}

// ended closes an attempt.
func (c *Conn) ended(a *attempt, err error) {
	r := &c.renegotiations
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.current != a {
		return
	}
	r.current = nil
	if err == nil {
		r.complete++
	}
	if a.timer != nil {
		a.timer.Stop()
	}
	a.err = err
	close(a.done)
}

func (r *renegotiations) count() int {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.complete
}

func (r *renegotiations) under() *attempt {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.current
}

// await waits for the end of an attempt. Nobody may be reading, so it does.
func (c *Conn) await(ctx context.Context, a *attempt) error {
	failed := make(chan error, 1)
	go c.receiveFurther(a, failed)
	select {
	case <-a.done:
		return c.explain(a.err)
	case err := <-failed:
		return c.explain(err)
	case <-ctx.Done():
		c.giveUp(a, ctx.Err())
		return ctx.Err()
	}
}

// receiveFurther reads for an attempt, in the place of whoever reads next, and
// keeps the data for it.
func (c *Conn) receiveFurther(a *attempt, failed chan<- error) {
	c.readMutex.Lock()
	defer c.readMutex.Unlock()
	for {
		select {
		case <-a.done:
			return
		default:
		}
		c.in.Lock()
		err := c.engine.Further()
		c.in.Unlock()
		c.answer()
		if errors.Is(err, engine.ErrWantInput) {
			err = c.receive()
		}
		if err != nil {
			failed <- err
			return
		}
	}
}

// release waits, for a Write, until application data may be sent again.
func (c *Conn) release() error {
	if a := c.renegotiations.under(); a != nil {
		return c.await(context.Background(), a)
	}
	c.in.Lock()
	defer c.in.Unlock()
	return c.engine.Err()
}

// resolveFurther reads the Config again: that is what a further handshake needs.
func (c *Conn) resolveFurther() (*handshake.Config, error) {
	h := new(handshake.Config)
	resolve := (*Config).resolveClient
	if c.role == wire.Server {
		resolve = (*Config).resolveServer
	}
	return h, resolve(c.config, h, (*host)(c))
}

// further is the Conn as its engine asks it about the peer's wishes. in is held.
type further Conn

// Config applies the policy: whether the peer may start a handshake at all, and
// how often.
func (f *further) Config() *handshake.Config {
	c := (*Conn)(f)
	r := &c.renegotiations
	if !c.mayStart() {
		return nil
	}
	h, err := c.resolveFurther()
	if err != nil {
		return nil
	}
	r.byPeer, r.last = r.byPeer+1, c.config.now()
	c.attempt()
	return h
}

// The defaults of Renegotiate.
const (
	maxRenegotiations    = 8
	renegotiationsPerSec = time.Second
)

func (c *Conn) mayStart() bool {
	policy, r := &c.config.Renegotiate, &c.renegotiations
	if handshake.ProfileOf(c.engine.Result().Version).Updates {
		return true // post-handshake authentication, which we have offered
	}
	allowed := policy.FromClient
	if c.role == wire.Client {
		allowed = c.config.Renegotiation == RenegotiateFreelyAsClient || c.config.Renegotiation == RenegotiateOnceAsClient && r.byPeer == 0
	}
	most, interval := policy.Max, policy.MinInterval
	if most == 0 {
		most = maxRenegotiations
	}
	if interval == 0 {
		interval = renegotiationsPerSec
	}
	return allowed && r.byPeer < most && (r.byPeer == 0 || c.config.now().Sub(r.last) >= interval)
}

func (f *further) Ended(err error) {
	c := (*Conn)(f)
	if a := c.renegotiations.under(); a != nil {
		c.ended(a, err)
	}
}
