package tls

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// A stream that ends without close_notify may have been cut: that is never io.EOF.
func TestTruncationIsNotTheEnd(t *testing.T) {
	p := testPKI()
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		client, server := p.client(), p.server("ecdsa-p256")
		client.MaxVersion = version
		c, s, clientErr, serverErr := connect(t, client, server)
		if clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		if _, err := s.Write([]byte("all of it?")); err != nil {
			t.Fatal(err)
		}
		s.NetConn().Close()
		data, err := io.ReadAll(c)
		if string(data) != "all of it?" || !errors.Is(err, ErrUnexpectedEOF) || !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			t.Errorf("%s: read %q, %v", VersionName(version), data, err)
		}
		if _, again := c.Read(make([]byte, 1)); again != err {
			t.Errorf("%s: then %v", VersionName(version), again)
		}
	}
}

// A peer that keeps us busy with new keys and sends nothing is turned away.
func TestKeyUpdatesWithoutDataAreLimited(t *testing.T) {
	p := testPKI()
	c, s, clientErr, serverErr := connect(t, p.client(), p.server("ecdsa-p256"))
	if clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	testDeadline(t, c, s)
	read := func() error {
		_, err := s.Read(make([]byte, 1))
		return err
	}
	for range 3 { // as many as one likes with data between them
		for range 30 {
			if err := c.KeyUpdate(false); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		if err := read(); err != nil {
			t.Fatal(err)
		}
	}
	for range 33 {
		if err := c.KeyUpdate(false); err != nil {
			t.Fatal(err)
		}
	}
	expectAlert(t, wire.AlertUnexpectedMessage, read(), wire.AlertUnexpectedMessage)
}

// The deadline of a handshake is for all of it: a byte now and then buys no time.
func TestHandshakeTimeoutIsAbsolute(t *testing.T) {
	left, right := pipePair(t)
	go func() { // a record header that announces much, and then a byte at a time
		left.Write([]byte{22, 3, 1, 0x20, 0})
		for {
			time.Sleep(20 * time.Millisecond)
			if _, err := left.Write([]byte{0}); err != nil {
				return
			}
		}
	}()
	config := testPKI().server("ecdsa-p256")
	config.HandshakeTimeout = 150 * time.Millisecond
	start := time.Now()
	err := Server(right, config).Handshake()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	if d := time.Since(start); d < 100*time.Millisecond || d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
}

// A peer that speaks no TLS gets no alert, and the caller the connection.
func TestPlainHTTPIsNamed(t *testing.T) {
	left, right := pipePair(t)
	go left.Write([]byte("GET / HTTP/1.1\r\n"))
	err := Server(right, testPKI().server("ecdsa-p256")).Handshake()
	var header RecordHeaderError
	if !errors.As(err, &header) || header.Conn != right || string(header.RecordHeader[:]) != "GET /" {
		t.Errorf("error is %#v", err)
	}
}

// A setting that is not implemented, or cannot work, fails before anything is sent.
func TestSettingsAreNeverIgnored(t *testing.T) {
	p := testPKI()
	for name, set := range map[string]func(*Config){
		"ECH":                      func(c *Config) { c.EncryptedClientHelloConfigList = []byte{0} },
		"renegotiation":            func(c *Config) { c.Renegotiation = RenegotiateFreelyAsClient + 1 },
		"an unknown suite":         func(c *Config) { c.CipherSuites = []uint16{TLS_RSA_WITH_RC4_128_SHA} },
		"static RSA by list alone": func(c *Config) { c.CipherSuites = []uint16{TLS_RSA_WITH_AES_128_GCM_SHA256} },
		"an unknown group":         func(c *Config) { c.CurvePreferences = []CurveID{31} },
		"TLS 1.1":                  func(c *Config) { c.MaxVersion = VersionTLS11 },
		"a share not listed":       func(c *Config) { c.CurvePreferences, c.KeyShares = []CurveID{X25519}, []CurveID{CurveP256} },
		"a share twice":            func(c *Config) { c.KeyShares = []CurveID{X25519, X25519} },
		"a protocol of no letters": func(c *Config) { c.NextProtos = []string{""} },
		"no name":                  func(c *Config) { c.ServerName = "" },
		"a fragment of 20 KB":      func(c *Config) { c.Record.MaxFragment = 20 << 10 },
	} {
		config := p.client()
		set(config)
		left, right := pipePair(t)
		sent := make(chan int)
		go func() {
			n, _ := right.Read(make([]byte, 1))
			right.Close() // or what is sent waits for the rest to be read
			sent <- n
		}()
		var failure *HandshakeError
		if err := Client(left, config).Handshake(); !errors.As(err, &failure) {
			t.Errorf("%s: %v", name, err)
		}
		left.Close()
		if n := <-sent; n != 0 {
			t.Errorf("%s: something was sent", name)
		}
	}
}

// One KeyUpdate answers all requests that have come, at once and not only before the
// next data: the peer keeps its old keys until then. Nothing follows it. RFC 8446 §4.6.3.
func TestOneKeyUpdateAnswersAll(t *testing.T) {
	for _, asks := range []wire.Role{wire.Client, wire.Server} {
		synctest.Test(t, func(t *testing.T) {
			client, server := testPKI().client(), testPKI().server("ecdsa-p256")
			client.InsecureSkipVerify = true // the clock stands in 2000
			var updates atomic.Int32
			count := traceMessages(func(m wire.Message) {
				if u, ok := m.(*wire.KeyUpdate); ok && u.Request == wire.UpdateNotRequested {
					updates.Add(1)
				}
			})
			a, b := mustConnect(t, client, server)
			if asks == wire.Server {
				a, b = b, a
			}
			b.options.Hooks = count // what it sends; nothing is under way
			for range 5 {
				if err := a.KeyUpdate(true); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := a.Write([]byte{1}); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(b, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			if synctest.Wait(); updates.Load() != 1 || b.engine.Pending() {
				t.Errorf("the %v asks: %d KeyUpdates while idle, more to come: %v", asks, updates.Load(), b.engine.Pending())
			}
			for i := range 2 {
				if _, err := b.Write([]byte{2}); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(a, make([]byte, 1)); err != nil || updates.Load() != 1 {
					t.Errorf("write %d: %d KeyUpdates, %v", i, updates.Load(), err)
				}
			}
		})
	}
}

// Those that we have asked for do not count: who only reads has no data to send.
func TestAnsweredKeyUpdatesAreNotLimited(t *testing.T) {
	c, s := mustConnect(t, testPKI().client(), testPKI().server("ecdsa-p256"))
	go io.Copy(io.Discard, s)
	failed := make(chan error, 1)
	go func() { _, err := c.Read(make([]byte, 1)); failed <- err }()
	for range 200 {
		if err := c.KeyUpdate(true); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond / 4)
	}
	select {
	case err := <-failed:
		t.Error(err)
	case <-time.After(50 * time.Millisecond):
	}
}
