package tls

import (
	"fmt"
	"io"
	"net"
	"testing"

	suitelib "github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// tcpPair returns the two ends of a TCP connection.
func tcpPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	client = must(net.Dial("tcp", l.Addr().String()))
	server = must(l.Accept())
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// pipePair returns the two ends of a pipe, where a write waits for its reader.
func pipePair(t testing.TB) (client, server net.Conn) {
	client, server = net.Pipe()
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// connect runs a handshake between the two configs and returns the ends and
// both sides' errors.
func connect(t testing.TB, client, server *Config) (c, s *Conn, clientErr, serverErr error) {
	t.Helper()
	rawClient, rawServer := tcpPair(t)
	c, s = Client(rawClient, client), Server(rawServer, server)
	done := make(chan error, 1)
	go func() {
		err := s.Handshake()
		if err != nil {
			s.Close()
		}
		done <- err
	}()
	if clientErr = c.Handshake(); clientErr != nil {
		c.Close()
	}
	return c, s, clientErr, <-done
}

// exchange has data go both ways and closes both ends in order.
func exchange(t testing.TB, c, s *Conn) {
	t.Helper()
	for _, dir := range [][2]*Conn{{c, s}, {s, c}} {
		message := fmt.Sprintf("from the %v", dir[0].role)
		if _, err := io.WriteString(dir[0], message); err != nil {
			t.Fatalf("writing %s: %v", message, err)
		}
		got := make([]byte, len(message))
		if _, err := io.ReadFull(dir[1], got); err != nil || string(got) != message {
			t.Fatalf("read %q, %v; want %q", got, err, message)
		}
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("read %d, %v after the client's close_notify; want io.EOF", n, err)
	}
	if _, err := io.WriteString(s, "half open"); err != nil {
		t.Fatalf("writing after the peer's close_notify: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(c); err != nil || string(rest) != "half open" {
		t.Fatalf("read %q, %v", rest, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestEveryKeySuiteAndGroup(t *testing.T) {
	p := testPKI()
	groups := []CurveID{X25519, CurveP256, CurveP384, CurveP521, X448, X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024}
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		for _, kind := range keyKinds {
			for _, suite := range modernSuites() {
				for _, group := range groups {
					if version == VersionTLS12 && group >= SecP256r1MLKEM768 || !has(suite.SupportedVersions, version) {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/%s/%s", VersionName(version), kind, suite.Name, wire.NamedGroup(group)), func(t *testing.T) {
						t.Parallel()
						server, client := p.server(kind), p.client()
						client.CipherSuites, client.MinVersion, client.MaxVersion = []uint16{suite.ID}, version, version
						client.Legacy, server.Legacy, server.CipherSuites = weakSuites, weakSuites, client.CipherSuites
						client.CurvePreferences = []CurveID{group}
						if group == X448 { // which is off unless it is named
							server.CurvePreferences = client.CurvePreferences
						}
						c, s, clientErr, serverErr := connect(t, client, server)
						if fits := version == VersionTLS13 || (kind == "rsa2048") == (authOf(suite.ID) == "RSA"); !fits {
							if clientErr == nil || serverErr == nil {
								t.Fatal("a suite for another kind of key was agreed")
							}
							return
						}
						if clientErr != nil || serverErr != nil {
							t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
						}
						for _, conn := range []*Conn{c, s} {
							if state := conn.State(); uint16(state.CipherSuite) != suite.ID || uint16(state.Version) != version {
								t.Errorf("agreed on %v with %v", state.Version, state.CipherSuite)
							} else if state.KeyExchange != "RSA" && CurveID(state.Group) != group {
								t.Errorf("agreed on the group %v", state.Group)
							}
						}
						exchange(t, c, s)
					})
				}
			}
		}
	}
}

func has(list []uint16, v uint16) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}

// authOf is the kind of key that a TLS 1.2 suite is for.
func authOf(id uint16) string { return suitelib.ByID(wire.CipherSuite(id)).Auth.String() }
