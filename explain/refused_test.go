package explain

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// refusedOf are the refused records of an account, each of which must be a rung
// of the ladder that stands out, and in no count of what was opened.
func refusedOf(t *testing.T, c *Connection) (all []*Record) {
	t.Helper()
	opened := 0
	for _, e := range c.Events {
		switch r := e.Record; {
		case r != nil && r.Refused != "":
			all = append(all, r)
		case r != nil && r.Epoch > 0:
			opened++
		}
	}
	rungs := 0
	for _, f := range c.Flights {
		for _, r := range f.Rungs {
			if r.Name == "✗ refused" && r.Mood == Bad {
				rungs++
			}
		}
	}
	if rungs != len(all) || c.Checks.Records != opened {
		t.Errorf("%d are refused: %d rungs say so, and %d of %d others are opened again", len(all), rungs, c.Checks.Records, opened)
	}
	return all
}

func mustSay(t *testing.T, text string, wants ...string) {
	t.Helper()
	text = strings.Join(strings.Fields(text), " ")
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

// What a server says that does not speak TLS is shown.
func TestPlainHTTP(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	raw, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var collector Collector
	failure := tls.Client(raw, &tls.Config{ServerName: "localhost", Trace: collector.Hooks()}).Handshake()
	if failure == nil {
		t.Fatal("a handshake with plain HTTP")
	}
	account := collector.Connection(About{Err: failure})
	all := refusedOf(t, account)
	if len(all) != 1 || !bytes.HasPrefix(all[0].Wire, []byte("HTTP/1.1 400 Bad Request\r\n")) || all[0].Type != "" || len(all[0].Header) > 0 {
		t.Fatalf("refused are %+v", all)
	}
	if account.Flights[1].Records != 0 || !account.Checks.OK() {
		t.Errorf("the answer counts as %d records; failures %q", account.Flights[1].Records, account.Checks.Failures)
	}
	mustSay(t, render(t, account, look{}), "bytes that are not TLS:", `"HTTP/1.1 400 Bad Request"`,
		"48545450 2f312e31 20343030 20426164 HTTP/1.1 400 Bad", "reason the server speaks HTTP here, not TLS")
}

// flipper flips a bit of the next record that is read, once it is armed.
type flipper struct {
	net.Conn
	armed bool
	rest  []byte
}

func (f *flipper) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		var header [wire.RecordHeaderLen]byte
		if _, err := io.ReadFull(f.Conn, header[:]); err != nil {
			return 0, err
		}
		rec := append(header[:], make([]byte, int(header[3])<<8|int(header[4]))...)
		if _, err := io.ReadFull(f.Conn, rec[len(header):]); err != nil {
			return 0, err
		}
		if f.armed {
			rec[len(rec)-1] ^= 1
			f.armed = false
		}
		f.rest = rec
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// tampered makes a connection on which one record of the server's is changed
// after the handshake.
func tampered(t *testing.T, change func(*pair)) *Connection {
	t.Helper()
	p := newPair(t)
	p.server.SessionTicketsDisabled = true
	if change != nil {
		change(p)
	}
	left, right := net.Pipe()
	defer left.Close()
	go func() {
		conn := tls.Server(right, p.server)
		defer conn.Close()
		io.Copy(conn, conn)
	}()
	var collector Collector
	p.client.Trace = collector.Hooks()
	between := &flipper{Conn: left}
	conn := tls.Client(between, p.client)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	between.armed = true
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	_, failure := conn.Read(make([]byte, 10))
	if failure == nil {
		t.Fatal("nobody minds the bit")
	}
	return collector.Connection(About{Err: failure})
}

// A record with one bit changed is shown with its header and bytes; that it does
// not open with the re-derived keys either is no disagreement.
func TestTampered(t *testing.T) {
	for name, change := range map[string]func(*pair){
		"1.3": nil,
		"1.2": func(p *pair) { p.client.MaxVersion = tls.VersionTLS12 },
		"CBC": func(p *pair) {
			p.client.MaxVersion, p.client.Legacy.NoEncryptThenMAC = tls.VersionTLS12, true
			p.client.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256}
			p.server.CipherSuites = p.client.CipherSuites
		},
		"RC4": func(p *pair) {
			p.client.MaxVersion, p.client.Legacy.RC4, p.server.Legacy.RC4 = tls.VersionTLS12, true, true
			p.client.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}
			p.server.CipherSuites = p.client.CipherSuites
		},
		"DEFLATE": func(p *pair) {
			p.client.MaxVersion, p.client.Legacy.Compression, p.server.Legacy.Compression = tls.VersionTLS12, true, true
		},
	} {
		t.Run(name, func(t *testing.T) {
			account := tampered(t, change)
			account.mustAgree(t)
			all := refusedOf(t, account)
			if len(all) != 1 || len(all[0].Header) != 3 || all[0].Type != "application_data" || len(all[0].Plain) > 0 || all[0].Check.Result != Given {
				t.Fatalf("refused are %+v", all)
			}
			mustSay(t, render(t, account, look{}), "✗ refused record that does not open", "✗ refused: record that does not open",
				"legacy_record_version", fmt.Sprintf("%x %x %x %x", []byte(all[0].Wire[:4]), []byte(all[0].Wire[4:8]), []byte(all[0].Wire[8:12]), []byte(all[0].Wire[12:16])), "reason the record does not open", "does not open with the re-derived keys either")
		})
	}
}

// The engine's refusal is held against the re-derived keys too.
func TestRefusedThatOpens(t *testing.T) {
	refuse := func(e any) any {
		if r, ok := e.(trace.Record); ok && r.Type == wire.ContentApplicationData && r.Dir == trace.Received {
			r.Plain, r.Err = nil, errors.New("tls: the record does not open")
			return r
		}
		return e
	}
	c := collect(t, readTape(t, "rfc8448-simple.txt"), refuse).Connection(About{})
	if len(c.Checks.Failures) != 1 || !strings.Contains(c.Checks.Failures[0], "refused, and yet it opens with the re-derived keys: 50 bytes of application_data") {
		t.Errorf("failures: %q", c.Checks.Failures)
	}
}

// Whatever was refused, it is shown.
func TestRefusedGarbage(t *testing.T) {
	for _, c := range []struct {
		wire []byte
		want string
	}{
		{nil, "0 bytes that are not TLS"},
		{[]byte{22, 3, 3}, "3 bytes that are not TLS"},
		{[]byte{22, 3, 3, 0xff, 0xff, 9}, "✗ refused: record that breaks the rules"},
		{[]byte{25, 3, 3, 0, 1, 9}, "type: content_type(0x19)"},
		{[]byte("220 \x1b[2Jmail"), "12 bytes that are not TLS from"},
		{bytes.Repeat([]byte("x"), 1000), "… 488 bytes more"},
	} {
		for epoch := range 2 {
			var collector Collector
			collector.Hooks().Record(trace.Record{Dir: trace.Received, Epoch: epoch, Wire: c.wire, Err: errors.New("no")})
			account := collector.Connection(About{})
			mustSay(t, render(t, account, look{}), c.want)
			if len(refusedOf(t, account)) != 1 || !account.Checks.OK() {
				t.Errorf("%q: %+v", c.wire, account.Checks)
			}
		}
	}
}
