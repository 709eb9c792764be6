package front

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// FTPOptions are what holds for FTP's data connections.
type FTPOptions struct {
	// TLS is the configuration for the control connection. It is not changed.
	TLS *tls.Config
	// Implicit says that TLS came first, so that the greeting of the server behind is yet to pass.
	Implicit bool
	// Address is what PASV tells the client to connect to, an IPv4 address; the zero value is
	// the one that the client has connected to. Connections are taken at the latter.
	Address netip.Addr
	// FirstPort and LastPort bound where data connections are taken; 0 leaves it to the system.
	FirstPort, LastPort uint16
	// ClearData allows PROT C: files in the clear for all on the way to read and change.
	ClearData bool
	// AnySession takes data connections whose TLS does not resume the session of the control
	// connection. Then a stranger behind the client's address may take its place.
	AnySession bool
	// Moved, if not nil, is told of bytes that came from the client and that went to it, on
	// the control connection and on others, from several goroutines.
	Moved func(received, sent int)
}

func (o *FTPOptions) moved(received, sent int) {
	if o.Moved != nil {
		o.Moved(received, sent)
	}
}

// FTP is one client's FTP over TLS, in front of a server in the clear. RFC 959, RFC 2428, RFC 4217.
//
// The client's data connections end here, and others are made to the server: passive and active
// mode on both sides. Data connections are taken from and made to the address of the control
// connection alone, and to no port below 1024 of a client, so nobody is attacked through the
// proxy (bounce), and nobody takes another's data by being first (port theft).
type FTP struct {
	FTPOptions
	config, dataConfig *tls.Config
}

// NewFTP readies FTP for one client.
func NewFTP(o FTPOptions) *FTP {
	var key [32]byte
	rand.Read(key[:])
	store := session.NewMemory(sessionBudget)
	// A data connection gives one ticket for the one that it took: a client that only sends
	// has it unread when it closes, and more would be in the way of its last bytes.
	return &FTP{FTPOptions: o, config: ownSessions(o.TLS, key, store, 4), dataConfig: untraced(ownSessions(o.TLS, key, store, 1))}
}

// untraced is c without hooks: nobody is told of the end of a data connection's handshake.
func untraced(c *tls.Config) *tls.Config {
	c.Trace = nil
	return c
}

// sessionBudget is for the sessions of one client without tickets, in bytes.
const sessionBudget = 64 << 10

// ownSessions is c with a ticket key and a store of its own: what resumes is this client's
// session. The store is for clients up to TLS 1.2 that take no tickets, as curl's.
func ownSessions(c *tls.Config, key [32]byte, store session.Store, tickets int) *tls.Config {
	own := c.Clone()
	own.WrapSession, own.UnwrapSession, own.Resumption.Store = nil, nil, store
	own.SessionTicketsDisabled, own.Resumption.Tickets = false, tickets
	own.SetSessionTicketKeys([][32]byte{key})
	if choose := c.GetConfigForClient; choose != nil {
		own.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(hello)
			if chosen == nil || err != nil {
				return chosen, err
			}
			return ownSessions(chosen, key, store, tickets), nil
		}
	}
	return own
}

// Config is the configuration for the handshake of the control connection.
func (f *FTP) Config() *tls.Config { return f.config }

// Relay passes commands and answers between a client, whose connection has TLS on it, and the
// server behind, and their data connections with them. It returns when the session or ctx has
// ended, and closes neither connection. nil is an orderly end.
func (f *FTP) Relay(ctx context.Context, client, server net.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	s := &ftpSession{FTP: f, ctx: ctx, client: client, server: server,
		in: bufio.NewReaderSize(client, longestCommand), back: bufio.NewReaderSize(server, longestCommand)}
	if f.Implicit {
		s.pending = append(s.pending, &expected{})
	}
	var ended error
	var once sync.Once
	end := func(err error) {
		once.Do(func() {
			ended = err
			cancel()
			past := time.Unix(1, 0)
			client.SetDeadline(past)
			server.SetDeadline(past)
		})
	}
	stop := context.AfterFunc(ctx, func() { end(ctx.Err()) })
	s.tasks.Go(func() {
		err := s.commands()
		if err == nil { // the answers to what was asked are yet to come
			err = closeWrite(server)
		}
		if err != nil {
			end(err)
		}
	})
	end(s.answers())
	stop()
	s.replaceData(nil)
	s.tasks.Wait()
	client.SetDeadline(time.Time{})
	server.SetDeadline(time.Time{})
	return ended
}

func closeWrite(conn net.Conn) error {
	if half, is := conn.(interface{ CloseWrite() error }); is {
		return half.CloseWrite()
	}
	return conn.Close()
}

const (
	longestCommand = 8 << 10
	// mostPending is how many commands may wait for their answers.
	mostPending = 32
)

// ftpSession is one that runs.
type ftpSession struct {
	*FTP
	ctx            context.Context
	client, server net.Conn
	in, back       *bufio.Reader
	tasks          sync.WaitGroup

	mu      sync.Mutex // over what follows, and over writing to client
	pending []*expected
	data    *data // the latest

	private atomic.Bool // set by commands alone

	// of commands alone
	sized, extended bool
}

// expected is an answer that is to come.
type expected struct {
	// local is the answer, which is ours; empty for one of the server.
	local string
	// edit changes the last line of the server's answer, which is then all of it; nil passes all on.
	edit func(line string) string
	// features says that the answer lists them.
	features bool
	// transfers is set by an answer that says so.
	transfers bool
}

// expect notes that an answer will come.
func (s *ftpSession) expect(e *expected) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) >= mostPending {
		return s.fault("too many commands wait for their answers", nil)
	}
	s.pending = append(s.pending, e)
	return nil
}

// say answers in place of the server, once what was asked before has its answers.
func (s *ftpSession) say(text string) error {
	if err := s.expect(&expected{local: text + "\r\n"}); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sayWaiting()
}

// sayWaiting says our answers whose turn it is.
func (s *ftpSession) sayWaiting() error {
	for len(s.pending) > 0 && s.pending[0].local != "" {
		s.moved(0, len(s.pending[0].local))
		if _, err := io.WriteString(s.client, s.pending[0].local); err != nil {
			return err
		}
		s.pending = s.pending[1:]
	}
	return nil
}

func (s *ftpSession) fault(why string, err error) error {
	return &Error{Protocol: "ftp", Why: why, Err: err}
}

// answers passes on what the server says, up to its end.
func (s *ftpSession) answers() error {
	for {
		line, err := s.back.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil {
			return s.fault("the server behind cannot be read", err)
		}
		if err := s.answer(string(line)); err != nil {
			return err
		}
	}
}

// answer passes on one answer, of which the first line is there.
func (s *ftpSession) answer(line string) error {
	if len(line) < 4 || strings.Trim(line[:3], "0123456789") != "" {
		return s.fault(fmt.Sprintf("the server behind does not answer in FTP: %.80q", line), nil)
	}
	s.mu.Lock()
	e := &expected{} // for what nobody asked, as when the server ends by itself
	asked := len(s.pending) > 0
	if asked {
		e = s.pending[0]
	}
	s.mu.Unlock()
	code, more := line[:3], line[3] == '-'
	if code[0] == '1' {
		e.transfers = true
		return s.pass(e, code, line, more, false)
	}
	var failure string
	if e.transfers && code[0] == '2' {
		failure = s.dataFailure()
	}
	if e.edit != nil {
		for more { // the lines before the last may name the server's own address
			b, err := s.back.ReadSlice('\n')
			if err != nil {
				return s.fault("the server behind cannot be read", err)
			}
			line = string(b)
			more = !strings.HasPrefix(line, code+" ")
		}
		line = e.edit(line)
	}
	if err := s.pass(e, code, line, more, failure != ""); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if failure != "" {
		s.moved(0, len(failure)+2)
		if _, err := io.WriteString(s.client, failure+"\r\n"); err != nil {
			return err
		}
	}
	if asked {
		s.pending = s.pending[1:]
	}
	return s.sayWaiting()
}

// pass writes an answer to the client, or swallows it.
func (s *ftpSession) pass(e *expected, code, line string, more, swallow bool) error {
	for first := true; ; first = false {
		last := !more || !first && strings.HasPrefix(line, code+" ")
		if !first && e.features && code == "211" {
			if !last && ownFeature(line) {
				line = ""
			}
			if last {
				line = " AUTH TLS\r\n PBSZ\r\n PROT\r\n" + line
			}
		}
		if !swallow {
			s.moved(0, len(line))
			s.mu.Lock()
			_, err := io.WriteString(s.client, line)
			s.mu.Unlock()
			if err != nil {
				return err
			}
		}
		if last {
			return nil
		}
		b, err := s.back.ReadSlice('\n')
		if err != nil {
			return s.fault("the server behind cannot be read", err)
		}
		line = string(b)
	}
}

// ownFeature reports whether a line of FEAT is about what is answered here.
func ownFeature(line string) bool {
	words := strings.Fields(line)
	if len(words) == 0 {
		return false
	}
	switch strings.ToUpper(words[0]) {
	case "AUTH", "PBSZ", "PROT", "CCC", "SSCN", "CPSV":
		return true
	}
	return false
}

// dataFailure waits until what was transferred is through, and says why it is not; empty if it is.
func (s *ftpSession) dataFailure() string {
	s.mu.Lock()
	d := s.data
	s.mu.Unlock()
	if d == nil || !d.begun.Load() {
		return ""
	}
	select {
	case <-d.done:
		return d.failure
	case <-s.ctx.Done():
		return "426 The session has ended"
	}
}
