package front

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// How long a data connection may take: to arrive, and for its handshake.
const (
	dataAccept    = time.Minute
	dataHandshake = 20 * time.Second
	dataDial      = 10 * time.Second
	// dataLinger is how long a client may take to end its side of what it has got whole.
	dataLinger = 5 * time.Second
)

// data is one data connection, or its two halves: one is accepted, the other is dialled.
type data struct {
	listener net.Listener
	active   bool       // the server connects to us, and we to the client
	private  bool       // TLS is on the client's half
	near     netip.Addr // who may connect
	far      string     // whom to connect to
	cancel   context.CancelFunc

	begun   atomic.Bool // somebody has connected
	done    chan struct{}
	over    sync.Once
	failure string // once done is closed: what the client is told; empty if all went well
}

// listen opens a place for a data connection.
func (s *ftpSession) listen(at netip.Addr, first, last uint16) (*data, error) {
	var l net.Listener
	var err error
	if last == 0 || last < first {
		first, last = 0, 0
	}
	count := int(last) - int(first) + 1
	start := rand.IntN(count)
	for i := range count {
		port := int(first) + (start+i)%count
		l, err = net.Listen("tcp", net.JoinHostPort(at.String(), strconv.Itoa(port)))
		if err == nil {
			return &data{listener: l, done: make(chan struct{})}, nil
		}
	}
	return nil, err
}

// finish is the end of what the server waits for.
func (d *data) finish() { d.over.Do(func() { close(d.done) }) }

func (d *data) port() int { return d.listener.Addr().(*net.TCPAddr).Port }

// start has d take the place of the one before.
func (s *ftpSession) start(d *data) {
	ctx, cancel := context.WithCancel(s.ctx)
	d.cancel = cancel
	s.replaceData(d)
	s.tasks.Go(func() {
		defer cancel()
		s.run(ctx, d)
	})
}

func (s *ftpSession) replaceData(d *data) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data != nil {
		s.data.cancel()
	}
	s.data = d
}

// run makes the connection, and passes on what comes.
func (s *ftpSession) run(ctx context.Context, d *data) {
	defer d.finish()
	accepted, err := d.accept(ctx)
	if err != nil {
		return
	}
	d.begun.Store(true)
	dialled, err := dialFrom(ctx, accepted, d, s)
	if err != nil {
		reset(accepted)
		d.failure = "425 The other side of the data connection cannot be reached"
		return
	}
	client, server := accepted, dialled
	if d.active {
		client, server = dialled, accepted
	}
	stop := context.AfterFunc(ctx, func() {
		reset(server)
		reset(client)
	})
	defer stop()
	d.transfer(ctx, s, client, server)
}

// accept takes the one connection that may come.
func (d *data) accept(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dataAccept)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { d.listener.Close() })
	defer stop()
	defer d.listener.Close()
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return nil, err
		}
		if ipOf(conn.RemoteAddr()) == d.near {
			return conn, nil
		}
		reset(conn) // a stranger
	}
}

// dialFrom makes the other half, from the address that its control connection has.
func dialFrom(ctx context.Context, accepted net.Conn, d *data, s *ftpSession) (net.Conn, error) {
	from := s.server.LocalAddr()
	if d.active {
		from = s.client.LocalAddr()
	}
	dialer := net.Dialer{Timeout: dataDial}
	if ip := ipOf(from); ip.IsValid() {
		dialer.LocalAddr = &net.TCPAddr{IP: ip.AsSlice()}
	}
	return dialer.DialContext(ctx, "tcp", d.far)
}

// transfer puts TLS on the client's half, and copies both ways. The server's half is there
// before TLS is, since servers say that a transfer begins when they have it, and clients begin
// TLS when they hear that.
func (d *data) transfer(ctx context.Context, s *ftpSession, client, server net.Conn) {
	over := client
	if d.private {
		conn, failure := s.secure(ctx, client)
		if failure != "" {
			reset(server)
			conn.Close() // which says why
			d.failure = failure
			return
		}
		over = conn
	}
	var up sync.WaitGroup
	var whole atomic.Bool // the client has all
	up.Go(func() {
		_, err := io.Copy(counted{server, func(n int) { s.moved(n, 0) }}, over)
		if err == nil {
			err = closeWrite(server)
		}
		if err != nil && !(whole.Load() && errors.Is(err, os.ErrDeadlineExceeded)) {
			reset(server) // the server must not take a part for all
			reset(client)
		}
	})
	_, err := io.Copy(counted{over, func(n int) { s.moved(0, n) }}, server)
	if err == nil {
		err = closeWrite(over)
	}
	if err == nil {
		whole.Store(true)
		d.finish()
		client.SetReadDeadline(time.Now().Add(dataLinger))
	} else {
		d.failure = "426 The data connection was cut off"
		reset(server)
		reset(client)
	}
	up.Wait()
	over.Close()
	server.Close()
}

// counted tells of what is written.
type counted struct {
	io.Writer
	moved func(n int)
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.moved(n)
	return n, err
}

// secure does the handshake of a data connection.
func (s *ftpSession) secure(ctx context.Context, client net.Conn) (conn *tls.Conn, failure string) {
	ctx, cancel := context.WithTimeout(ctx, dataHandshake)
	defer cancel()
	conn = tls.Server(client, s.dataConfig)
	if err := conn.HandshakeContext(ctx); err != nil {
		return conn, fmt.Sprintf("522 TLS on the data connection failed: %.100q", err.Error())
	}
	if !s.AnySession && !conn.ConnectionState().DidResume {
		reset(client) // an orderly end would look like an empty file
		return conn, "522 The data connection must resume the TLS session of the control connection"
	}
	return conn, ""
}

// reset closes conn so that its peer sees no orderly end.
func reset(conn net.Conn) {
	if tcp, is := conn.(*net.TCPConn); is {
		tcp.SetLinger(0)
	}
	conn.Close()
}
