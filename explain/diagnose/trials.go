package diagnose

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// connect makes a whole connection with a changed configuration, and does something with it.
func (t *trialist) connect(asks, address string, change func(*tls.Config), then func(*tls.Conn) (string, error)) (a answer) {
	ctx, cancel := context.WithTimeout(t.ctx, t.way.Patience)
	defer cancel()
	t.begin(asks)
	defer t.note(asks, &a)
	raw, err := t.way.Dial(ctx, address)
	if err != nil {
		a.text = "no connection: " + err.Error()
		return a
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })()
	config := t.way.Config.Clone()
	config.Trace, config.KeyLogWriter, config.ClientSessionCache = nil, nil, nil
	change(config)
	if config.InsecureSkipVerify { // nobody knows who that is: it is shown nothing of ours
		config.Certificates, config.GetClientCertificate = nil, nil
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		a.fails("the handshake failed: ", err)
		return a
	}
	a.agreed, a.text = true, fmt.Sprintf("connected with %v", conn.State().Version)
	if said, err := then(conn); err != nil {
		a.fails(a.text+", and then: ", err)
	} else if said != "" {
		a.text += ", " + said
	}
	conn.Close()
	return a
}

// fails notes why a connection failed.
func (a *answer) fails(how string, err error) {
	a.agreed, a.end = false, scan.Closed
	words := err.Error()
	if code, ok := errors.AsType[tls.AlertError](err); ok {
		a.end, a.alert = scan.Alerted, wire.AlertCode(code)
		words = "alert " + a.alert.String()
	} else if i := slices.IndexFunc(endings, func(e ended) bool { return e.is(err) }); i >= 0 {
		if words = string(endings[i].end); endings[i].end == endSilent {
			words = "nothing came in time"
		}
	}
	a.text = how + words
}

// addresses tries the hello at each address that the name leads to, or a connection alone where
// none was made. first is how the usual one fails.
func (t *trialist) addresses(first *answer) *Verdict {
	const most = 4
	all := t.way.Addresses
	if len(all) < 2 || !t.may(2) {
		return nil
	}
	var well, broken []string
	var evidence []Evidence
	for _, address := range all[:min(len(all), most)] {
		if !t.may(1) {
			break
		}
		var a answer
		if first == nil || t.facts.hello == nil {
			a = t.dial(address)
		} else {
			a = t.try("the same hello, to "+address, t.facts.hello.copyOf(), address, t.recordSize())
		}
		evidence = append(evidence, a.evidence(address+": "+a.text))
		if a.agreed {
			well = append(well, address)
		} else {
			broken = append(broken, address)
		}
	}
	if len(well) == 0 || len(broken) == 0 {
		return nil
	}
	if all6(broken) && !slices.ContainsFunc(well, is6) {
		return t.concludes("ipv6-broken", Certain, "the server fails by IPv6 alone ("+few(broken)+"), and is well by IPv4", evidence...)
	}
	return t.concludes("address-broken", Certain, "of the addresses that the name leads to, "+few(broken)+" fails, and "+few(well)+" is well", evidence...)
}

// dial tries whether an address takes connections.
func (t *trialist) dial(address string) (a answer) {
	asks := "a connection to " + address
	t.begin(asks)
	ctx, cancel := context.WithTimeout(t.ctx, t.way.Patience)
	defer cancel()
	conn, err := t.way.Dial(ctx, address)
	switch {
	case err == nil:
		conn.Close()
		a.agreed, a.text = true, "it takes connections"
	case errors.Is(err, context.DeadlineExceeded):
		a.text = "nothing came in time"
	default:
		a.text = "no connection: " + err.Error()
	}
	t.note(asks, &a)
	return a
}

func all6(list []string) bool {
	return !slices.ContainsFunc(list, func(a string) bool { return !is6(a) })
}

func is6(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.To4() == nil
}

// sniff connects and asks what speaks there, if it is no TLS: it listens, and says a line of
// HTTP.
func (t *trialist) sniff() *Verdict {
	if !t.may(1) {
		return nil
	}
	ctx, cancel := context.WithTimeout(t.ctx, t.way.Patience)
	defer cancel()
	const asks = "a request in the clear"
	t.begin(asks)
	a := answer{text: "nothing came in time"}
	conn, err := t.way.Dial(ctx, "")
	if err != nil {
		a.text = "no connection: " + err.Error()
		t.note(asks, &a)
		return nil
	}
	defer conn.Close()
	defer context.AfterFunc(t.ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	conn.SetDeadline(time.Now().Add(t.way.Patience))
	begin := make([]byte, 64)
	conn.SetReadDeadline(time.Now().Add(t.way.Patience / 4))
	n, err := io.ReadAtLeast(conn, begin, 4)
	if n == 0 && err != nil && t.ctx.Err() == nil {
		conn.SetReadDeadline(time.Now().Add(t.way.Patience))
		_, _ = io.WriteString(conn, "HEAD / HTTP/1.0\r\n\r\n")
		n, err = io.ReadAtLeast(conn, begin, 5)
	}
	if n == 0 && err != nil {
		a.fails("", err)
	}
	record := begin[0] >= 20 && begin[0] <= 23 && begin[1] == 3
	switch {
	case record:
		a.text = "a record of TLS"
	case n > 0:
		a.end, a.text = scan.NotTLS, "no TLS: "+beginning(begin[:n])
		a.got = &scan.Answer{Begin: begin[:n]}
	}
	t.note(asks, &a)
	switch {
	case record && begin[0] != byte(wire.ContentAlert) && t.failed.end == scan.TimedOut:
		return t.concludes("stall", Likely, "the server begins an answer, and not even its first record is there in time: it is slow, or stuck",
			t.failed.evidence("no hello gets a whole answer"), a.evidence("the beginning of a record came"))
	case n == 0 || record:
		return nil
	}
	return t.notTLS(a)
}

// clock asks the server of a certificate that is outside its time what time it is.
func (t *trialist) clock() *Verdict {
	if !t.way.HTTP || !t.may(1) {
		return nil
	}
	var theirs time.Time
	a := t.connect("what time it is there, by HTTP", "", func(c *tls.Config) {
		c.InsecureSkipVerify, c.NextProtos = true, []string{"http/1.1"}
	}, func(conn *tls.Conn) (string, error) {
		fmt.Fprintf(conn, "HEAD / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", t.wanted())
		response, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, 1<<16)), &http.Request{Method: http.MethodHead})
		if err != nil {
			return "no answer of HTTP", nil
		}
		response.Body.Close()
		theirs, _ = http.ParseTime(response.Header.Get("Date"))
		return "Date: " + response.Header.Get("Date"), nil
	})
	if theirs.IsZero() {
		return nil
	}
	const tolerance = time.Hour
	apart := theirs.Sub(t.now)
	if apart.Abs() < tolerance {
		v := t.first
		v.Evidence = append(v.Evidence, a.evidence("the server has the same time: "+onDay(theirs)))
		v.Confidence = Certain
		if v.Cause == "not-yet-valid" {
			v.AtFault = Server
			v.Advice = "have the certificate issued for now, or wait until it begins: the clocks of both sides agree"
		}
		return v
	}
	if t.server.expired(theirs) != nil || t.server.early(theirs) != nil {
		return nil // it is outside its time by both clocks
	}
	how := "behind"
	if apart < 0 {
		how = "ahead"
	}
	return t.concludes("clock-of-client", Likely, fmt.Sprintf("the client's clock is %s %s: by it, it is %s, the server says %s, and by that the certificate is good", days(apart.Abs()), how, onDay(t.now), onDay(theirs)),
		append(t.serverShows("validity"), a.evidence("the server's time"))...)
}

// untrustedTrials look for somebody on the way, and for an intermediate that was not sent.
func (t *trialist) untrustedTrials() *Verdict {
	if v := t.fetchIssuer(); v != nil {
		return v
	}
	if !t.may(1) {
		return nil
	}
	unheard := "vitrine-" + strings.ToLower(rand.Text()[:10]) + ".example"
	var leaf *x509.Certificate
	a := t.connect("for a name that nobody has, "+unheard, "", func(c *tls.Config) { c.InsecureSkipVerify, c.ServerName = true, unheard }, func(conn *tls.Conn) (string, error) {
		chain := conn.ConnectionState().PeerCertificates
		if len(chain) == 0 {
			return "no certificate", nil
		}
		leaf = chain[0]
		return "a certificate for " + few(leaf.DNSNames), nil
	})
	if leaf == nil || leaf.VerifyHostname(unheard) != nil || slices.ContainsFunc(leaf.DNSNames, func(n string) bool { return strings.HasPrefix(n, "*") }) {
		return nil
	}
	return t.concludes("intercepted", Likely, fmt.Sprintf("something on the way ends the connection and signs certificates as they are asked for: for a name that nobody has, the authority %s made one too", whoIssued(leaf)),
		append(t.serverShows("issuer"), a.evidence("it has a certificate for "+unheard))...)
}

// afterSuccess looks for what fails now and then: sessions that some of a fleet do not resume,
// and addresses that are broken.
func (t *trialist) afterSuccess() *Verdict {
	if len(t.way.Addresses) > 1 {
		if v := t.addresses(&answer{}); v != nil {
			return v
		}
	}
	const tries = 6
	if t.way.Config == nil || !t.may(tries+1) {
		return nil
	}
	cache := &oneSession{}
	first := t.connect("a connection, for its session", "", t.sessions(cache), t.hear)
	if !first.agreed || !cache.has() {
		return nil
	}
	resumed := 0
	var last answer
	for range tries {
		did := false
		last = t.connect("the same session again", "", t.sessions(cache), func(conn *tls.Conn) (string, error) {
			if did = conn.ConnectionState().DidResume; did {
				return "resumed", nil
			}
			return "not resumed", nil
		})
		if did {
			resumed++
		}
	}
	if resumed == 0 || resumed == tries {
		return nil
	}
	return t.concludes("ticket-keys", Likely, fmt.Sprintf("one session was resumed %d of %d times: several servers answer, and they do not share the keys of their tickets", resumed, tries), last.evidence("the same session each time"))
}

// sessions has a connection keep and offer sessions.
func (t *trialist) sessions(cache *oneSession) func(*tls.Config) {
	return func(c *tls.Config) {
		c.ClientSessionCache = cache
		if t.way.HTTP {
			c.NextProtos = []string{"http/1.1"}
		}
	}
}

// hear waits a moment for tickets of TLS 1.3, which come behind the handshake, of some servers
// with the first data.
func (t *trialist) hear(conn *tls.Conn) (string, error) {
	if t.way.HTTP {
		fmt.Fprintf(conn, "HEAD / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", t.wanted())
	}
	conn.SetReadDeadline(time.Now().Add(min(t.way.Patience, time.Second)))
	_, _ = conn.Read(make([]byte, 1))
	return "", nil
}

// oneSession keeps the first session that comes, and gives it each time.
type oneSession struct {
	mu      sync.Mutex
	session *tls.ClientSessionState
}

func (o *oneSession) has() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.session != nil
}

func (o *oneSession) Get(string) (*tls.ClientSessionState, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.session, o.session != nil
}

func (o *oneSession) Put(_ string, s *tls.ClientSessionState) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.session == nil {
		o.session = s
	}
}
