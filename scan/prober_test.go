package scan

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// The handshake by hand comes to its end with each suite in each version, and what is
// said under its keys is understood.
func TestEverySuiteIsSpoken(t *testing.T) {
	p := &Prober{}
	for _, s := range suite.All() {
		for _, v := range versions {
			if !s.Allows(v) || s.KeyExchange.PSK() {
				continue
			}
			t.Run(fmt.Sprintf("%v/%v", v, s), func(t *testing.T) {
				t.Parallel()
				at := serveTLS(t, old(t, v, s.ID))
				a := probe(t, p, at, Probe{Hello: Offer(v, s.ID), Until: Complete,
					Then: []Step{SendRecord{Type: wire.ContentApplicationData, Content: []byte("GET / HTTP/1.1\r\n\r\n")},
						Await{Done: func(a *Answer) bool { return bytes.Contains(a.Data(), []byte("\r\n\r\n")) }}}})
				if a.End != Reached || a.Version != v || a.Suite != s.ID || !a.Done {
					t.Fatalf("%v: %v; %v, %v", a.End, a.Err, a.Version, a.Suite)
				}
				if data := a.Data(); !bytes.HasPrefix(data, []byte("HTTP/1.1 200")) {
					t.Errorf("the answer is %q", data)
				}
				if with := len(a.Certificates) > 0; s.KeyExchange != wire.KeyExchangeNone && with != s.KeyExchange.Certificate() {
					t.Errorf("certificates: %v", with)
				}
				c := &explain.Collector{}
				a.Replay(c.Hooks(), nil)
				if account := c.Connection(explain.About{Captured: true}); account.Summary.Version != v.String() {
					t.Errorf("the account says %q", account.Summary.Version)
				}
			})
		}
	}
}

func TestHelloRetryIsAnswered(t *testing.T) {
	config := old(t, wire.TLS13)
	config.CurvePreferences, config.HelloRetryCookie = []tls.CurveID{tls.CurveP384}, true
	h := Offer(wire.TLS13)
	h.Shares = nil
	a := probe(t, &Prober{}, serveTLS(t, config), Probe{Hello: h, Until: Complete})
	if a.End != Reached || a.Retry == nil || a.Group != wire.GroupP384 || len(a.Certificates) == 0 {
		t.Fatalf("%v: %v, group %v", a.End, a.Err, a.Group)
	}
}

// Sessions of every kind are taken again by the server that gave them.
func TestSessionsAreResumed(t *testing.T) {
	for _, v := range []wire.Version{wire.TLS13, wire.TLS12, wire.TLS10, wire.SSL30} {
		for _, tickets := range []bool{true, false} {
			if v == wire.SSL30 && tickets || v == wire.TLS13 && !tickets {
				continue
			}
			config := old(t, v)
			config.SessionTicketsDisabled, config.Resumption.Store = !tickets, session.NewMemory(1<<20)
			at := serveTLS(t, config)
			first := probe(t, &Prober{}, at, Probe{Hello: Offer(v), Until: Complete,
				Then: []Step{SendRecord{Type: wire.ContentApplicationData, Content: []byte("\n")}}, Linger: time.Second})
			if len(first.Sessions) == 0 {
				t.Fatalf("%v: no session; %v %v %v", v, first.End, first.Err, len(first.Messages))
			}
			h := Offer(v)
			h.Resume = first.Sessions[0]
			a := probe(t, &Prober{}, at, Probe{Hello: h, Until: Complete})
			if a.End != Reached || !a.Resumed {
				t.Errorf("%v, tickets %v: %v %v, resumed %v", v, tickets, a.End, a.Err, a.Resumed)
			}
		}
	}
}

// What a hello may look like on its way: records of one byte, pieces of one, records of
// another version, a message of a set length.
func TestHelloTakesEveryShape(t *testing.T) {
	at := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{certificate(t, devca.ECDSA)}})
	shapes := map[string]func(*Probe){
		"split":   func(p *Probe) { p.Split = []int{1, 2, 3} },
		"pieces":  func(p *Probe) { p.Pieces = []int{1, 1, 6} },
		"record":  func(p *Probe) { p.Hello.Record = wire.TLS12 },
		"length":  func(p *Probe) { p.Hello.Length = 4000 },
		"without": func(p *Probe) { p.Hello.Without = []wire.ExtensionType{wire.ExtSCT} },
		"extra":   func(p *Probe) { p.Hello.Extra = []wire.Extension{{Type: 0x7a7a, Data: []byte("x")}} },
	}
	for name, change := range shapes {
		what := Probe{Hello: Modern(), Until: Complete}
		change(&what)
		a := probe(t, &Prober{}, at, what)
		if a.End != Reached || a.Version != wire.TLS13 {
			t.Errorf("%s: %v: %v", name, a.End, a.Err)
		}
		if raw := wire.AppendMessage(nil, a.Client, wire.Context{}); name == "length" && len(raw) != 4000 {
			t.Errorf("the hello has %d bytes", len(raw))
		}
		if name == "without" && a.Client.Extensions.Has(wire.ExtSCT) || name == "extra" && !a.Client.Extensions.Has(0x7a7a) {
			t.Errorf("%s: the hello has %v", name, a.Client.Extensions)
		}
	}
}

// How things end is told apart.
func TestEndsAreToldApart(t *testing.T) {
	closedPort := func() Target {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return Target{Address: l.Addr().String()}
	}
	read := func(then func(net.Conn)) Target {
		return serve(t, func(c net.Conn) {
			io.ReadAtLeast(c, make([]byte, 1024), 16)
			then(c)
		})
	}
	say := func(s string) Target { return read(func(c net.Conn) { io.WriteString(c, s); io.Copy(io.Discard, c) }) }
	endless := func(s string) Target {
		return read(func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, strings.Repeat(s, 1000)); err != nil {
					return
				}
			}
		})
	}
	long := "\x16\x03\x03\x40\x00\x0b\x7f\xff\xff" + strings.Repeat("a", 1<<14-4)
	tests := []struct {
		name string
		at   Target
		end  Kind
	}{
		{"refused", closedPort(), Refused},
		{"no such name", Target{Address: "no-such-host.invalid:443"}, Unresolved},
		{"closed", read(func(net.Conn) {}), Closed},
		{"reset", read(func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }), Reset},
		{"silent", read(func(c net.Conn) { io.Copy(io.Discard, c) }), TimedOut},
		{"alert", say("\x15\x03\x03\x00\x02\x02\x28"), Alerted},
		{"HTTP", say("HTTP/1.1 400 Bad Request\r\n\r\n"), NotTLS},
		{"two bytes", read(func(c net.Conn) { io.WriteString(c, "no") }), NotTLS},
		{"certificate first", say("\x16\x03\x03\x00\x07\x0b\x00\x00\x03\x00\x00\x00"), Malformed},
		{"long message", say(long), TooMuch},
		{"warnings", endless("\x15\x03\x03\x00\x02\x01\x70"), TooMuch},
		{"empty records", endless("\x16\x03\x03\x00\x00"), TooMuch},
		{"SSL 2.0", say("\x80\x0f\x04\x00\x01\x00\x02\x00\x00\x00\x03\x00\x01\x01\x00\x80\x07"), NotTLS},
	}
	for _, test := range tests {
		p := &Prober{Timeout: 200 * time.Millisecond, MaxBytes: 100 << 10}
		if test.end != TimedOut {
			p.Timeout = 5 * time.Second
		}
		a := probe(t, p, test.at, Probe{Hello: Offer(wire.TLS12), Until: Flight})
		if a.End != test.end || a.Err == nil {
			t.Errorf("%s: %v: %v", test.name, a.End, a.Err)
		}
		if got := len(a.Received()); got > p.MaxBytes {
			t.Errorf("%s: %d bytes were read", test.name, got)
		}
		if test.name == "HTTP" && !bytes.HasPrefix(a.Begin, []byte("HTTP/")) {
			t.Errorf("it begins with %q", a.Begin)
		}
	}
}

func TestSSL2IsUnderstood(t *testing.T) {
	at := serve(t, func(c net.Conn) {
		got := make([]byte, 200)
		n, _ := c.Read(got)
		if n < 3 || got[0]&0x80 == 0 || got[2] != 1 {
			return
		}
		io.WriteString(c, "\x80\x10\x04\x00\x01\x00\x02\x00\x00\x00\x03\x00\x02\x01\x00\x80\x07\x08")
		io.Copy(io.Discard, c)
	})
	a := probe(t, &Prober{}, at, Probe{Hello: OfferSSL2()})
	if a.End != Reached || a.SSL2 == nil || a.SSL2.Suites[0] != 0x010080 || string(a.SSL2.ID) != "\x07\x08" {
		t.Fatalf("%v: %v, %+v", a.End, a.Err, a.SSL2)
	}
}

// The format alone is not the version: what is asked for in SSL 2.0's format can be a
// later one.
func TestSSL2FormatForLaterVersions(t *testing.T) {
	at := serveTLS(t, old(t, wire.TLS12, wire.TLS_RSA_WITH_AES_128_CBC_SHA))
	h := Hello{SSL2: true, Version: wire.TLS12, Suites: []wire.CipherSuite{wire.TLS_RSA_WITH_AES_128_CBC_SHA}}
	a := probe(t, &Prober{}, at, Probe{Hello: h, Until: Complete})
	if a.End != Reached || a.Version != wire.TLS12 {
		t.Fatalf("%v: %v", a.End, a.Err)
	}
}

// A server gets no more connections at once than it may, and not faster.
func TestLimitsAreKept(t *testing.T) {
	var now, most, all atomic.Int32
	at := serve(t, func(c net.Conn) {
		all.Add(1)
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		io.ReadAtLeast(c, make([]byte, 1024), 16)
		time.Sleep(5 * time.Millisecond) // long enough for others to come in between
		now.Add(-1)
	})
	p := &Prober{Strict: true, Connections: 2, Rate: 100}
	began := time.Now()
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() { p.Do(t.Context(), at, Probe{Hello: Modern()}) })
	}
	wait.Wait()
	if most.Load() > 2 || all.Load() != 20 {
		t.Errorf("%d connections, %d at once", all.Load(), most.Load())
	}
	if took := time.Since(began); took < 190*time.Millisecond {
		t.Errorf("20 connections at 100 a second took %v", took)
	}
}

// A server that refuses after it has taken others is given time.
func TestRefusalsAreGivenTime(t *testing.T) {
	var dialled atomic.Int32
	refuse := &net.OpError{Op: "dial", Err: fmt.Errorf("too many")}
	p := &Prober{Dial: func(context.Context, Target) (net.Conn, error) {
		if n := dialled.Add(1); n == 2 || n == 3 {
			return nil, refuse
		}
		ours, theirs := net.Pipe()
		go func() { io.ReadAtLeast(theirs, make([]byte, 16), 1); theirs.Close() }()
		return ours, nil
	}}
	at := Target{Address: "127.0.0.1:1"}
	probe(t, p, at, Probe{Hello: Modern()})
	began := time.Now()
	a := probe(t, p, at, Probe{Hello: Modern()})
	if a.End != Closed || dialled.Load() != 4 {
		t.Errorf("%v after %d connections", a.End, dialled.Load())
	}
	if took := time.Since(began); took < firstBackOff+2*firstBackOff {
		t.Errorf("tried again after %v", took)
	}
}

// The probes of other stacks' servers come to their end as well.
func TestOpenSSLIsSpokenTo(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl")
	}
	at := opensslServer(t, certificate(t, devca.RSA), "-tls1_2")
	for _, s := range []wire.CipherSuite{wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, wire.TLS_DHE_RSA_WITH_AES_256_CBC_SHA, wire.TLS_RSA_WITH_AES_128_CBC_SHA256} {
		h := Offer(wire.TLS12, s)
		h.Ask = append(h.Ask, wire.ExtEncryptThenMAC)
		a := probe(t, &Prober{}, at, Probe{Hello: h, Until: Complete})
		if a.End != Reached || a.Suite != s {
			t.Errorf("%v: %v: %v", s, a.End, a.Err)
		}
	}
}

// The host of a request is an address in brackets where it has colons. RFC 9110 §7.2.
func TestHostOfARequest(t *testing.T) {
	for at, want := range map[Target]string{
		{Address: "[2001:db8::1]:443"}:                      "[2001:db8::1]",
		{Address: "[2001:db8::1]:443", Name: "2001:db8::1"}: "[2001:db8::1]",
		{Address: "[fe80::1%eth0]:443"}:                     "[fe80::1]",
		{Address: "192.0.2.7:443"}:                          "192.0.2.7",
		{Address: "192.0.2.7:443", Name: "example.test"}:    "example.test",
	} {
		if got := string((&audit{at: at}).request()); !strings.Contains(got, "\r\nHost: "+want+"\r\n") {
			t.Errorf("%+v: %q", at, got)
		}
	}
}
