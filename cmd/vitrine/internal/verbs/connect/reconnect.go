package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
)

// sessionWait is how long we wait for a server's ticket: in TLS 1.3 it comes
// after the handshake.
const sessionWait = 2 * time.Second

// keptSession is a cache for the one session that --resume needs, which says
// when it is there.
type keptSession struct {
	tls.ClientSessionCache
	once sync.Once
	kept chan struct{}
}

func newKeptSession() *keptSession {
	return &keptSession{ClientSessionCache: tls.NewLRUClientSessionCache(1), kept: make(chan struct{})}
}

func (k *keptSession) Put(name string, s *tls.ClientSessionState) {
	k.ClientSessionCache.Put(name, s)
	if s != nil {
		k.once.Do(func() { close(k.kept) })
	}
}

// firstConnection makes the connection whose session the next one resumes.
func (o *options) firstConnection(ctx context.Context, at flags.Target, config *tls.Config) error {
	session := newKeptSession()
	config.ClientSessionCache = session
	conn, _, err := o.connect(ctx, at, config, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	go func() { // the ticket may have to be read
		conn.SetReadDeadline(time.Now().Add(sessionWait))
		io.Copy(io.Discard, conn)
	}()
	select {
	case <-session.kept:
	case <-time.After(sessionWait): // the summary says what came of it
	}
	return nil
}

// loadEarly reads --early-data, which needs a session of TLS 1.3.
func (o *options) loadEarly(cmd *cobra.Command) (err error) {
	if o.hurry, err = o.early.Load(cmd); err != nil || o.hurry == nil {
		return err
	}
	if o.tls.Resumes() && o.tls.Resume != "psk" {
		return report.Usagef("--early-data needs a session of TLS 1.3; leave --resume %s out", o.tls.Resume)
	}
	o.tls.Resume = "psk"
	return nil
}

// shake does the handshake, with early data where there is some. What the server has not taken
// is sent behind it.
func shake(ctx context.Context, conn *tls.Conn, early []byte) error {
	if early == nil {
		return conn.HandshakeContext(ctx)
	}
	taken, err := conn.HandshakeEarly(ctx, early)
	if err != nil || taken {
		return err
	}
	_, err = conn.Write(early)
	return err
}

// renegotiate begins a handshake inside the connection, if --renegotiate says so.
func (o *options) renegotiate(ctx context.Context, conn *tls.Conn) error {
	if o.tls.Renegotiate != "client" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout.Duration)
	defer cancel()
	if err := conn.Renegotiate(ctx); err != nil && !errors.Is(err, tls.ErrNoRenegotiation) {
		return report.WhileShakingHands(err)
	}
	return nil
}

// unmet are the wishes of the flags that the server did not grant.
func (o *options) unmet(s tls.State) []string {
	var list []string
	if capped := o.tls.Capped(); capped != "" {
		list = append(list, capped)
	}
	if offered := o.alpn.Protocols; len(offered) > 0 && s.ALPN == "" {
		list = append(list, "the server took none of the application protocols on offer: "+strings.Join(offered, ", "))
	}
	if o.tls.Resumes() && s.Resumption != o.tls.Resume {
		list = append(list, o.tls.NotResumed(s.Resumption))
	}
	if o.hurry != nil && s.EarlyData != "accepted" {
		list = append(list, "the early data was sent after the handshake: "+o.seen.notEarly())
	}
	if o.tls.Renegotiate == "client" && s.Renegotiations == 0 {
		list = append(list, "the server declined to renegotiate")
	}
	if o.tls.Compress && s.Compression == 0 {
		list = append(list, "the server does not compress")
	}
	if n := o.tls.MaxFragmentLength; n != 0 && s.SendLimit != n {
		list = append(list, fmt.Sprintf("the server does not know max_fragment_length: %d was not agreed on", n))
	}
	return list
}
