package tls

import (
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// countingKey counts what it is asked to do.
type countingKey struct {
	key crypto.Signer
	ops *atomic.Int32
}

func (k countingKey) Public() crypto.PublicKey { return k.key.Public() }
func (k countingKey) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	k.ops.Add(1)
	return k.key.Sign(r, digest, o)
}
func (k countingKey) Decrypt(r io.Reader, msg []byte, o crypto.DecrypterOpts) ([]byte, error) {
	k.ops.Add(1)
	return k.key.(crypto.Decrypter).Decrypt(r, msg, o)
}

// flights writes down whose turn it is on the wire.
type flights struct {
	net.Conn
	mu   *sync.Mutex
	turn *[]wire.Role
	role wire.Role
}

func (f *flights) Write(p []byte) (int, error) {
	f.mu.Lock()
	if n := len(*f.turn); n == 0 || (*f.turn)[n-1] != f.role {
		*f.turn = append(*f.turn, f.role)
	}
	f.mu.Unlock()
	return f.Conn.Write(p)
}

// abbreviations are all versions that have session IDs or tickets, each with the
// exchanges that cost most.
func abbreviations() (out []struct {
	kind, suite string
	v           wire.Version
}) {
	for _, v := range allVersions[1:] {
		for _, s := range exchangeKinds(v) {
			if !s.KeyExchange.Certificate() || s.KeyExchange.PSK() || s.Auth.String() == "DSS" {
				continue
			}
			for _, kind := range []string{"id", "ticket"} {
				if kind == "id" || v != wire.SSL30 { // SSL 3.0 has no extensions
					out = append(out, struct {
						kind, suite string
						v           wire.Version
					}{kind, s.Name, v})
				}
			}
		}
	}
	return out
}

// An abbreviated handshake takes one round trip, and nobody signs, decrypts, agrees
// on a key or sends a certificate. With a client certificate too.
func TestAbbreviatedHandshake(t *testing.T) {
	for _, x := range abbreviations() {
		t.Run(fmt.Sprintf("%v/%s/%s", x.v, x.suite, x.kind), func(t *testing.T) {
			t.Parallel()
			client, server := resumable(uint16(x.v), func(c *Config) { c.SessionTicketsDisabled = x.kind == "id" })
			ops := new(atomic.Int32)
			cert := testPKI().certs[map[bool]string{true: "ecdsa-p256", false: "rsa2048"}[strings.Contains(x.suite, "ECDSA")]]
			cert.PrivateKey = countingKey{cert.PrivateKey.(crypto.Signer), ops}
			if strings.Contains(x.suite, "ECDSA") {
				cert.PrivateKey = struct{ crypto.Signer }{cert.PrivateKey.(crypto.Signer)}
			}
			server.Certificates, client.Certificates = []Certificate{cert}, []Certificate{cert}
			server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, testPKI().roots
			var mu sync.Mutex
			var said []string
			for _, c := range []*Config{client, server} {
				c.CipherSuites, c.Legacy = suitesNamed(x.suite), weakSuites
				c.Legacy.SSL30 = true
			}
			client.Trace = &trace.Hooks{
				Message: func(m trace.Message) {
					mu.Lock()
					defer mu.Unlock()
					said = append(said, wire.HandshakeType(m.Raw[0]).String())
				},
				Secret: func(s trace.Secret) {
					mu.Lock()
					defer mu.Unlock()
					if s.Name == "premaster_secret" {
						said = append(said, s.Name)
					}
				},
			}
			for i := range 3 {
				ops.Store(0)
				said = nil
				var turn []wire.Role
				var lock sync.Mutex
				a, b := memoryPipe()
				c := Client(&flights{a, &lock, &turn, wire.Client}, client)
				s := Server(&flights{b, &lock, &turn, wire.Server}, server)
				if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
					t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
				}
				if i == 0 {
					if ops.Load() != 2 || len(turn) != 4 || !slices.Contains(said, "premaster_secret") {
						t.Fatalf("a full handshake: %d operations, flights %v, %v: this test counts wrong", ops.Load(), turn, said)
					}
					continue
				}
				if c.State().Resumption != x.kind {
					t.Fatalf("resumed by %q", c.State().Resumption)
				}
				if n := ops.Load(); n != 0 {
					t.Errorf("%d operations with private keys", n)
				}
				if fmt.Sprint(turn) != "[client server client]" {
					t.Errorf("the flights are of %v", turn)
				}
				if want := "[ClientHello ServerHello Finished Finished]"; fmt.Sprint(said) != want {
					t.Errorf("%v, want %s", said, want)
				}
				if len(c.State().PeerCertificates) != 1 || len(s.State().PeerCertificates) != 1 {
					t.Error("one side no longer knows the other")
				}
				exchange(t, c, s)
			}
		})
	}
}

func suitesNamed(names ...string) (out []uint16) {
	for _, s := range append(CipherSuites(), InsecureCipherSuites()...) {
		if slices.Contains(names, s.Name) {
			out = append(out, s.ID)
		}
	}
	return out
}

// There is no public-key operation that the counting above would miss, such as the
// verification of a certificate: an abbreviated handshake of both sides, with P-521
// wherever there could be a key, takes less time than the cheapest of them.
func TestAbbreviatedHandshakeIsCheap(t *testing.T) {
	ca := authority("ecdsa-p521")
	key := newKey("ecdsa-p521")
	digest := sha512.Sum512(nil)
	best := func(f func()) time.Duration {
		best := time.Hour
		for range 100 {
			begin := time.Now()
			f()
			best = min(best, time.Since(begin))
		}
		return best
	}
	cheapest := min(
		best(func() { key.Sign(rand.Reader, digest[:], crypto.SHA512) }),
		best(func() { ecdh.P521().GenerateKey(rand.Reader) }),
	)
	for _, kind := range kinds[:2] {
		client, server := resumable(kind.version, kind.server)
		client.RootCAs, client.CurvePreferences = ca.roots, []CurveID{CurveP521}
		server.Certificates = []Certificate{ca.certificate("ecdsa-p521", &x509.Certificate{})}
		client.Certificates = []Certificate{ca.certificate("ecdsa-p521", &x509.Certificate{})}
		server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, ca.roots
		resumption(t, client, server)
		took := best(func() {
			c, s, clientErr, serverErr := connectInMemory(client, server)
			if clientErr != nil || serverErr != nil || c.State().Resumption != kind.name {
				t.Fatal(clientErr, serverErr)
			}
			c.Close()
			s.Close()
		})
		if took > cheapest {
			t.Errorf("resumed by %s in %v, and one P-521 operation takes %v", kind.name, took, cheapest)
		}
	}
}
