package tls

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// What the application or a peer determines may be longer than what its length field
// can say: that is an error, never a panic.

// addAuthorities adds as many authorities as have names of size bytes together.
func addAuthorities(pool *x509.CertPool, size int) {
	for i := 0; size > 0; i++ {
		name, err := asn1.Marshal(fmt.Sprintf("%04d%s", i, strings.Repeat("n", min(size, 1000))))
		if err != nil {
			panic(err)
		}
		pool.AddCert(&x509.Certificate{Raw: name, RawSubject: name})
		size -= len(name)
	}
}

// A list of authorities that does not fit is left out: one that is cut would have the
// clients of the others believe that they are not wanted.
func TestManyAuthorities(t *testing.T) {
	for _, v := range allVersions[:4] { // SSL 3.0 has the same message as TLS 1.0
		for _, test := range []struct{ size, named int }{{30_000, 30}, {100_000, 0}} {
			for _, later := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v/%d/later %v", v, test.size, later), func(t *testing.T) {
					client, server := askable(uint16(v))
					server.ClientCAs = testPKI().roots.Clone()
					addAuthorities(server.ClientCAs, test.size)
					seen := -1
					client.GetClientCertificate = func(info *CertificateRequestInfo) (*Certificate, error) {
						seen = len(info.AcceptableCAs)
						return &client.Certificates[0], nil
					}
					if !later {
						server.ClientAuth = RequireAndVerifyClientCert
					}
					c, s := mustConnect(t, client, server)
					if later {
						go c.Read(make([]byte, 1))
						if err := ask(t, s); err != nil {
							t.Fatal(err)
						}
					} else {
						exchange(t, c, s)
					}
					if shownBy(s) == "" || (seen == 0) != (test.named == 0) || seen < test.named {
						t.Errorf("the client was told of %d authorities and showed %q", seen, shownBy(s))
					}
				})
			}
		}
	}
}

func manyOf[T any](v T) []T {
	out := make([]T, 40_000)
	for i := range out {
		out[i] = v
	}
	return out
}

// longNames are protocols of so many bytes together.
func longNames(size int) (out []string) {
	for i := 0; i < size; i += 256 {
		out = append(out, fmt.Sprintf("%0255d", i))
	}
	return out
}

// A Config that asks for more than fits fails before anything is sent.
func TestSettingsThatDoNotFit(t *testing.T) {
	for name, set := range map[string]func(*Config){
		"protocols":  func(c *Config) { c.NextProtos = longNames(70_000) },
		"suites":     func(c *Config) { c.CipherSuites = manyOf(TLS_AES_128_GCM_SHA256) },
		"groups":     func(c *Config) { c.CurvePreferences = manyOf(X25519) },
		"signatures": func(c *Config) { c.SignatureSchemes = manyOf(SignatureScheme(wire.ECDSAP256SHA256)) },
		"a hint":     func(c *Config) { c.PSK.Hint = strings.Repeat("h", 70_000) },
		// Each fits, all of them do not.
		"a sum": func(c *Config) { c.NextProtos, c.CurvePreferences = longNames(40_000), manyOf(X25519)[:20_000] },
	} {
		for _, role := range []wire.Role{wire.Client, wire.Server} {
			if role == wire.Server && name == "a sum" {
				continue // no message of a server has both
			}
			config := testPKI().client()
			left, right := pipePair(t)
			conn := Client(left, config)
			if role == wire.Server {
				config = testPKI().server("ecdsa-p256")
				conn = Server(left, config)
			}
			set(config)
			sent := make(chan []byte, 1)
			go func() {
				b, _ := io.ReadAll(right)
				sent <- b
			}()
			var failure *HandshakeError
			if err := conn.Handshake(); !errors.As(err, &failure) || failure.Alert != wire.AlertInternalError {
				t.Errorf("%s, %v: %v", name, role, err)
			}
			left.Close()
			if b := <-sent; len(b) > 0 && wire.ContentType(b[0]) != wire.ContentAlert {
				t.Errorf("%s, %v: %d bytes were sent", name, role, len(b))
			}
		}
	}
}

// longSigner makes signatures that no message can carry.
type longSigner struct{ crypto.Signer }

func (longSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return make([]byte, 70_000), nil
}

// The same for what stands in a certificate, of either side.
func TestCertificatesThatDoNotFit(t *testing.T) {
	for name, set := range map[string]func(*Certificate){
		"a staple": func(c *Certificate) { c.OCSPStaple = make([]byte, 70_000) },
		"timestamps": func(c *Certificate) {
			c.SignedCertificateTimestamps = [][]byte{make([]byte, 40_000), make([]byte, 40_000)}
		},
		"a timestamp": func(c *Certificate) { c.SignedCertificateTimestamps = [][]byte{make([]byte, 70_000)} },
		"both": func(c *Certificate) {
			c.OCSPStaple, c.SignedCertificateTimestamps = make([]byte, 40_000), [][]byte{make([]byte, 40_000)}
		},
		"a certificate": func(c *Certificate) { c.Certificate = append(c.Certificate[:1:1], make([]byte, 1<<24)) },
		"a chain": func(c *Certificate) {
			c.Certificate = append(c.Certificate[:1:1], make([]byte, 1<<23), make([]byte, 1<<23))
		},
		"a signature": func(c *Certificate) { c.PrivateKey = longSigner{c.PrivateKey.(crypto.Signer)} },
	} {
		for _, v := range []uint16{VersionTLS12, VersionTLS13} {
			for _, role := range []wire.Role{wire.Server, wire.Client} {
				leaf := testPKI().certs["ecdsa-p256"]
				set(&leaf)
				stapled := len(leaf.OCSPStaple)+len(leaf.SignedCertificateTimestamps) > 0
				if role == wire.Client && stapled || v == VersionTLS12 && name == "both" {
					continue // a client sends none; up to TLS 1.2 each has a message of its own
				}
				client, server := askable(v)
				server.ClientAuth = RequireAnyClientCert
				at(v, client, server)
				side := client
				if role == wire.Server {
					side = server
				}
				side.Certificates = []Certificate{side.Certificates[0]}
				set(&side.Certificates[0])
				_, _, clientErr, serverErr := connect(t, client, server)
				own := clientErr
				if role == wire.Server {
					own = serverErr
				}
				var failure *HandshakeError
				if !errors.As(own, &failure) || failure.Alert != wire.AlertInternalError || failure.Received {
					t.Errorf("%s, %s, %v: %v", name, VersionName(v), role, own)
				}
			}
		}
	}
}

// retryWith answers a ClientHello with a HelloRetryRequest that has a cookie of so many
// bytes. It returns what the client answered, and its error.
func retryWith(t *testing.T, client *Config, size int) (answer []byte, err error) {
	t.Helper()
	left, right := tcpPair(t)
	testDeadline(t, left, right)
	failed := make(chan error, 1)
	go func() {
		failed <- Client(left, client).Handshake()
		left.Close()
	}()
	_, content := readRecord(t, right)
	first, err := wire.DecodeMessage(content, wire.Context{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	retry := &wire.ServerHello{LegacyVersion: wire.TLS12, Random: wire.HelloRetryRandom[:], SessionID: first.(*wire.ClientHello).SessionID, CipherSuite: wire.TLS_AES_128_GCM_SHA256}
	setExtension(&retry.Extensions, wire.ExtSupportedVersions, "\x03\x04")
	setExtension(&retry.Extensions, wire.ExtCookie, string(wire.AppendCookie(nil, make([]byte, size))))
	for part := range slices.Chunk(wire.AppendMessage(nil, retry, wire.Context{Version: wire.TLS13, From: wire.Server}), 16384) {
		right.Write(recordOf(wire.ContentHandshake, part))
	}
	right.(*net.TCPConn).CloseWrite()
	for {
		typ, content, err := nextRecord(right)
		if err != nil {
			return answer, <-failed
		}
		if typ != wire.ContentChangeCipherSpec {
			answer = append(answer, content...)
		}
	}
}

// A server's cookie may leave no room for what else the second ClientHello has.
func TestACookieThatLeavesNoRoom(t *testing.T) {
	for _, size := range []int{60_000, 65_000, 65_400} {
		client := testPKI().client()
		at(VersionTLS13, client)
		answer, err := retryWith(t, client, size)
		if size == 60_000 {
			if wire.MessageLen(answer) < size || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%d: %d bytes, %v", size, len(answer), err)
			}
			continue
		}
		if len(answer) != 2 || wire.AlertCode(answer[1]) != wire.AlertInternalError || err == nil || !strings.Contains(err.Error(), "cookie") {
			t.Errorf("%d: %d bytes, %v", size, len(answer), err)
		}
	}
}

// A ticket that leaves no room is not offered, whether it came from the server or from
// the application, and none that long is given out.
func TestTicketsThatDoNotFit(t *testing.T) {
	for _, v := range []uint16{VersionTLS12, VersionTLS13} {
		for _, size := range []int{40_000, 61_000, 65_400, 70_000} {
			client, server := testPKI().client(), testPKI().server("ecdsa-p256")
			at(v, client, server)
			client.NextProtos, server.NextProtos = append([]string{"a"}, longNames(30_000)...), []string{"a"}
			client.ClientSessionCache = NewLRUClientSessionCache(0)
			c, s := mustConnect(t, client, server)
			bringTickets(t, c, s)
			key := c.sessionKey()
			cs, _ := client.ClientSessionCache.Get(key)
			_, state, err := cs.ResumptionState()
			if err != nil {
				t.Fatal(err)
			}
			long, err := NewResumptionState(bytes.Repeat([]byte("t"), size), state)
			if err != nil {
				t.Fatal(err)
			}
			client.ClientSessionCache.Put(key, long)
			c, s = mustConnect(t, client, server)
			if c.State().Resumption != "none" {
				t.Errorf("%s, %d: %+v", VersionName(v), size, c.State())
			}
			bringTickets(t, c, s)
		}
	}
}

func TestNoTicketThatCannotBeOffered(t *testing.T) {
	for _, v := range []uint16{VersionTLS12, VersionTLS13} {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		at(v, client, server)
		client.ClientSessionCache = NewLRUClientSessionCache(0)
		server.WrapSession = func(ConnectionState, *SessionState) ([]byte, error) { return make([]byte, maxTicket+1), nil }
		c, s := mustConnect(t, client, server)
		bringTickets(t, c, s)
		if cs, ok := client.ClientSessionCache.Get(c.sessionKey()); ok && cs != nil {
			t.Errorf("%s: a ticket of %d bytes came", VersionName(v), len(cs.ticket))
		}
	}
}
