package scan

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// quiet is how long is waited for what need not come.
const quiet = 150 * time.Millisecond

// goodbye ends a connection as clients do: servers forget sessions of one that broke off.
// RFC 5246 §7.2.1.
var goodbye = []Step{CloseNotify{}}

// completable are the suites of a version by which a probe can complete a handshake.
func (x *audit) completable(v wire.Version) []wire.CipherSuite {
	return slices.DeleteFunc(slices.Clone(x.suites[v]), func(id wire.CipherSuite) bool {
		s := suite.ByID(id)
		return s == nil || s.KeyExchange.PSK()
	})
}

// sessions12 looks at session IDs and tickets up to TLS 1.2, and notes what hellos are
// answered with.
func (x *audit) sessions12(ctx context.Context) {
	v := x.best12()
	suites := x.completable(v)
	if len(suites) == 0 {
		return
	}
	h := x.offer(v, suites...)
	if v > wire.SSL30 {
		h.Ask = append(h.Ask, wire.ExtEncryptThenMAC, wire.ExtMaxFragmentLength)
	}
	a := x.do(ctx, Probe{Name: "a whole handshake", Hello: h, Until: Complete, Then: goodbye})
	if a == nil || a.Server == nil {
		return
	}
	x.extensions(a)
	x.client(a)
	x.mu.Lock()
	x.classic = a
	x.mu.Unlock()
	ticket := slices.IndexFunc(a.Sessions, func(s *Session) bool { return len(s.Ticket) > 0 })
	x.set("session tickets up to TLS 1.2", x.resumed12(ctx, h, a, ticket))
	h.Without = append(h.Without, wire.ExtSessionTicket)
	b := x.do(ctx, Probe{Name: "a session ID", Hello: h, Until: Complete, Then: goodbye})
	if b == nil || b.Server == nil {
		return
	}
	id := slices.IndexFunc(b.Sessions, func(s *Session) bool { return len(s.ID) > 0 })
	x.set("session IDs", x.resumed12(ctx, h, b, id))
}

// resumed12 tries a session out, and says how it went.
func (x *audit) resumed12(ctx context.Context, h Hello, a *Answer, which int) string {
	if which < 0 {
		return "no"
	}
	s := a.Sessions[which]
	h.Resume = s
	b := x.do(ctx, Probe{Name: "a session taken up again", Hello: h, Until: Complete})
	lifetime := ""
	if s.Lifetime > 0 {
		lifetime = ", for " + hours(s.Lifetime)
	}
	switch {
	case b == nil:
		return "yes" + lifetime
	case !b.Resumed:
		return "yes" + lifetime + "; not taken again"
	}
	return "yes" + lifetime + "; taken again"
}

// sessions13 looks at tickets of TLS 1.3, and at early data.
func (x *audit) sessions13(ctx context.Context) {
	suites := x.completable(wire.TLS13)
	if len(suites) == 0 {
		return
	}
	h := x.offer13(suites)
	a := x.do(ctx, Probe{Name: "tickets of TLS 1.3", Hello: h, Until: Complete, Then: x.untilTicket(wire.TLS13)})
	if a == nil || a.Server == nil {
		return
	}
	x.extensions(a)
	x.client(a)
	if len(a.Sessions) == 0 {
		x.set("tickets of TLS 1.3", "no")
		return
	}
	s := a.Sessions[0]
	h.Resume = s
	b := x.do(ctx, Probe{Name: "a ticket of TLS 1.3", Hello: h, Until: Flight})
	value := "yes, for " + hours(s.Lifetime)
	if b != nil && b.Resumed {
		value += "; taken again"
	} else {
		value += "; not taken again"
	}
	x.set("tickets of TLS 1.3", value)
	if s.EarlyData == 0 {
		x.set("early data (0-RTT)", "no")
		return
	}
	x.set("early data (0-RTT)", fmt.Sprintf("yes, up to %d bytes", s.EarlyData))
	x.found("early-data", a, fmt.Sprintf("its ticket allows %d bytes of early data", s.EarlyData))
}

// offer13 is a hello of TLS 1.3 that most servers answer at once.
func (x *audit) offer13(suites []wire.CipherSuite) Hello {
	h := Offer(wire.TLS13, suites...)
	h.Groups = classical()
	h.Shares = []wire.NamedGroup{wire.GroupX25519, wire.GroupP256}
	return h
}

// extensions notes which the server answers.
func (x *audit) extensions(a *Answer) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range a.Extensions {
		if name := e.Type.String(); !slices.Contains(x.r.Extensions, name) {
			x.r.Extensions = append(x.r.Extensions, name)
		}
	}
}

// client notes a request for a certificate.
func (x *audit) client(a *Answer) {
	if a.Request == nil {
		return
	}
	r := &ClientReport{Required: a.End != Reached || a.After == Alerted}
	schemes := a.Request.SignatureSchemes
	a.Request.Extensions.Read(wire.ExtSignatureAlgorithms, func(in *wire.Reader) { schemes = wire.ReadSignatureAlgorithms(in, nil) })
	authorities := a.Request.Authorities
	a.Request.Extensions.Read(wire.ExtCertificateAuthorities, func(in *wire.Reader) { authorities = wire.ReadAuthorities(in, 3, nil) })
	for _, s := range schemes {
		r.Schemes = append(r.Schemes, s.String())
	}
	for _, der := range authorities {
		if len(r.Authorities) < maxAuthorities {
			r.Authorities = append(r.Authorities, distinguished(der))
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.r.Client == nil || r.Required {
		x.r.Client = r
	}
}

// maxAuthorities is how many names of a request are kept.
const maxAuthorities = 64

// request is a request of HTTP to the server's first page, or an empty line where the
// server speaks something else.
func (x *audit) request() []byte {
	if !x.speaksHTTP() {
		return []byte("\r\n")
	}
	host := x.at.Name
	if host == "" {
		host = x.at.host()
	}
	// What was given as a name goes into a line.
	host = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, host)
	if strings.Contains(host, ":") { // RFC 3986 §3.2.2; a zone is of this machine alone
		host, _, _ = strings.Cut(host, "%")
		host = "[" + host + "]"
	}
	return []byte("GET / HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: vitrine-scan\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br\r\nConnection: close\r\n\r\n")
}

// hours is a lifetime for people, to the minute: "2 hours", "30 minutes".
func hours(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	if minutes%60 == 0 && minutes > 0 {
		return fmt.Sprintf("%d hours", minutes/60)
	}
	return fmt.Sprintf("%d minutes", minutes)
}
