package proxy

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	vitrine "github.com/vitrine-tls/vitrine/tls"
)

// echFile writes a new key, and returns its file and the list for clients.
func echFile(t *testing.T, file string) (list []byte) {
	t.Helper()
	key, err := vitrine.GenerateECHKey("front.test", vitrine.ECHKeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := vitrine.MarshalECHKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err = vitrine.ECHConfigList(key); err != nil {
		t.Fatal(err)
	}
	return list
}

// hidden connects as crypto/tls's client does, and returns whether the hello was taken.
func hidden(t *testing.T, address string, list []byte, protocols ...string) (bool, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: onePKI().roots, ServerName: "secret.test", EncryptedClientHelloConfigList: list, NextProtos: protocols})
	if err != nil {
		return false, err
	}
	defer conn.Close()
	return conn.ConnectionState().ECHAccepted, nil
}

// The proxy opens encrypted hellos, routes by the name inside, and takes new keys at a reload:
// clients with the key of before go on, or are told of the first.
func TestEncryptedHellos(t *testing.T) {
	first, second := filepath.Join(t.TempDir(), "first.pem"), filepath.Join(t.TempDir(), "second.pem")
	old, next := echFile(t, first), echFile(t, second)
	own := serverTLS(t, "front.test", "secret.test")
	own.ECHKeys = []string{first}
	c := config.Config{
		Listeners: []config.Listener{{Listen: []string{"127.0.0.1:0"}, TLS: own, Routes: []config.Route{{Names: []string{"secret.test"}, Target: "echo"}}}},
		Targets:   map[string]config.Target{"echo": {Addresses: []string{backend(t, nil, echo)}}},
	}
	p, address := begin(t, c)
	if taken, err := hidden(t, address, old); err != nil || !taken {
		t.Fatalf("the hello was taken: %v, %v", taken, err)
	}
	own.ECHKeys = []string{second, first}
	if err := p.Reload(c); err != nil {
		t.Fatal(err)
	}
	for name, list := range map[string][]byte{"the new key": next, "the old key": old} {
		if taken, err := hidden(t, address, list); err != nil || !taken {
			t.Errorf("%s after the reload: %v, %v", name, taken, err)
		}
	}
	own.ECHKeys = []string{second}
	if err := p.Reload(c); err != nil {
		t.Fatal(err)
	}
	_, err := hidden(t, address, old)
	rejected, is := errors.AsType[*tls.ECHRejectionError](err)
	if !is || !slices.Equal(rejected.RetryConfigList, next) {
		t.Errorf("a client with a key that is gone is told %v", err)
	}
	if err := os.WriteFile(second, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Reload(c); err == nil {
		t.Error("a file without a key was loaded")
	}
	if taken, err := hidden(t, address, next); err != nil || !taken {
		t.Errorf("the keys of before a reload that failed: %v, %v", taken, err)
	}
}

// A route that passes TLS on goes by the name inside, for a target that has no key, a HelloRetryRequest of the target
// included. What no key opens is answered here, or goes by the name that it shows.
func TestEncryptedHellosForOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.pem")
	list := echFile(t, file)
	own := serverTLS(t, "front.test", "here.test")
	own.ECHKeys = []string{file}
	authority := onePKI()
	behind := backend(t, &vitrine.Config{Certificates: []vitrine.Certificate{authority.pair(t, "secret.test")}, CurvePreferences: []vitrine.CurveID{vitrine.CurveP384}}, echo)
	c := config.Config{
		Listeners: []config.Listener{{Listen: []string{"127.0.0.1:0"}, TLS: own, Target: "here", Routes: []config.Route{
			{Names: []string{"secret.test"}, Passthrough: true, Target: "behind"},
			{ALPN: []string{"other"}, Passthrough: true, Target: "behind"},
		}}},
		Targets: map[string]config.Target{"behind": {Addresses: []string{behind}}, "here": {Addresses: []string{backend(t, nil, echo)}}},
	}
	names := make(chan string, 100)
	p, address := begin(t, c, event.Hooks{Closed: func(c *event.Connection, r event.Result) { names <- c.ServerName + " " + c.Target }})
	for _, x := range []struct {
		name     string
		list     []byte
		accepted bool
		went     string
	}{
		{"secret.test", list, true, "secret.test behind"},
		{"here.test", list, true, "here.test here"},
		{"secret.test", nil, false, "secret.test behind"},
		{"here.test", nil, false, "here.test here"},
	} {
		for _, retry := range []bool{false, true} {
			client := &tls.Config{RootCAs: authority.roots, ServerName: x.name, EncryptedClientHelloConfigList: x.list}
			if !retry {
				client.CurvePreferences = []tls.CurveID{tls.CurveP384}
			}
			conn, err := tls.Dial("tcp", address, client)
			if err != nil {
				t.Errorf("%s, retry %v: %v", x.name, retry, err)
				continue
			}
			if got := conn.ConnectionState().ECHAccepted; got != x.accepted {
				t.Errorf("%s, retry %v: the hello was taken: %v", x.name, retry, got)
			}
			if err := roundTrip(conn, bytes.Repeat([]byte("data"), 50_000)); err != nil {
				t.Errorf("%s, retry %v: %v", x.name, retry, err)
			}
			conn.Close()
			if went := <-names; went != x.went {
				t.Errorf("%s, retry %v: went as %q", x.name, retry, went)
			}
		}
	}
	_, err := hidden(t, address, echFile(t, filepath.Join(t.TempDir(), "old.pem")), "other")
	rejected, is := errors.AsType[*tls.ECHRejectionError](err)
	if !is || !slices.Equal(rejected.RetryConfigList, list) {
		t.Errorf("a client with a key that is gone is told %v", err)
	}
	c.Listeners[0].Routes[0].Names = append(c.Listeners[0].Routes[0].Names, "front.test")
	if err := p.Reload(c); err == nil || !strings.Contains(err.Error(), "front.test is the public name") {
		t.Errorf("the public name is passed on: %v", err)
	}
}

// Hellos that open and are none get their alert, and a second hello that does not open ends the connection.
func TestEncryptedHellosThatAreBroken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.pem")
	list := echFile(t, file)
	own := serverTLS(t, "front.test")
	own.ECHKeys = []string{file}
	behind := backend(t, &vitrine.Config{Certificates: []vitrine.Certificate{onePKI().pair(t, "secret.test")}, CurvePreferences: []vitrine.CurveID{vitrine.CurveP384}}, echo)
	_, address := begin(t, config.Config{
		Listeners: []config.Listener{{Listen: []string{"127.0.0.1:0"}, TLS: own, Routes: []config.Route{{Passthrough: true, Target: "behind"}}}},
		Targets:   map[string]config.Target{"behind": {Addresses: []string{behind}}},
	})
	raw, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	err = tls.Client(&secondBroken{Conn: raw}, &tls.Config{RootCAs: onePKI().roots, ServerName: "secret.test", EncryptedClientHelloConfigList: list}).Handshake()
	if err == nil || !strings.Contains(err.Error(), "error decrypting message") {
		t.Errorf("a second hello that is changed: %v", err)
	}
}

// secondBroken changes the last byte of the second ClientHello.
type secondBroken struct {
	net.Conn
	hellos int
}

func (c *secondBroken) Write(b []byte) (int, error) {
	if at := bytes.Index(b, []byte{22, 3}); at >= 0 && len(b) > at+5 && b[at+5] == 1 {
		if c.hellos++; c.hellos == 2 {
			b = bytes.Clone(b)
			b[len(b)-1] ^= 1
		}
	}
	return c.Conn.Write(b)
}

// The second hello, and what ends the wait for one, come within the time of the handshake: a client that stops in
// the middle holds no link.
func TestEncryptedHellosThatStop(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.pem")
	list := echFile(t, file)
	own := serverTLS(t, "front.test")
	own.ECHKeys = []string{file}
	behind := backend(t, &vitrine.Config{Certificates: []vitrine.Certificate{onePKI().pair(t, "secret.test")}, CurvePreferences: []vitrine.CurveID{vitrine.CurveP384}}, echo)
	c := config.Config{
		Listeners: []config.Listener{{Listen: []string{"127.0.0.1:0"}, TLS: own, Routes: []config.Route{{Passthrough: true, Target: "behind"}}}},
		Targets:   map[string]config.Target{"behind": {Addresses: []string{behind}}},
	}
	c.Limits.HandshakeTimeout = config.Duration(time.Second)
	closed := make(chan error, 2)
	_, address := begin(t, c, event.Hooks{Closed: func(_ *event.Connection, r event.Result) { closed <- r.Err }})
	for _, sent := range []int{0, 100} {
		raw, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		go tls.Client(&secondStops{Conn: raw, sent: sent}, &tls.Config{RootCAs: onePKI().roots, ServerName: "secret.test", EncryptedClientHelloConfigList: list}).Handshake()
		select {
		case err := <-closed:
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("after %d bytes of the second hello: %v", sent, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("after %d bytes of the second hello the link goes on", sent)
		}
	}
}

// secondStops sends a beginning of what follows the first ClientHello.
type secondStops struct {
	net.Conn
	writes, sent int
}

func (c *secondStops) Write(b []byte) (int, error) {
	if c.writes++; c.writes == 1 {
		return c.Conn.Write(b)
	}
	n, _ := c.Conn.Write(b[:min(c.sent, len(b))])
	c.sent -= n
	return len(b), nil
}
