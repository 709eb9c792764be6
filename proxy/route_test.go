package proxy

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
	"github.com/pires/go-proxyproto/tlvparse"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// saying is a target that says a word to each client.
func saying(t *testing.T, own *tls.Config, word string) config.Target {
	return config.Target{Addresses: []string{backend(t, own, func(conn net.Conn) {
		io.WriteString(conn, word)
		closeWrite(conn)
		io.Copy(io.Discard, conn)
	})}}
}

func TestRoutes(t *testing.T) {
	authority := onePKI()
	names := []string{"a.test", "b.test", "x.wild.test", "y.x.wild.test", "through.test", "else.test"}
	cert := serverTLS(t, names...)
	cert.ALPN = []string{"one", "two"}
	refused := make(chan event.Reason, 10)
	c := config.Config{
		Listeners: []config.Listener{{
			Listen: []string{"127.0.0.1:0"}, TLS: cert,
			Routes: []config.Route{
				{Names: []string{"A.test"}, Target: "a"},
				{Names: []string{"*.wild.test"}, Target: "wild"},
				{Names: []string{"through.test"}, Passthrough: true, Target: "through"},
				{Names: []string{"b.test"}, ALPN: []string{"two"}, Target: "two"},
				{Names: []string{"b.test"}, Target: "b"},
			},
		}},
		Targets: map[string]config.Target{
			"a": saying(t, nil, "a"), "b": saying(t, nil, "b"), "wild": saying(t, nil, "wild"), "two": saying(t, nil, "two"),
			"through": saying(t, &tls.Config{Certificates: []tls.Certificate{authority.pair(t, "through.test")}}, "through"),
		},
	}
	_, address := begin(t, c, event.Hooks{Refused: func(_ string, _ net.Addr, why event.Reason, _ error) { refused <- why }})
	for _, test := range []struct {
		name, want string // want is empty for a refusal
		alpn       []string
	}{
		{name: "a.test", want: "a"}, {name: "A.TEST", want: "a"}, {name: "b.test", want: "b"},
		{name: "x.wild.test", want: "wild"}, {name: "y.x.wild.test"}, {name: "else.test"},
		{name: "through.test", want: "through"},
		{name: "b.test", alpn: []string{"two"}, want: "two"}, {name: "b.test", alpn: []string{"one"}, want: "b"},
		{name: "b.test", alpn: []string{"one", "two"}, want: "b"},
	} {
		own := authority.client(test.name)
		own.NextProtos = test.alpn
		got, err := io.ReadAll(dial(t, address, own))
		if string(got) != test.want {
			t.Errorf("%s %v: %q, %v", test.name, test.alpn, got, err)
		}
		if test.want == "" {
			if why := <-refused; why != event.NoRoute {
				t.Errorf("%s is refused because of %s", test.name, why)
			}
		}
	}
}

// The rules of the route decide which clients may come in, on resumed connections too.
func TestAllow(t *testing.T) {
	authority := onePKI()
	server := serverTLS(t, "front.test")
	server.ClientAuth, server.ClientCA = "require", authority.folder+"/ca.pem"
	c := at(config.Listener{TLS: server, Allow: []string{"dns:good.test"}}, saying(t, nil, "in"))
	closed := make(chan error, 10)
	identities := make(chan string, 10)
	p, address := begin(t, c, event.Hooks{Closed: func(c *event.Connection, r event.Result) { identities <- c.Identity; closed <- r.Err }})
	for _, name := range []string{"good.test", "bad.test"} {
		own := authority.client("front.test")
		own.Certificates = []tls.Certificate{authority.pair(t, name)}
		own.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		for i, want := range []string{"none", "psk"} {
			conn := dial(t, address, own).(*tls.Conn)
			got, _ := io.ReadAll(conn)
			if name == "good.test" && i == 1 && conn.State().Resumption != want {
				t.Errorf("the second connection is resumed by %s", conn.State().Resumption)
			}
			conn.Close()
			if (string(got) == "in") != (name == "good.test") {
				t.Errorf("%s gets %q", name, got)
			}
			identity, err := <-identities, <-closed
			if name == "good.test" && (identity != "dns:good.test" || err != nil) || name == "bad.test" && (err == nil || !strings.Contains(err.Error(), "bad.test")) {
				t.Errorf("%s is known as %q, %v", name, identity, err)
			}
		}
	}
	// A session of a client that the rules do not let in any more opens nothing.
	own := authority.client("front.test")
	own.Certificates, own.ClientSessionCache = []tls.Certificate{authority.pair(t, "good.test")}, tls.NewLRUClientSessionCache(1)
	io.ReadAll(dial(t, address, own))
	c.Listeners = slices.Clone(c.Listeners)
	c.Listeners[0].Allow = []string{"dns:other.test"}
	if err := p.Reload(c); err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(dial(t, address, own)); len(got) > 0 {
		t.Errorf("after the rules have changed the client gets %q", got)
	}
}

// A pre-shared key is an identity, beside certificates or without any.
func TestPreSharedKeys(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte("sensor 7:000102030405060708090a0b0c0d0e0f\nsensor 8:f00102030405060708090a0b0c0d0e0f\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	both := serverTLS(t, "front.test")
	both.PSKFile = file
	for name, server := range map[string]*config.ServerTLS{"alone": {PSKFile: file}, "beside": both} {
		closed := make(chan error, 10)
		c := at(config.Listener{TLS: server, Allow: []string{"psk:sensor 7"}}, saying(t, nil, "in"))
		_, address := begin(t, c, event.Hooks{Closed: func(_ *event.Connection, r event.Result) { closed <- r.Err }})
		for identity, in := range map[string]bool{"sensor 7": true, "sensor 8": false, "": false, "sensor 7, TLS 1.3": true, "sensor 8, TLS 1.3": false} {
			own := onePKI().client("front.test")
			if identity, newest := strings.CutSuffix(identity, ", TLS 1.3"); newest {
				mine := append([]byte{key[0] | (identity[7]-'7')*0xf0}, key[1:]...)
				own.PSK = tls.PSK{External: []tls.ExternalPSK{{Identity: []byte(identity), Key: mine, Hash: crypto.SHA256}}, Required: true}
			} else if identity != "" {
				own = &tls.Config{CipherSuites: []uint16{uint16(wire.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256)}, MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true}
				own.PSK.Client = func(string) (string, []byte, error) {
					if identity == "sensor 8" {
						return identity, append([]byte{0xf0}, key[1:]...), nil
					}
					return identity, key, nil
				}
			}
			raw, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			conn := tls.Client(raw, own)
			got, _ := io.ReadAll(conn)
			conn.Close()
			if err := <-closed; (string(got) == "in") != in || (err == nil) != in {
				t.Errorf("%s: %q gets %q, %v", name, identity, got, err)
			}
		}
	}
}

// Rules about the address hold in the clear too.
func TestAllowInTheClear(t *testing.T) {
	for rule, want := range map[string]string{"peer:127.0.0.0/8": "in", "peer:192.0.2.0/24": ""} {
		closed := make(chan string, 1)
		_, address := begin(t, at(config.Listener{Allow: []string{rule}}, saying(t, nil, "in")),
			event.Hooks{Closed: func(c *event.Connection, _ event.Result) { closed <- c.Identity }})
		conn := dial(t, address, nil)
		got, _ := io.ReadAll(conn)
		conn.Close()
		if identity := <-closed; string(got) != want || (identity != "") != (want != "") {
			t.Errorf("%s: the client gets %q, and is known as %q", rule, got, identity)
		}
	}
}

// A client that asks for a name which nobody has is told that, where TLS is passed on unopened.
func TestANameThatNobodyHas(t *testing.T) {
	own := &tls.Config{Certificates: []tls.Certificate{onePKI().pair(t, "a.test")}}
	c := at(config.Listener{Routes: []config.Route{{Names: []string{"a.test"}, Passthrough: true, Target: "t"}}}, config.Target{Addresses: []string{backend(t, own, echo)}})
	_, address := begin(t, c)
	if err := roundTrip(dial(t, address, onePKI().client("a.test")), []byte("x")); err != nil {
		t.Error(err)
	}
	for range 20 { // a reset could overtake what was said
		err := dial(t, address, onePKI().client("b.test")).(*tls.Conn).HandshakeContext(t.Context())
		if fault, is := errors.AsType[*tls.HandshakeError](err); !is || !fault.Received || fault.Alert != wire.AlertUnrecognizedName {
			t.Fatal(err)
		}
	}
}

// Where TLS ends here, a name that no route has ends the handshake with the same word, resumed or not,
// and in HTTP mode too. A client that names nothing, and an ACME authority, get their handshake.
func TestANameWithoutARoute(t *testing.T) {
	for _, mode := range []string{config.ModeTCP, config.ModeHTTP} {
		refused := make(chan event.Reason, 10)
		server := serverTLS(t, "a.test", "b.test")
		c := at(config.Listener{TLS: server, Mode: mode, Routes: []config.Route{{Names: []string{"a.test", "*.wild.test"}, Target: "t"}}}, saying(t, nil, "a"))
		p, address := begin(t, c, event.Hooks{Refused: func(_ string, _ net.Addr, why event.Reason, _ error) { refused <- why }})
		own := onePKI().client("b.test")
		own.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		for range 2 {
			err := dial(t, address, own).(*tls.Conn).HandshakeContext(t.Context())
			if fault, is := errors.AsType[*tls.HandshakeError](err); !is || !fault.Received || fault.Alert != wire.AlertUnrecognizedName {
				t.Errorf("%s: %v", mode, err)
			} else if why := <-refused; why != event.NoRoute {
				t.Errorf("%s: it is refused because of %s", mode, why)
			}
			open := c
			open.Listeners = slices.Clone(c.Listeners)
			open.Listeners[0].Target = "t" // a session for the name is made
			for _, now := range []config.Config{open, c} {
				if err := p.Reload(now); err != nil {
					t.Fatal(err)
				}
				if now.Listeners[0].Target != "" && mode == config.ModeTCP {
					if got, err := io.ReadAll(dial(t, address, own)); string(got) != "a" {
						t.Errorf("%q, %v", got, err)
					}
				}
			}
		}
		for _, own := range []*tls.Config{{InsecureSkipVerify: true}, {ServerName: "b.test", NextProtos: []string{acmeProtocol}, RootCAs: onePKI().roots}} {
			if err := dial(t, address, own).(*tls.Conn).HandshakeContext(t.Context()); err != nil {
				if fault, is := errors.AsType[*tls.HandshakeError](err); !is || fault.Alert == wire.AlertUnrecognizedName {
					t.Errorf("%s: %v", mode, err)
				}
			}
		}
	}
}

// A client whose key is pinned needs no authority: its certificate, which it has signed itself, is what
// services are told of.
func TestPinnedClients(t *testing.T) {
	pair := selfSigned(t, "pinned")
	stranger := selfSigned(t, "pinned")
	sum := sha256.Sum256(pair.Leaf.RawSubjectPublicKeyInfo)
	rules := []string{"psk:sensor", "spki:sha256/" + base64.StdEncoding.EncodeToString(sum[:])}
	for _, mode := range []string{"require", "request"} {
		server := serverTLS(t, "front.test")
		server.ClientAuth = mode
		got := make(chan http.Header, 10)
		service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
		t.Cleanup(service.Close)
		target := config.Target{Addresses: []string{service.Listener.Addr().String()}}
		_, address := begin(t, at(config.Listener{Mode: config.ModeHTTP, TLS: server, Allow: rules, HTTP: &config.HTTP{ClientCert: "chain"}}, target))
		for name, cert := range map[string]*tls.Certificate{"pinned": &pair, "stranger": &stranger, "anonymous": nil} {
			own := onePKI().client("front.test")
			own.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			if cert != nil {
				own.Certificates = []tls.Certificate{*cert}
			}
			for range 2 { // the second resumes
				conn := dial(t, address, own)
				io.WriteString(conn, "GET / HTTP/1.1\r\nHost: front.test\r\nConnection: close\r\n\r\n")
				answer, err := io.ReadAll(conn)
				if in := strings.HasPrefix(string(answer), "HTTP/1.1 200 "); in != (name == "pinned") {
					t.Errorf("%s, %s: %.40q, %v", mode, name, answer, err)
				} else if in {
					h := <-got
					if want := ":" + base64.StdEncoding.EncodeToString(pair.Leaf.Raw) + ":"; h.Get("Client-Cert") != want || h.Get("Client-Cert-Chain") != "" {
						t.Errorf("%s: the service gets %v", mode, h)
					}
				}
			}
		}
	}
	// With the PROXY header of version 2, the certificate is a verified one.
	server := serverTLS(t, "front.test")
	server.ClientAuth = "require"
	headers := make(chan *proxyproto.Header, 1)
	target := config.Target{ProxyProtocol: "v2-tls", Addresses: []string{backend(t, nil, func(conn net.Conn) {
		h, err := proxyproto.Read(bufio.NewReader(conn))
		if err != nil {
			t.Error(err)
		}
		headers <- h
	})}}
	_, address := begin(t, at(config.Listener{TLS: server, Allow: rules}, target))
	own := onePKI().client("front.test")
	own.Certificates = []tls.Certificate{pair}
	io.ReadAll(dial(t, address, own))
	list, err := (<-headers).TLVs()
	if err != nil {
		t.Fatal(err)
	}
	if ssl, is := tlvparse.FindSSL(list); !is || !ssl.Verified() || !ssl.ClientCertConn() {
		t.Errorf("%+v", list)
	}
}

func selfSigned(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
