package diagnose

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Also is what is known beside an account.
type Also struct {
	// Err is why the connection failed, as the connection or its dialler returned it. Without
	// it the account's own words are all there is, as of a trace.
	Err error
	// Now is the time by the clock of the traced side; zero for that of the account and, where
	// it has none, for time.Now.
	Now time.Time
}

// unsaid begins the warning of an account that has the words of the other side too.
const unsaid = "what the alert does not say: "

// ending is how a connection ended, where neither an alert nor close_notify says so.
type ending string

const (
	endReset       ending = "reset"
	endClosed      ending = "closed"
	endSilent      ending = "silent" // nothing came in time
	endRefused     ending = "refused"
	endUnreachable ending = "unreachable"
	endNoName      ending = "no such name"
	endDNS         ending = "no answer of the DNS"
)

// ended is one way in which a connection ends.
type ended struct {
	end   ending
	is    func(error) bool
	words string
}

// endings tell by an error how a connection ended, or by its words, which are those of the
// command and stand in saved accounts.
var endings = []ended{
	{endNoName, func(err error) bool { e, ok := errors.AsType[*net.DNSError](err); return ok && e.IsNotFound }, "there is no host of the name"},
	{endDNS, func(err error) bool { _, ok := errors.AsType[*net.DNSError](err); return ok }, "could not be looked up"},
	{endRefused, func(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }, "refused the connection"},
	{endUnreachable, func(err error) bool {
		return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH)
	}, "no network leads to"},
	{endReset, func(err error) bool { return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) }, "closed by force"},
	{endSilent, func(err error) bool {
		n, ok := errors.AsType[net.Error](err)
		return ok && n.Timeout() || errors.Is(err, context.DeadlineExceeded)
	}, "no answer came in time"},
	{endSilent, func(error) bool { return false }, "the handshake took too long"},
	{endClosed, func(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }, "closed the connection"},
	{endClosed, func(error) bool { return false }, "without close_notify"},
}

// chain is what one side has shown of itself.
type chain struct {
	certs []parsed
	event int // of the message; -1 for none
	empty bool
	// staple is the OCSP response that came with the first certificate; nil for none.
	staple []byte
}

// facts are gathered once, before the rules look at them.
type facts struct {
	c    *explain.Connection
	also Also
	now  time.Time
	us   wire.Role // the traced side
	// spoke is set where a record of that side came.
	clientSpoke, serverSpoke bool
	serverSaid               bool // application data

	hello    *hello
	helloAt  int
	answer   *wire.ServerHello // nil without one; a HelloRetryRequest is none
	answerAt int
	retry    bool
	version  wire.Version
	suite    wire.CipherSuite

	server, client chain
	request        *wire.CertificateRequest
	requestAt      int
	exchange       *wire.ServerKeyExchange
	exchangeAt     int
	finished       [wire.Server + 1]bool // by sender

	alert   *explain.Alert // the last that is none of a close
	alertAt int
	refused *explain.Record // by the traced side
	at      int             // of refused
	choices map[string]*explain.Choice
	ended   map[string]bool // sides whose direction a capture saw closed
	// closedFirst is set where the client sent close_notify while the server's direction was open.
	closedFirst bool

	handshake *tls.HandshakeError
	refusal   *certcheck.Error
	end       ending
	why       string // the words of the failure, and of the alert that we sent
}

// gather reads an account; c may be nil, where nothing was said.
func gather(c *explain.Connection, also Also) *facts {
	if c == nil {
		c = &explain.Connection{Side: wire.Client.String()}
	}
	f := &facts{c: c, also: also, us: wire.Client, helloAt: -1, answerAt: -1, requestAt: -1, exchangeAt: -1, alertAt: -1, at: -1,
		server: chain{event: -1}, client: chain{event: -1}, choices: map[string]*explain.Choice{}, ended: map[string]bool{}}
	if c.Side == wire.Server.String() {
		f.us = wire.Server
	}
	f.now = also.Now
	if f.now.IsZero() {
		f.now = c.Start()
	}
	if f.now.IsZero() {
		f.now = time.Now()
	}
	for i := range c.Events {
		f.event(i, &c.Events[i])
	}
	if f.hello == nil && f.refused != nil && isHTTPRequest(f.refused.Wire) {
		f.us = wire.Server // an account without a hello does not say so itself
	}
	f.handshake, _ = errors.AsType[*tls.HandshakeError](also.Err)
	f.refusal, _ = errors.AsType[*certcheck.Error](also.Err)
	f.why = c.Failure
	if f.handshake != nil {
		f.why = f.handshake.Error()
	} else if also.Err != nil && f.why == "" {
		f.why = also.Err.Error()
	}
	if f.alert != nil && f.alert.Reason != "" {
		f.why = f.alert.Reason + "; " + f.why
	}
	for _, w := range c.Warnings {
		if said, ok := strings.CutPrefix(w, unsaid); ok {
			f.why += "; " + said
		}
	}
	f.ending()
	return f
}

// event takes in one event.
func (f *facts) event(i int, e *explain.Event) {
	switch {
	case e.Record != nil && e.Record.Refused != "":
		f.refused, f.at = e.Record, i
	case e.Record != nil:
		f.clientSpoke = f.clientSpoke || e.Record.From == wire.Client.String()
		f.serverSpoke = f.serverSpoke || e.Record.From == wire.Server.String()
		f.serverSaid = f.serverSaid || e.Record.From == wire.Server.String() && e.Record.Type == wire.ContentApplicationData.String()
	case e.Message != nil:
		f.message(i, e.Message)
	case e.Choice != nil:
		f.choices[e.Choice.What] = e.Choice
	case e.Alert != nil && e.Alert.Code != wire.AlertCloseNotify.String():
		f.alert, f.alertAt = e.Alert, i
	case e.Alert != nil && e.Alert.From == wire.Client.String():
		f.closedFirst = f.closedFirst || !f.ended[wire.Server.String()]
	case e.End != nil:
		f.ended[e.End.From] = true
	}
}

// message takes in one handshake message.
func (f *facts) message(i int, m *explain.Message) {
	from := wire.Client
	if m.From == wire.Server.String() {
		from = wire.Server
	}
	if h := readHello(m.Raw); h != nil && from == wire.Client {
		f.hello, f.helloAt = h, i
		return
	}
	ctx := wire.Context{Version: f.version, From: from}
	if s := suiteOf(f.suite); s != nil {
		ctx.KeyExchange = s.KeyExchange
	}
	raw := m.Raw
	if m.Inner != nil && m.Inner.Name == "Certificate" { // compressed
		raw = m.Inner.Raw
	}
	body, err := wire.DecodeMessage(raw, ctx, nil)
	if err != nil {
		return
	}
	switch p := body.(type) {
	case *wire.ServerHello:
		f.serverHello(i, p)
	case *wire.Certificate:
		side := &f.client
		if from == wire.Server {
			side = &f.server
		}
		*side = readChain(p, i)
	case *wire.CertificateStatus:
		f.of(from).staple = p.Response
	case *wire.CertificateRequest:
		f.request, f.requestAt = p, i
	case *wire.ServerKeyExchange:
		f.exchange, f.exchangeAt = p, i
	case *wire.Finished:
		f.finished[from] = true
	}
}

func (f *facts) serverHello(i int, p *wire.ServerHello) {
	f.version, f.suite = p.LegacyVersion, p.CipherSuite
	_, _ = p.Extensions.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { f.version = wire.U16[wire.Version](r, "selected_version") })
	if p.IsRetry() {
		f.retry = true
		return
	}
	f.answer, f.answerAt = p, i
}

// ending finds out how it ended: by the error, by what a capture saw, by the account's words.
func (f *facts) ending() {
	for _, e := range endings {
		switch {
		case f.end != "":
			return
		case f.also.Err != nil && e.is(f.also.Err), f.also.Err == nil && strings.Contains(f.c.Failure, e.words):
			f.end = e.end
		}
	}
	if f.end == "" && f.also.Err == nil && f.c.Captured && len(f.ended) > 0 && !f.c.Summary.Complete {
		f.end = endClosed
	}
}

// peer is the side that is not the traced one.
func (f *facts) peer() wire.Role { return f.us.Peer() }

// sent reports that a side ended the connection with one of these alerts.
func (f *facts) sent(from wire.Role, codes ...wire.AlertCode) bool {
	return f.alert != nil && f.alert.From == from.String() &&
		slices.ContainsFunc(codes, func(c wire.AlertCode) bool { return c.String() == f.alert.Code })
}

// says reports that the words of the failure have one of these in them. It is for what the
// engine says of rules that have no type of their own.
func (f *facts) says(words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(f.why, w) })
}

// of is the chain that a side has shown.
func (f *facts) of(side wire.Role) *chain {
	if side == wire.Server {
		return &f.server
	}
	return &f.client
}

// rule is the rule by which the traced side has refused its peer's certificates; empty where
// it has not, or none of them is why.
func (f *facts) rule() string {
	switch {
	case f.refusal != nil && f.refusal.Rule != nil:
		return f.refusal.Rule.Name
	case f.refusal == nil && f.c.Verdict != nil && !f.c.Verdict.Accepted && f.refusedPeer():
		return f.c.Verdict.Rule
	}
	return ""
}

// refusedPeer reports that the traced side has refused its peer's certificates, for any reason.
func (f *facts) refusedPeer() bool {
	return f.refusal != nil || f.sent(f.us, aboutCertificates...) && f.of(f.peer()).event >= 0
}

// reason is why, in words.
func (f *facts) reason() string {
	switch {
	case f.refusal != nil:
		return f.refusal.Reason
	case f.c.Verdict != nil && !f.c.Verdict.Accepted:
		return f.c.Verdict.Sentence
	}
	return ""
}

// aboutCertificates are the alerts about a certificate, or its absence.
var aboutCertificates = []wire.AlertCode{
	wire.AlertNoCertificate, wire.AlertBadCertificate, wire.AlertUnsupportedCertificate, wire.AlertCertificateRevoked,
	wire.AlertCertificateExpired, wire.AlertCertificateUnknown, wire.AlertUnknownCA, wire.AlertCertificateRequired,
	wire.AlertBadCertificateStatusResponse,
}

// atEvent is evidence that event i shows.
func (f *facts) atEvent(i int, field, says string) Evidence {
	e := Evidence{Says: says, Event: i, Field: field}
	if i < 0 || i >= len(f.c.Events) {
		e.Event = -1
		return e
	}
	switch ev := f.c.Events[i]; {
	case ev.Record != nil:
		e.Record = ev.Record.Number
	case ev.Message != nil:
		e.Message = ev.Message.Name
		if len(ev.Message.Pieces) > 0 {
			e.Record = ev.Message.Pieces[0].Record
		}
	case ev.Alert != nil:
		e.Message = "alert"
	}
	return e
}

// alertEvidence says which alert it was.
func (f *facts) alertEvidence() Evidence {
	return f.atEvent(f.alertAt, "", "the "+f.alert.From+" sent the alert "+f.alert.Code)
}
