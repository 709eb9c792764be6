package attacks

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// POODLE (CVE-2014-3566): SSL 3.0 does not say what its padding holds, so an
// attacker may put another block in its place and learn a byte one time in 256.
// The same was found in servers of TLS that did not look at every byte
// (CVE-2014-8730). SSL 3.0 has two switches, and padding is read in full; that
// every length of padding is, is shown by TestCBCPadding of internal/record.

// SSL 3.0 needs MinVersion and Legacy.SSL30, and neither alone lets it in.
func TestPOODLESwitches(t *testing.T) {
	s := suite.ByID(wire.TLS_RSA_WITH_AES_128_CBC_SHA)
	for _, test := range []struct {
		name    string
		set     func(c *tls.Config)
		misuse  bool // the Config is refused
		succeed bool
	}{
		{"neither", func(c *tls.Config) { c.MinVersion, c.Legacy.SSL30 = 0, false }, false, false},
		{"MinVersion alone", func(c *tls.Config) { c.Legacy.SSL30 = false }, true, false},
		{"the switch alone", func(c *tls.Config) { c.MinVersion = 0 }, false, false},
		{"the switch and TLS 1.0", func(c *tls.Config) { c.MinVersion = tls.VersionTLS10 }, false, false},
		{"both", func(*tls.Config) {}, false, true},
	} {
		for _, role := range []wire.Role{wire.Client, wire.Server} {
			t.Run(fmt.Sprint(test.name, "/", role), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					client, server := configs(s, wire.SSL30)
					client.MaxVersion, server.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
					victim, other := client, server
					if role == wire.Server {
						victim, other = server, client
					}
					test.set(victim)
					other.MaxVersion = uint16(wire.SSL30)
					e := connect(t, client, server, nil)
					errs := map[wire.Role]error{wire.Client: e.clientErr, wire.Server: e.serverErr}
					var failure *tls.HandshakeError
					switch err := errs[role]; {
					case test.succeed:
						e.well(t).talk(t)
					case !errors.As(err, &failure):
						t.Errorf("%v", err)
					case test.misuse:
						if !strings.Contains(err.Error(), "Legacy.SSL30") {
							t.Errorf("the error does not name the switch: %v", err)
						}
					case failure.Alert != wire.AlertProtocolVersion:
						t.Errorf("%v", err)
					}
				})
			})
		}
	}
}

// keyed are the params of one direction, as the trace tells them.
func keyed(c *tls.Config, dir trace.Direction) *record.Params {
	p := new(record.Params)
	c.Trace = &trace.Hooks{Keys: func(k trace.Keys) {
		if k.Dir == dir {
			*p = record.Params{Version: k.Version, Suite: suite.ByID(k.Suite), Key: bytes.Clone(k.Key), IV: bytes.Clone(k.IV),
				MAC: bytes.Clone(k.MAC), EncryptThenMAC: k.EncryptThenMAC}
		}
	}}
	return p
}

// cbc encrypts whole blocks that already hold MAC and padding, as the record
// after the last one on the wire.
func cbc(p record.Params, last []byte, plain []byte) []byte {
	n := p.Suite.Cipher.BlockLen
	iv := bytes.Clone(last[len(last)-n:])
	explicit := iv
	if isChained(p.Version) {
		explicit = nil
	}
	body := append(bytes.Clone(explicit), plain...)
	cipher.NewCBCEncrypter(must(p.Suite.Cipher.Block(p.Key)), iv).CryptBlocks(body[len(explicit):], body[len(explicit):])
	return clearRecord(wire.ContentApplicationData, p.Version, body)
}

// plaintext is content with its MAC, which is that of record number 1 because the
// Finished was number 0, and padding bytes that all say their number.
func plaintext(p record.Params, content []byte, padding int) []byte {
	b := append(bytes.Clone(content), macOf(p, content)...)
	return append(b, bytes.Repeat([]byte{byte(padding)}, padding+1)...)
}

// whole is the number of padding bytes that makes n bytes whole blocks, with
// extra blocks more.
func whole(p record.Params, n, extra int) int {
	block := p.Suite.Cipher.BlockLen
	return (block-(n+1)%block)%block + extra*block
}

// cbcSuites have every length of block and every MAC that CBC suites have.
var cbcSuites = []wire.CipherSuite{
	wire.TLS_RSA_WITH_AES_128_CBC_SHA, wire.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
	wire.TLS_PSK_WITH_AES_128_CBC_SHA256, wire.TLS_PSK_WITH_AES_256_CBC_SHA384,
}

// oracle calls f for each suite of cbcSuites and version, with a way to ask a fresh
// server about a plaintext: made from the keys and encrypted as it is, what does
// the server answer?
func oracle(t *testing.T, f func(t *testing.T, p record.Params, ask func(plain func(record.Params) []byte) string)) {
	for _, id := range cbcSuites {
		s := suite.ByID(id)
		for _, v := range oldVersions {
			if !s.Allows(v) {
				continue
			}
			t.Run(fmt.Sprint(s.Name, "/", v), func(t *testing.T) {
				t.Parallel()
				bubble(t, func(t *testing.T) {
					f(t, record.Params{Version: v, Suite: s}, func(plain func(record.Params) []byte) string { return answer(t, s, v, plain) })
				})
			})
		}
	}
}

// answer is all that can be seen of a server's reaction to a record: what it
// sends, and its error.
func answer(t *testing.T, s *suite.Suite, v wire.Version, plain func(record.Params) []byte) string {
	client, server := configs(s, v)
	client.Legacy.NoEncryptThenMAC = true
	p := keyed(client, trace.Sent)
	var alerts []wire.AlertCode
	server.Trace = &trace.Hooks{Alert: func(a trace.Alert) {
		if a.Dir == trace.Sent {
			alerts = append(alerts, a.Code)
		}
	}}
	e := connect(t, client, server, nil).well(t)
	before := len(e.records(wire.Server))
	fromClient := e.records(wire.Client)
	go e.network.client.Write(cbc(*p, fromClient[len(fromClient)-1], plain(*p)))
	got := make([]byte, 1<<14)
	settled := make(chan string, 1)
	go func() {
		n, err := e.server.Read(got)
		settled <- fmt.Sprintf("%q, %v", got[:n], err)
	}()
	outcome := <-settled
	settle()
	for _, rec := range e.records(wire.Server)[before:] {
		outcome += fmt.Sprintf(", %v of %d bytes", typeOf(rec), len(rec))
	}
	return fmt.Sprint(outcome, alerts)
}

// With the right MAC, a wrong byte anywhere in the padding is fatal in TLS. In
// SSL 3.0 it is not, and cannot be: that is the attack.
func TestPOODLEEveryByteOfThePadding(t *testing.T) {
	oracle(t, func(t *testing.T, p record.Params, ask func(func(record.Params) []byte) string) {
		content := []byte("content")
		n := len(content) + p.Suite.MAC.Len
		extra := 1
		if p.Version == wire.SSL30 {
			extra = 0 // it allows less than a block
		}
		padding := whole(p, n, extra)
		good := ask(func(p record.Params) []byte { return plaintext(p, content, padding) })
		if !strings.HasPrefix(good, `"content", <nil>`) {
			t.Fatalf("right padding is refused: %s", good)
		}
		for i := range padding {
			got := ask(func(p record.Params) []byte {
				b := plaintext(p, content, padding)
				b[n+i] ^= 1
				return b
			})
			if opens := got == good; opens != (p.Version == wire.SSL30) || !opens && !strings.HasSuffix(got, "[bad_record_mac]") {
				t.Errorf("byte %d of %d of the padding is wrong: %s", i, padding, got)
			}
		}
	})
}

// TLS_FALLBACK_SCSV (RFC 7507): a client that an attacker has driven to an older
// version says so, and a server that could do better refuses.
func TestPOODLEFallback(t *testing.T) {
	s := suite.ByID(wire.TLS_RSA_WITH_AES_128_CBC_SHA)
	for _, best := range append(oldVersions, wire.TLS13) {
		for _, fallen := range oldVersions {
			if fallen > best {
				continue
			}
			t.Run(fmt.Sprintf("%v/%v", best, fallen), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					client, server := configs(s, fallen)
					server.MaxVersion, client.Legacy.FallbackSCSV = uint16(best), true
					e := connect(t, client, server, nil)
					if best == fallen {
						e.well(t).talk(t)
						return
					}
					refused(t, e.serverErr, wire.AlertInappropriateFallback)
				})
			})
		}
	}
}
