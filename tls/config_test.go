package tls

import (
	"context"
	"crypto/rand"
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// FromStd carries every field, or says that it cannot.
func TestFromStd(t *testing.T) {
	values := map[string]any{ // for the fields that reflection cannot fill in
		"Rand": rand.Reader, "KeyLogWriter": io.Discard, "ClientSessionCache": stdtls.NewLRUClientSessionCache(1),
		"RootCAs": x509.NewCertPool(), "ClientCAs": x509.NewCertPool(),
	}
	cannot := map[string]bool{"ClientSessionCache": true, "GetConfigForClient": true, "WrapSession": true, "UnwrapSession": true}
	shape := reflect.TypeFor[stdtls.Config]()
	for i := range shape.NumField() {
		field := shape.Field(i)
		if !field.IsExported() {
			continue
		}
		std := new(stdtls.Config)
		from := reflect.ValueOf(std).Elem().Field(i)
		if v, ok := values[field.Name]; ok {
			from.Set(reflect.ValueOf(v))
		} else {
			from.Set(anything(field.Type))
		}
		got, err := FromStd(std)
		if cannot[field.Name] {
			if err == nil {
				t.Errorf("%s is dropped without a word", field.Name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", field.Name, err)
			continue
		}
		to := reflect.ValueOf(got).Elem().FieldByName(field.Name)
		if from.Kind() == reflect.Func && to.Pointer() != from.Pointer() || from.Kind() != reflect.Func && !reflect.DeepEqual(to.Interface(), from.Interface()) {
			t.Errorf("%s is not carried over", field.Name)
		}
	}
	if c, err := FromStd(nil); c != nil || err != nil {
		t.Error("nil:", c, err)
	}
}

// anything is a value of the type that is not zero.
func anything(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint16, reflect.Uint8:
		v.SetUint(1)
	case reflect.String:
		v.SetString("x")
	case reflect.Slice:
		v.Set(reflect.MakeSlice(t, 1, 1))
	case reflect.Array:
		v.Index(0).Set(anything(t.Elem()))
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
	case reflect.Func:
		v.Set(reflect.MakeFunc(t, func([]reflect.Value) []reflect.Value { panic("not to be called") }))
	}
	return v
}

// What is not implemented, or makes no sense, fails on a server too, and says
// which setting it is.
func TestServerSettingsAreNeverIgnored(t *testing.T) {
	for name, set := range map[string]func(*Config){
		"EncryptedClientHelloKeys[0]": func(c *Config) { c.EncryptedClientHelloKeys = []EncryptedClientHelloKey{{}} },
		"Renegotiation":               func(c *Config) { c.Renegotiation = RenegotiateFreelyAsClient + 1 },
		"Legacy.RSAKeyExchange":       func(c *Config) { c.CipherSuites = []uint16{TLS_RSA_WITH_AES_128_GCM_SHA256} },
		"cipher suite":                func(c *Config) { c.CipherSuites = []uint16{0xabcd} },
		"CurvePreferences":            func(c *Config) { c.CurvePreferences = []CurveID{9999} },
		"MaxVersion":                  func(c *Config) { c.MaxVersion = VersionTLS10 },
		"MinVersion":                  func(c *Config) { c.MinVersion = VersionTLS13 + 1 },
		"NextProtos":                  func(c *Config) { c.NextProtos = []string{strings.Repeat("x", 256)} },
		"MaxFragment":                 func(c *Config) { c.Record.MaxFragment = -1 },
		"ClientAuth":                  func(c *Config) { c.ClientAuth = 77 },
		"Certificates":                func(c *Config) { c.Certificates = nil },
	} {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		set(server)
		_, _, clientErr, serverErr := connectInMemory(client, server)
		var fault *HandshakeError
		if !errors.As(serverErr, &fault) || !strings.Contains(serverErr.Error(), name) || clientErr == nil {
			t.Errorf("%s: client: %v; server: %v", name, clientErr, serverErr)
		}
	}
}

// TLS 1.3 suites can be listed: then only those count, in that order.
func TestSuitesOfBothVersionsInOneList(t *testing.T) {
	const aes128, chacha = TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256
	const old = TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
	for _, test := range []struct {
		suites   []uint16
		version  uint16
		want     uint16
		describe string
	}{
		{[]uint16{chacha, aes128}, VersionTLS13, chacha, "the order counts"},
		{[]uint16{old}, VersionTLS12, old, "one of TLS 1.2"},
		{[]uint16{chacha, old}, VersionTLS13, chacha, "one of each"},
		{[]uint16{chacha, old}, VersionTLS12, old, "one of each"},
	} {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		client.MaxVersion, server.CipherSuites = test.version, test.suites
		c, _ := mustConnect(t, client, server)
		if got := c.ConnectionState().CipherSuite; got != test.want {
			t.Errorf("%s, %s: %s", test.describe, VersionName(test.version), CipherSuiteName(got))
		}
	}
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	server.CipherSuites = []uint16{old} // says nothing of TLS 1.3, whose default holds
	c, _ := mustConnect(t, client, server)
	if got := c.ConnectionState(); got.Version != VersionTLS13 {
		t.Errorf("%+v", got)
	}
	client, server = testPKI().client(), testPKI().server("ecdsa-p256")
	client.MaxVersion, server.CipherSuites = VersionTLS12, []uint16{aes128} // says nothing of TLS 1.2
	mustConnect(t, client, server)
}

// A Config is read when a connection begins: what is changed later is for the
// next connection.
func TestConfigIsReadOnce(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	server.NextProtos, client.NextProtos = []string{"a"}, []string{"a", "b"}
	server.CipherSuites = []uint16{TLS_AES_128_GCM_SHA256}
	server.GetConfigForClient = func(*ClientHelloInfo) (*Config, error) {
		server.NextProtos, server.CipherSuites = []string{"b"}, []uint16{TLS_AES_256_GCM_SHA384}
		server.MaxVersion, server.CurvePreferences = VersionTLS12, []CurveID{CurveP521}
		server.Record.MaxFragment = -1
		return nil, nil
	}
	c, s := mustConnect(t, client, server)
	if got := c.ConnectionState(); got.NegotiatedProtocol != "a" || got.CipherSuite != TLS_AES_128_GCM_SHA256 || got.Version != VersionTLS13 || got.CurveID == CurveP521 {
		t.Errorf("%+v", got)
	}
	exchange(t, c, s)
}

func TestDialAndListen(t *testing.T) {
	p := testPKI()
	cert := p.certificate("ecdsa-p256", &x509.Certificate{DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	l, err := Listen("tcp", "127.0.0.1:0", &Config{Certificates: []Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(conn, conn); conn.Close() }()
		}
	}()
	config := &Config{RootCAs: p.roots}
	addr := l.Addr().String()
	for name, dial := range map[string]func() (net.Conn, error){
		"Dial": func() (net.Conn, error) { return Dial("tcp", addr, config) },
		"DialWithDialer": func() (net.Conn, error) {
			return DialWithDialer(&net.Dialer{Timeout: time.Minute}, "tcp", addr, config)
		},
		"Dialer": func() (net.Conn, error) { return (&Dialer{Config: config}).Dial("tcp", addr) },
	} {
		conn, err := dial()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c := conn.(*Conn)
		bringTickets(t, c, c)
		if config.ServerName != "" || c.VerifyHostname("127.0.0.1") != nil || c.RemoteAddr().String() != addr || c.LocalAddr() == nil || c.NetConn() == nil {
			t.Errorf("%s: the name was not checked, or left in the Config", name)
		}
		conn.Close()
	}
	if conn, err := Dial("tcp", addr, nil); err == nil {
		conn.Close()
		t.Error("a Config without roots trusts our CA")
	}
	if _, err := Listen("tcp", "127.0.0.1:0", new(Config)); err == nil {
		t.Error("listens without a certificate")
	}
}

// The time and the context that a Dialer is given are for the handshake too.
func TestDialIsBounded(t *testing.T) {
	l := must(net.Listen("tcp", "127.0.0.1:0")) // accepts, and says nothing
	defer l.Close()
	config := &Config{ServerName: "example.test"}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(30*time.Millisecond, cancel)
	for name, dial := range map[string]func() error{
		"Timeout": func() error {
			_, err := DialWithDialer(&net.Dialer{Timeout: 30 * time.Millisecond}, "tcp", l.Addr().String(), config)
			return err
		},
		"Deadline": func() error {
			_, err := DialWithDialer(&net.Dialer{Deadline: time.Now().Add(30 * time.Millisecond)}, "tcp", l.Addr().String(), config)
			return err
		},
		"DialContext": func() error {
			_, err := (&Dialer{Config: config}).DialContext(ctx, "tcp", l.Addr().String())
			return err
		},
	} {
		within(t, 5*time.Second, name, func() {
			err := dial()
			if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// Before the handshake there is nothing to tell, and no method panics or lies.
func TestMethodsBeforeTheHandshake(t *testing.T) {
	a, _ := memoryPipe()
	c := Client(a, testPKI().client())
	if c.ConnectionState().HandshakeComplete || c.State().Version != 0 || c.VerifyHostname("example.test") == nil || c.CloseWrite() == nil {
		t.Error("a fresh connection claims to be open")
	}
	c.Close()
	s := Server(a, testPKI().server("ecdsa-p256"))
	defer func() {
		if recover() == nil {
			t.Error("OCSPResponse of a server does not panic, as crypto/tls's does")
		}
	}()
	s.OCSPResponse()
}

// State has what ConnectionState has no field for.
func TestState(t *testing.T) {
	for _, version := range bothVersions {
		p := testPKI()
		client, server := p.client(), p.server("rsa2048")
		at(version, client, server)
		server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, p.roots
		client.Certificates = []Certificate{p.certs["ed25519"]}
		c, s := mustConnect(t, client, server)
		for _, conn := range []*Conn{c, s} {
			got := conn.State()
			if uint16(got.Version) != version || got.KeyExchange != "ECDHE" || got.Group == 0 || got.ServerSignature != wire.RSAPSSRSAESHA256 ||
				got.ClientSignature != wire.Ed25519 || !got.ClientAuthRequested || got.ServerName != "example.test" || got.Resumption != "none" ||
				got.ExtendedMasterSecret != (version == VersionTLS12) || got.SecureRenegotiation != (version == VersionTLS12) || len(got.PeerCertificates) != 1 {
				t.Errorf("%s: %+v", VersionName(version), got)
			}
		}
	}
}
