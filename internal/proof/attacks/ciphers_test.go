package attacks

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Ciphers that are broken by themselves: Sweet32 (CVE-2016-2183) on blocks of 64
// bits, RC4's biases (RFC 7465, RC4 NOMORE), DES, NULL, anonymous suites, and
// MACs over MD5.

// weaknesses are the switches and the suites that must need them.
var weaknesses = map[string]func(*suite.Suite) bool{
	"TripleDES":      func(s *suite.Suite) bool { return strings.Contains(s.Name, "3DES") },
	"DES":            func(s *suite.Suite) bool { return strings.Contains(s.Name, "_DES_CBC_") },
	"RC4":            func(s *suite.Suite) bool { return strings.Contains(s.Name, "RC4") },
	"NullCiphers":    func(s *suite.Suite) bool { return strings.Contains(s.Name, "WITH_NULL") },
	"Anonymous":      func(s *suite.Suite) bool { return strings.Contains(s.Name, "anon") },
	"MD5":            func(s *suite.Suite) bool { return strings.HasSuffix(s.Name, "_MD5") },
	"RSAKeyExchange": func(s *suite.Suite) bool { return strings.HasPrefix(s.Name, "TLS_RSA_") },
}

// A default client offers none of them in any version, and a default server
// answers a client that offers nothing else with handshake_failure.
func TestWeakCiphersAreOff(t *testing.T) {
	var weak []wire.CipherSuite
	for _, s := range suite.All() {
		for name, has := range weaknesses {
			if has(s) {
				weak = append(weak, s.ID)
				if !slices.Contains(s.Switches, name) || s.Default {
					t.Errorf("%s does not need Legacy.%s", s.Name, name)
				}
			}
		}
	}
	for _, v := range append(oldVersions, wire.TLS13) {
		t.Run(v.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				client, server := defaults(suite.AuthRSA)
				client.MinVersion, server.MinVersion = uint16(v), uint16(v)
				client.Legacy.SSL30, server.Legacy.SSL30 = true, true
				e := connect(t, client, server, change(wire.Context{}, func(m *wire.ClientHello) {
					for _, id := range m.CipherSuites {
						if slices.Contains(weak, id) {
							t.Errorf("the client offers %v", id)
						}
					}
					m.CipherSuites = weak
				}))
				refused(t, e.serverErr, wire.AlertHandshakeFailure)
			})
		})
	}
}

// Each such suite is refused where it is listed and one of its switches is off;
// and the error names the switch.
func TestWeakCiphersNeedTheirSwitches(t *testing.T) {
	for _, s := range suite.All() {
		for name, has := range weaknesses {
			if !has(s) {
				continue
			}
			t.Run(s.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				bubble(t, func(t *testing.T) {
					client, server := configs(s, s.Max)
					for _, c := range []*tls.Config{client, server} {
						switchOff(&c.Legacy, name)
					}
					e := connect(t, client, server, nil)
					for _, err := range []error{e.clientErr, e.serverErr} {
						if err == nil || !strings.Contains(err.Error(), "Legacy."+name) {
							t.Errorf("%v", err)
						}
					}
				})
			})
		}
	}
}

// Sweet32: keys with blocks of 64 bits write 2^16 records, then the connection
// says that it must have new ones, and can still get them or say goodbye. What is
// received past the bound is refused too: TestSweet32 of internal/record.
func TestSweet32(t *testing.T) {
	const limit = 1<<16 - 1 // the Finished was the first record
	for _, id := range []wire.CipherSuite{wire.TLS_PSK_WITH_3DES_EDE_CBC_SHA, wire.TLS_PSK_WITH_AES_128_CBC_SHA} {
		t.Run(fmt.Sprint(id), func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				client, server := configs(suite.ByID(id), wire.TLS12)
				server.Renegotiate.FromClient = true
				e := connect(t, client, server, nil).well(t)
				var received int64
				var readErr error
				done := make(chan struct{})
				go func() {
					defer close(done)
					received, readErr = io.Copy(io.Discard, e.server)
				}()
				n, err := writeRecords(e.client, limit+100)
				if small := suite.ByID(id).Cipher.BlockLen == 8; !small {
					if n != limit+100 || err != nil {
						t.Fatalf("wrote %d, %v", n, err)
					}
				} else {
					if n != limit || err == nil || !strings.Contains(err.Error(), "Sweet32") {
						t.Fatalf("wrote %d, %v", n, err)
					}
					if err := e.client.Renegotiate(t.Context()); err != nil {
						t.Fatal(err)
					}
					m, err := writeRecords(e.client, 100)
					if n += m; err != nil {
						t.Fatalf("under new keys: %v", err)
					}
				}
				e.client.Close()
				if <-done; int(received) != n || readErr != nil {
					t.Errorf("the server has read %d bytes of %d, %v", received, n, readErr)
				}
			})
		})
	}
}

// writeRecords writes n records of one byte and returns how many went.
func writeRecords(c *tls.Conn, n int) (int, error) {
	for i := range n {
		if _, err := c.Write([]byte{0}); err != nil {
			return i, err
		}
	}
	return n, nil
}
