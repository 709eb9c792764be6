package tls

import (
	"bytes"
	stdtls "crypto/tls"
	"fmt"
	"io"
	"slices"
	"testing"

	suitelib "github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// crypto/tls as the peer, in both roles. The interop package has the others.

// toStd is a Config as crypto/tls's. Only what these tests set is carried.
func toStd(c *Config) *stdtls.Config {
	return &stdtls.Config{
		Certificates: c.Certificates, RootCAs: c.RootCAs, ServerName: c.ServerName, ClientAuth: c.ClientAuth, ClientCAs: c.ClientCAs,
		MinVersion: c.MinVersion, MaxVersion: c.MaxVersion, CipherSuites: c.CipherSuites, CurvePreferences: c.CurvePreferences,
		NextProtos: c.NextProtos, KeyLogWriter: c.KeyLogWriter,
	}
}

// roles connect one of our ends with one of crypto/tls's.
var roles = []struct {
	name  string
	start func(client, server *Config) (ours *Conn, theirs *stdtls.Conn)
}{
	{"client", func(client, server *Config) (*Conn, *stdtls.Conn) {
		a, b := memoryPipe()
		return Client(a, client), stdtls.Server(b, toStd(server))
	}},
	{"server", func(client, server *Config) (*Conn, *stdtls.Conn) {
		a, b := memoryPipe()
		return Server(b, server), stdtls.Client(a, toStd(client))
	}},
}

// talk has data go both ways, in small and in large pieces, and closes both
// ends in order.
func talk(t testing.TB, a, b endpoint) {
	t.Helper()
	for _, size := range []int{1, 100, 16384, 100_000} {
		for _, dir := range [][2]endpoint{{a, b}, {b, a}} {
			data := bytes.Repeat([]byte{byte(size)}, size)
			if _, err := dir[0].Write(data); err != nil {
				t.Fatalf("writing %d bytes: %v", size, err)
			}
			got := make([]byte, size)
			if _, err := io.ReadFull(dir[1], got); err != nil || !bytes.Equal(got, data) {
				t.Fatalf("reading %d bytes: %v", size, err)
			}
		}
	}
	for _, dir := range [][2]endpoint{{a, b}, {b, a}} {
		if err := dir[0].CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if n, err := dir[1].Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Fatalf("after close_notify: %d, %v", n, err)
		}
	}
}

// combination is one way to connect.
type combination struct {
	version uint16
	suite   *CipherSuite
	group   CurveID
	key     string
}

func (c combination) String() string {
	return fmt.Sprintf("%s/%s/%s/%s", VersionName(c.version), c.suite.Name, wire.NamedGroup(c.group), c.key)
}

// combinations are those that crypto/tls can do too.
func combinations() (out []combination) {
	known := append(stdtls.CipherSuites(), stdtls.InsecureCipherSuites()...)
	for _, suite := range append(CipherSuites(), InsecureCipherSuites()...) {
		if !slices.ContainsFunc(known, func(s *stdtls.CipherSuite) bool { return s.ID == suite.ID }) {
			continue
		}
		row := suitelib.ByID(wire.CipherSuite(suite.ID))
		for _, key := range keyKinds {
			for _, group := range []CurveID{X25519, CurveP256, CurveP384, CurveP521, X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024} {
				version := suite.SupportedVersions[len(suite.SupportedVersions)-1]
				if version == VersionTLS12 && (group >= SecP256r1MLKEM768 || (row.Auth.String() == "RSA") != (key == "rsa2048")) {
					continue
				}
				if row.KeyExchange == wire.KeyExchangeRSA && group != X25519 {
					continue
				}
				out = append(out, combination{version, suite, group, key})
			}
		}
	}
	return out
}

func TestWithCryptoTLS(t *testing.T) {
	all := combinations()
	if len(all) < 150 {
		t.Fatalf("only %d combinations", len(all))
	}
	for _, role := range roles {
		for _, x := range all {
			t.Run(role.name+"/"+x.String(), func(t *testing.T) {
				t.Parallel()
				client, server := testPKI().client(), testPKI().server(x.key)
				at(x.version, client, server)
				for _, c := range []*Config{client, server} {
					c.CipherSuites, c.CurvePreferences, c.Legacy = []uint16{x.suite.ID}, []CurveID{x.group}, weakSuites
				}
				ours, theirs := role.start(client, server)
				if a, b := shake(ours, theirs); a != nil || b != nil {
					t.Fatalf("we: %v\ncrypto/tls: %v", a, b)
				}
				mine, other := ours.ConnectionState(), theirs.ConnectionState()
				if mine.Version != x.version || mine.CipherSuite != x.suite.ID {
					t.Errorf("agreed on %s, %s", VersionName(mine.Version), CipherSuiteName(mine.CipherSuite))
				}
				if mine.CurveID != other.CurveID || mine.CipherSuite != other.CipherSuite || mine.ServerName != "example.test" {
					t.Errorf("the two sides differ: %+v, %+v", mine, other)
				}
				talk(t, ours, theirs)
			})
		}
	}
}

func TestResumptionWithCryptoTLS(t *testing.T) {
	for _, version := range bothVersions {
		for _, auth := range []ClientAuthType{NoClientCert, RequireAndVerifyClientCert} {
			t.Run(fmt.Sprintf("%s/%s", VersionName(version), auth), func(t *testing.T) {
				p := testPKI()
				client, server := p.client(), p.server("ecdsa-p256")
				at(version, client, server)
				client.Certificates, server.ClientAuth, server.ClientCAs = []Certificate{p.certs["ed25519"]}, auth, p.roots
				client.ClientSessionCache = NewLRUClientSessionCache(0)
				stdClient, stdServer := toStd(client), toStd(server)
				stdClient.ClientSessionCache = stdtls.NewLRUClientSessionCache(0)
				for i := range 3 {
					a, b := memoryPipe()
					c, s := endpoint(Client(a, client)), endpoint(stdtls.Server(b, stdServer))
					for range 2 { // we are the client, then the server
						if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
							t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
						}
						bringTickets(t, c, s)
						if resumed := i > 0; c.ConnectionState().DidResume != resumed || s.ConnectionState().DidResume != resumed {
							t.Errorf("connection %d: resumed: %v and %v", i+1, c.ConnectionState().DidResume, s.ConnectionState().DidResume)
						}
						if version == VersionTLS12 && !bytes.Equal(c.ConnectionState().TLSUnique, s.ConnectionState().TLSUnique) {
							t.Errorf("connection %d: tls-unique differs", i+1)
						}
						if n := len(s.ConnectionState().PeerCertificates); (n == 1) != (auth != NoClientCert) {
							t.Errorf("the server knows %d certificates of the client", n)
						}
						talk(t, c, s)
						a, b = memoryPipe()
						c, s = stdtls.Client(a, stdClient), Server(b, server)
					}
				}
			})
		}
	}
}

// Both ends export the same, and crypto/tls the same as we.
func TestExportersWithCryptoTLS(t *testing.T) {
	for _, version := range bothVersions {
		for _, role := range roles {
			client, server := testPKI().client(), testPKI().server("ecdsa-p256")
			at(version, client, server)
			ours, theirs := role.start(client, server)
			if a, b := shake(ours, theirs); a != nil || b != nil {
				t.Fatal(a, b)
			}
			mine, other := ours.ConnectionState(), theirs.ConnectionState()
			for _, context := range [][]byte{nil, {}, []byte("context")} {
				for _, n := range []int{0, 1, 32, 200} {
					a, errA := mine.ExportKeyingMaterial("EXPERIMENTAL label", context, n)
					b, errB := other.ExportKeyingMaterial("EXPERIMENTAL label", context, n)
					if errA != nil || errB != nil || !bytes.Equal(a, b) || len(a) != n {
						t.Errorf("%s, context %q: %x, %v, but crypto/tls has %x, %v", VersionName(version), context, a, errA, b, errB)
					}
				}
			}
			if version == VersionTLS12 && !bytes.Equal(mine.TLSUnique, other.TLSUnique) {
				t.Errorf("tls-unique is %x, but crypto/tls has %x", mine.TLSUnique, other.TLSUnique)
			}
			binding, err := ours.ChannelBinding("tls-exporter")
			if std, stdErr := other.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32); err != nil || stdErr != nil || !bytes.Equal(binding, std) {
				t.Errorf("tls-exporter: %x, %v; crypto/tls: %x, %v", binding, err, std, stdErr)
			}
		}
	}
}

// We ask crypto/tls for a new key, and it answers.
func TestKeyUpdateWithCryptoTLS(t *testing.T) {
	for _, role := range roles {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		epochs := map[trace.Direction]int{}
		client.Trace = &trace.Hooks{Keys: func(k trace.Keys) { epochs[k.Dir] = k.Epoch }}
		server.Trace = client.Trace
		ours, theirs := role.start(client, server)
		if a, b := shake(ours, theirs); a != nil || b != nil {
			t.Fatal(a, b)
		}
		for i := range 5 {
			if err := ours.KeyUpdate(i%2 == 0); err != nil {
				t.Fatal(err)
			}
			bringTickets(t, theirs, ours)
			bringTickets(t, ours, theirs)
		}
		if epochs[trace.Received] != 2+3 || epochs[trace.Sent] != 2+5 {
			t.Errorf("epochs: %v", epochs)
		}
		talk(t, ours, theirs)
	}
}

func TestALPNWithCryptoTLS(t *testing.T) {
	for _, version := range bothVersions {
		for _, role := range roles {
			client, server := testPKI().client(), testPKI().server("ecdsa-p256")
			at(version, client, server)
			client.NextProtos, server.NextProtos = []string{"x", "h2", "http/1.1"}, []string{"http/1.1", "h2"}
			ours, theirs := role.start(client, server)
			if a, b := shake(ours, theirs); a != nil || b != nil {
				t.Fatal(a, b)
			}
			if got := ours.ConnectionState().NegotiatedProtocol; got != "http/1.1" || got != theirs.ConnectionState().NegotiatedProtocol {
				t.Errorf("%s: protocol %q", role.name, got)
			}
		}
	}
}
