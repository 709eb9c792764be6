package tls

import (
	"bytes"
	"context"
	stdtls "crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/vitrine-tls/vitrine/wire"
)

// splitPair is echPair, but the keys are the front's: the server behind has none.
func splitPair(t testing.TB) (client, server *Config, front *ECHFront, key EncryptedClientHelloKey) {
	client, server, key = echPair(t)
	server.EncryptedClientHelloKeys = nil
	return client, server, must(NewECHFront(key)), key
}

// through puts a front between a client's connection and a server's, which are returned. passed is what the front
// has read of the hello, and why it ended.
func through(front *ECHFront, change func(net.Conn) net.Conn) (client, server net.Conn, passed func() (*InnerHello, error)) {
	a, b := memoryPipe()
	c, d := memoryPipe()
	var inner *InnerHello
	var err error // of Accept, or of what it has returned
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer c.Close()
		defer b.Close()
		var conn *ECHConn
		if conn, inner, err = front.Accept(context.Background(), change(b)); err != nil {
			return
		}
		back := make(chan struct{})
		go func() {
			defer close(back)
			defer conn.Close()
			io.Copy(conn, c)
		}()
		if _, err = io.Copy(c, conn); errors.Is(err, net.ErrClosed) {
			err = nil // the two are through
		}
		c.Close()
		<-back
	}()
	return a, d, func() (*InnerHello, error) { <-done; return inner, err }
}

func asItIs(c net.Conn) net.Conn { return c }

// A front opens the hello for a server that has no key, with each stack as client and as server, with a HelloRetryRequest
// and without, and whatever pieces the network makes.
func TestECHFront(t *testing.T) {
	for _, retry := range []bool{false, true} {
		for name, change := range map[string]func(net.Conn) net.Conn{"whole": asItIs, "byte by byte": bytewise} {
			for _, who := range []string{"vitrine alone", "a client of crypto/tls", "a server of crypto/tls"} {
				t.Run(strings.Join([]string{who, name, map[bool]string{true: "retry", false: "at once"}[retry]}, ", "), func(t *testing.T) {
					client, server, front, _ := splitPair(t)
					client.NextProtos, server.NextProtos = []string{"h2", "x"}, []string{"x"}
					if retry {
						client.CurvePreferences, server.CurvePreferences = []CurveID{X25519, CurveP384}, []CurveID{CurveP384}
					}
					a, b, passed := through(front, change)
					var c, s endpoint = Client(a, client), Server(b, server)
					switch who {
					case "a client of crypto/tls":
						std := toStd(client)
						std.EncryptedClientHelloConfigList = client.EncryptedClientHelloConfigList
						c = stdtls.Client(a, std)
					case "a server of crypto/tls":
						s = stdtls.Server(b, toStd(server))
					}
					if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
						t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
					}
					got, behind := c.ConnectionState(), s.ConnectionState()
					if !got.ECHAccepted || got.HelloRetryRequest != retry || behind.ServerName != "example.test" {
						t.Errorf("accepted %v, retry %v; the server is asked for %q", got.ECHAccepted, got.HelloRetryRequest, behind.ServerName)
					}
					talk(t, c, s)
					c.Close()
					s.Close()
					inner, err := passed()
					if err != nil || inner.ServerName != "example.test" || strings.Join(inner.Protocols, " ") != "h2 x" || !wholeHello(inner.Message) {
						t.Errorf("the front has read %+v, %v", inner, err)
					}
				})
			}
		}
	}
}

// bytewise is a client whose bytes come one by one.
func bytewise(c net.Conn) net.Conn { return trickle{c, iotest.OneByteReader(c)} }

type trickle struct {
	net.Conn
	r io.Reader
}

func (c trickle) Read(p []byte) (int, error) { return c.r.Read(p) }

// Write comes in pieces too.
func (c trickle) Write(p []byte) (n int, err error) {
	for ; n < len(p) && err == nil; n++ {
		_, err = c.Conn.Write(p[n : n+1])
	}
	return n, err
}

// Sessions and early data of the inner hello pass through, also where the server asks for a second hello.
func TestECHFrontWithEarlyData(t *testing.T) {
	for _, retry := range []bool{false, true} {
		client, server := earlyPair()
		_, _, front, key := splitPair(t)
		client.EncryptedClientHelloConfigList = must(ECHConfigList(key))
		for i := range 2 {
			if retry {
				client.KeyShares = []CurveID{}
			}
			a, b, passed := through(front, asItIs)
			r := sendEarlyOver(t, a, b, client, server, "early")
			if cs := r.c.ConnectionState(); !cs.ECHAccepted || cs.DidResume != (i == 1) || r.taken != (i == 1 && !retry) {
				t.Errorf("connection %d, retry %v: accepted %v, resumed %v, early data taken %v", i, retry, cs.ECHAccepted, cs.DidResume, r.taken)
			}
			a.Close()
			b.Close()
			if _, err := passed(); err != nil {
				t.Error(err)
			}
		}
	}
}

// What no key opens passes as it came, and the server of the public name answers it.
func TestECHFrontWithoutAKey(t *testing.T) {
	client, server, _, key := splitPair(t)
	front := must(NewECHFront(must(GenerateECHKey(publicName, ECHKeyOptions{}))))
	server.EncryptedClientHelloKeys = []EncryptedClientHelloKey{key}
	for _, list := range [][]byte{client.EncryptedClientHelloConfigList, nil} {
		client.EncryptedClientHelloConfigList = list
		a, b, passed := through(front, asItIs)
		c, s := Client(a, client), Server(b, server)
		if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		if c.ConnectionState().ECHAccepted != (list != nil) {
			t.Error("the hello came changed to the server behind")
		}
		exchange(t, c, s)
		c.Close()
		s.Close()
		if inner, err := passed(); inner != nil || err != nil {
			t.Error(inner, err)
		}
	}
}

// recorded is what a client says by itself: its first hello and, if asked, its second.
func recorded(t *testing.T, retry bool) (first, second []byte, front *ECHFront) {
	t.Helper()
	client, server, front, _ := splitPair(t)
	if retry {
		client.CurvePreferences, server.CurvePreferences = []CurveID{X25519, CurveP384}, []CurveID{CurveP384}
	}
	var sent recordings
	a, b, _ := through(front, func(c net.Conn) net.Conn { return &listening{c, &sent} })
	c, s := Client(a, client), Server(b, server)
	if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	c.Close()
	s.Close()
	return sent.hello(0), sent.hello(1), front
}

type recordings struct {
	sync.Mutex
	all []byte
}

type listening struct {
	net.Conn
	to *recordings
}

func (c *listening) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.to.Lock()
	defer c.to.Unlock()
	c.to.all = append(c.to.all, p[:n]...)
	return n, err
}

// hello is the nth record of a handshake in the clear.
func (r *recordings) hello(n int) []byte {
	r.Lock()
	defer r.Unlock()
	for b := r.all; len(b) > 5; {
		size := 5 + int(binary.BigEndian.Uint16(b[3:]))
		if b[0] == byte(wire.ContentHandshake) {
			if n == 0 {
				return b[:size]
			}
			n--
		}
		b = b[size:]
	}
	return nil
}

// What a client may not do, with the alert that it gets.
func TestECHFrontRefuses(t *testing.T) {
	first, second, front := recorded(t, true)
	plain, _, _ := recorded(t, false) // for another key
	retry := inRecords(wire.AppendMessage(nil, &wire.ServerHello{LegacyVersion: wire.TLS12, Random: wire.HelloRetryRandom[:], CipherSuite: wire.TLS_AES_128_GCM_SHA256}, wire.Context{}), wire.TLS12)
	answer := inRecords(wire.AppendMessage(nil, &wire.ServerHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32), CipherSuite: wire.TLS_AES_128_GCM_SHA256}, wire.Context{}), wire.TLS12)
	changed := bytes.Clone(second)
	changed[len(changed)-1] ^= 1
	split := func(record []byte) []byte { // after the first byte of its content
		return append([]byte{22, 3, 3, 0, 1, record[5], 22, 3, 3, byte((len(record) - 6) >> 8), byte(len(record) - 6)}, record[6:]...)
	}
	longer := append(bytes.Clone(first), 9)
	binary.BigEndian.PutUint16(longer[3:], uint16(len(longer)-5))
	longer2 := append(bytes.Clone(second), 9)
	binary.BigEndian.PutUint16(longer2[3:], uint16(len(longer2)-5))
	for name, c := range map[string]struct {
		client []string // what the client sends
		server string
		alert  wire.AlertCode // 0 for what passes
	}{
		"an honest retry":                   {[]string{string(first), "\x14\x03\x03\x00\x01\x01" + string(second)}, string(retry), 0},
		"a retry in two records":            {[]string{string(first), string(split(second))}, string(retry), 0},
		"a second hello that is changed":    {[]string{string(first), string(changed)}, string(retry), wire.AlertDecryptError},
		"the first one again":               {[]string{string(first), string(first)}, string(retry), wire.AlertIllegalParameter},
		"a second one for nobody":           {[]string{string(first), string(plain)}, string(retry), wire.AlertIllegalParameter},
		"a second one that was not due":     {[]string{string(first) + string(second)}, "", wire.AlertUnexpectedMessage},
		"another message":                   {[]string{string(first), "\x16\x03\x03\x00\x01\x14"}, string(retry), wire.AlertUnexpectedMessage},
		"something inside the second hello": {[]string{string(first), string(split(second)[:6]) + "\x14\x03\x03\x00\x01\x01"}, string(retry), wire.AlertUnexpectedMessage},
		"something behind the second hello": {[]string{string(first), string(longer2)}, string(retry), wire.AlertUnexpectedMessage},
		"something behind the first hello":  {[]string{string(longer)}, "", wire.AlertUnexpectedMessage},
		"a hello without end":               {[]string{"\x16\x03\x01\x00\x04\x01\xff\xff\xff"}, "", wire.AlertIllegalParameter},
		"no record":                         {[]string{"GET / HTTP/1.1\r\n"}, "", wire.AlertDecodeError},
		"an empty record":                   {[]string{"\x16\x03\x01\x00\x00"}, "", wire.AlertDecodeError},
		"a record that is too long":         {[]string{"\x16\x03\x01\x40\x01"}, "", wire.AlertDecodeError},
		"an alert":                          {[]string{"\x15\x03\x01\x00\x02\x02\x00"}, "", wire.AlertUnexpectedMessage},
		"a hello that does not parse":       {[]string{"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03"}, "", wire.AlertDecodeError},
		"no record after the hello":         {[]string{string(first), "\x17\x02\x03\x00\x01"}, string(retry), wire.AlertDecodeError},
		"anything once the server answered": {[]string{string(first), "\x16\x03\x03\x00\x01\x14"}, string(answer), 0},
		"anything after an alert":           {[]string{string(first), "\x16\x03\x03\x00\x01\x14"}, "\x15\x03\x03\x00\x02\x02\x28", 0},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := memoryPipe()
			io.WriteString(a, c.client[0])
			conn, inner, err := front.Accept(context.Background(), b)
			if err == nil {
				if inner == nil || inner.ServerName != "example.test" {
					t.Fatalf("the front has read %+v", inner)
				}
				got := make([]byte, 5+len(inner.Message))
				if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, inRecords(inner.Message, wire.TLS10)) {
					t.Fatalf("the server behind is sent %x, %v", got, err)
				}
				if c.server != "" {
					io.WriteString(conn, c.server)
				}
				for _, more := range c.client[1:] {
					io.WriteString(a, more)
				}
				a.out.end()
				_, err = io.Copy(io.Discard, conn)
				if _, again := conn.Read(make([]byte, 1)); err != nil && again != err {
					t.Errorf("after an error comes %v", again)
				}
				conn.Close()
			}
			sent, _ := io.ReadAll(a)
			sent = bytes.TrimPrefix(sent, []byte(c.server))
			broken, _ := errors.AsType[*HandshakeError](err)
			switch {
			case c.alert == 0 && (err != nil || len(sent) > 0):
				t.Errorf("%v, the client is sent %x", err, sent)
			case c.alert != 0 && (broken == nil || broken.Alert != c.alert || !bytes.Equal(sent, []byte{21, 3, 3, 0, 2, 2, byte(c.alert)})):
				t.Errorf("%v, the client is sent %x; want %v", err, sent, c.alert)
			}
		})
	}
}

// Once the hellos are over, nothing is kept of them, whether the reader comes back or not.
func TestECHFrontForgets(t *testing.T) {
	for _, retry := range []bool{false, true} {
		first, second, front := recorded(t, retry)
		a, b := memoryPipe()
		a.Write(first)
		conn, inner, err := front.Accept(context.Background(), b)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		must(conn.Read(buf))
		random := make([]byte, 32)
		if retry {
			copy(random, wire.HelloRetryRandom[:])
		}
		conn.Write(inRecords(wire.AppendMessage(nil, &wire.ServerHello{LegacyVersion: wire.TLS12, Random: random, CipherSuite: wire.TLS_AES_128_GCM_SHA256}, wire.Context{}), wire.TLS12))
		a.Write(append([]byte{20, 3, 3, 0, 1, 1}, second...)) // second is empty without a retry
		for !conn.Settled() {
			must(conn.Read(buf))
		}
		if conn.front != nil || conn.message != nil || conn.seen != nil {
			t.Errorf("retry %v: of %q are kept %v, and %d and %d bytes", retry, inner.ServerName, conn.front, len(conn.message), len(conn.seen))
		}
	}
}

// A client that ends in the middle, or is cut off by the context, leaves nothing behind.
func TestECHFrontIsLeft(t *testing.T) {
	first, _, front := recorded(t, false)
	a, b := memoryPipe()
	a.Write(first[:20])
	a.out.end()
	if _, _, err := front.Accept(context.Background(), b); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
	_, b = memoryPipe()
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(io.ErrNoProgress)
	if _, _, err := front.Accept(ctx, b); err != io.ErrNoProgress {
		t.Error(err)
	}
	if err := (&ECHConn{Conn: b}).CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	c, d := net.Pipe()
	defer c.Close()
	if conn := (&ECHConn{Conn: d}); conn.NetConn() != d || conn.Settled() {
		t.Error("NetConn is another connection")
	}
	d.Close()
}

// Front and keys that cannot be used, and hellos that are none.
func TestECHFrontSettings(t *testing.T) {
	if _, err := NewECHFront(); err == nil || !strings.Contains(err.Error(), "needs a key") {
		t.Error(err)
	}
	if _, err := NewECHFront(EncryptedClientHelloKey{Config: []byte("none")}); err == nil {
		t.Error("a key that is none was taken")
	}
	_, _, front, _ := splitPair(t)
	for _, b := range []string{"", "\x01\x00\x00", "\x02\x00\x00\x00", "\x01\x00\x00\x01", "\x01\x00\x00\x00x"} {
		_, err := front.Open([]byte(b))
		broken, is := errors.AsType[*HandshakeError](err)
		if !is || broken.Alert != wire.AlertDecodeError {
			t.Errorf("%q: %v", b, broken)
		}
	}
}

// A second hello may come in more than one piece: what the server says is heard however it is cut.
func TestAnswerIsHeardInPieces(t *testing.T) {
	m := wire.AppendMessage(nil, &wire.ServerHello{LegacyVersion: wire.TLS12, Random: wire.HelloRetryRandom[:], CipherSuite: wire.TLS_AES_128_GCM_SHA256}, wire.Context{})
	var records []byte
	for _, b := range m {
		records = append(records, 22, 3, 3, 0, 1, b)
	}
	var a firstAnswer
	for i, b := range records {
		stage := a.hear([]byte{b})
		if want := (i+1)/6 >= answerLen; (stage == askedAgain) != want {
			t.Fatalf("after %d bytes: %d", i+1, stage)
		} else if want {
			return
		}
	}
	t.Error("the HelloRetryRequest was not heard")
}
