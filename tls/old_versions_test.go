package tls

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Where there is no version in common somebody says protocol_version and closes, for
// each pair: the server or, where its version is below what the hello can say (that
// has no least version before TLS 1.3), the client.
func TestNoVersionInCommon(t *testing.T) {
	for _, ours := range allVersions {
		for _, theirs := range allVersions {
			if ours == theirs {
				continue
			}
			t.Run(fmt.Sprintf("client %v, server %v", ours, theirs), func(t *testing.T) {
				t.Parallel()
				client, server := testPKI().client(), testPKI().server("rsa2048")
				at(uint16(ours), client)
				at(uint16(theirs), server)
				for _, c := range []*Config{client, server} {
					c.Legacy.SSL30, c.Legacy.RSAKeyExchange = true, true
					c.CipherSuites = suitesNamed("TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_AES_128_GCM_SHA256")
				}
				a, b := tcpPair(t)
				c, s := Client(a, client), Server(b, server)
				clientErr, serverErr := shake(c, s)
				refuses, refused := serverErr, clientErr
				if ours < wire.TLS13 && theirs < ours {
					refuses, refused = clientErr, serverErr
				}
				var mine, other *HandshakeError
				if !errors.As(refuses, &mine) || mine.Alert != wire.AlertProtocolVersion || mine.Received {
					t.Errorf("who refuses: %v", refuses)
				}
				if !errors.As(refused, &other) || other.Alert != wire.AlertProtocolVersion || !other.Received {
					t.Errorf("who is refused: %v", refused)
				}
				if text := refuses.Error(); !strings.Contains(text, ours.String()) || !strings.Contains(text, theirs.String()) {
					t.Errorf("it does not name both versions: %s", text)
				}
				a.SetReadDeadline(time.Now().Add(5 * time.Second))
				if _, err := io.Copy(io.Discard, a); err != nil && !errors.Is(err, net.ErrClosed) {
					t.Errorf("nobody closes: %v", err)
				}
			})
		}
	}
}

// The best version in common is taken, for each pair of ranges.
func TestBestVersionInCommon(t *testing.T) {
	last := len(allVersions) - 1
	for top := range allVersions {
		for other := range allVersions {
			client, server := testPKI().client(), testPKI().server("rsa2048")
			client.Legacy.SSL30, server.Legacy.SSL30 = true, true
			client.MinVersion, client.MaxVersion = uint16(allVersions[last]), uint16(allVersions[top])
			server.MinVersion, server.MaxVersion = uint16(allVersions[last]), uint16(allVersions[other])
			c, s := mustConnect(t, client, server)
			if want := allVersions[max(top, other)]; c.State().Version != want || s.State().Version != want {
				t.Errorf("%v and %v agree on %v", allVersions[top], allVersions[other], c.State().Version)
			}
		}
	}
}

// The order of suites is the server's, or by option the client's, in every version.
func TestWhoseOrderOfSuites(t *testing.T) {
	for _, v := range allVersions {
		var list []uint16
		for _, s := range suite.All() {
			if s.Allows(v) && len(s.Switches) == 0 && s.KeyExchange != wire.KeyExchangePSK && !s.KeyExchange.PSK() && (s.Auth == suite.AuthRSA || v == wire.TLS13) {
				list = append(list, uint16(s.ID))
			}
		}
		if len(list) < 2 {
			t.Fatalf("%v: %d suites", v, len(list))
		}
		back := slices.Clone(list)
		slices.Reverse(back)
		for _, clients := range []bool{false, true} {
			client, server := testPKI().client(), testPKI().server("rsa2048")
			at(uint16(v), client, server)
			client.Legacy.SSL30, server.Legacy.SSL30 = true, true
			client.CipherSuites, server.CipherSuites, server.PreferClientCipherSuites = list, back, clients
			c, _ := mustConnect(t, client, server)
			if want := map[bool]uint16{true: list[0], false: back[0]}[clients]; uint16(c.State().CipherSuite) != want {
				t.Errorf("%v, the client's order %v: %v", v, clients, c.State().CipherSuite)
			}
		}
	}
}

// ssl2Hello is a ClientHello in the format of SSL 2.0.
func ssl2Hello(v wire.Version, ciphers ...uint32) []byte {
	b := []byte{1, byte(v >> 8), byte(v)}
	b = binary.BigEndian.AppendUint16(b, uint16(3*len(ciphers)))
	b = append(b, 0, 0, 0, 16)
	for _, c := range ciphers {
		b = append(b, byte(c>>16), byte(c>>8), byte(c))
	}
	b = append(b, "a challenge of 16"[:16]...)
	return append([]byte{0x80 | byte(len(b)>>8), byte(len(b))}, b...)
}

// A ClientHello in the format of SSL 2.0 is answered where the switch is set, in any
// version that it asks for, also a byte at a time; without the switch it is refused,
// and what it was is said. SSL 2.0 itself is refused by its name.
func TestSSL2Hello(t *testing.T) {
	const rsa = uint32(wire.TLS_RSA_WITH_AES_128_CBC_SHA)
	for _, test := range []struct {
		name string
		sent []byte
		on   bool
		want wire.Version // 0: refused
		says string
	}{
		{"SSL 3.0", ssl2Hello(wire.SSL30, 0x010080, rsa), true, wire.SSL30, ""},
		{"TLS 1.0", ssl2Hello(wire.TLS10, 0x010080, rsa), true, wire.TLS10, ""},
		{"TLS 1.2", ssl2Hello(wire.TLS12, rsa), true, wire.TLS12, ""},
		{"a version to come", ssl2Hello(0x0399, rsa), true, wire.TLS12, ""},
		{"SSL 2.0", ssl2Hello(wire.SSL20, 0x010080), true, 0, "SSL 2.0"},
		{"off", ssl2Hello(wire.TLS10, rsa), false, 0, "format of SSL 2.0"},
		{"SSL 2.0, off", ssl2Hello(wire.SSL20, 0x010080), false, 0, "SSL 2.0"},
		{"no suite but of SSL 2.0", ssl2Hello(wire.TLS10, 0x010080, 0x0700c0), true, 0, "cipher suite"},
	} {
		for _, step := range []int{1, 1000} {
			t.Run(fmt.Sprintf("%s/%d at a time", test.name, step), func(t *testing.T) {
				server := testPKI().server("rsa2048")
				server.MinVersion, server.MaxVersion = uint16(wire.SSL30), VersionTLS12
				server.Legacy.SSL30, server.Legacy.RSAKeyExchange, server.Legacy.SSL2Hello = true, true, test.on
				server.CipherSuites = suitesNamed("TLS_RSA_WITH_AES_128_CBC_SHA")
				left, right := pipePair(t)
				testDeadline(t, left)
				failed := make(chan error, 1)
				go func() {
					err := Server(right, server).Handshake()
					right.Close()
					failed <- err
				}()
				go func() {
					for piece := range slices.Chunk(test.sent, step) {
						left.Write(piece)
					}
				}()
				typ, content, err := nextRecord(left)
				if test.want != 0 {
					if err != nil || typ != wire.ContentHandshake || !bytes.HasPrefix(content[4:], []byte{byte(test.want >> 8), byte(test.want)}) {
						t.Fatalf("the answer is %v %x, %v", typ, content, err)
					}
					left.Close()
					<-failed
					return
				}
				if err == nil && typ != wire.ContentAlert {
					t.Errorf("the answer is %v %x", typ, content)
				}
				left.Close()
				if err := <-failed; err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("the server says %v; want %q in it", err, test.says)
				}
			})
		}
	}
}

// What is switched off fails, on both sides, before anything is sent, and the error
// names every switch that is missing and why it is off.
func TestEverySwitchIsNamed(t *testing.T) {
	both := func(name string, set func(*Config), want ...string) {
		t.Helper()
		for side, make := range sides {
			left, right := pipePair(t)
			err := make(left, set).Handshake()
			left.Close()
			if n, _ := right.Read([]byte{0}); n != 0 {
				t.Errorf("%s, %s: something was sent", name, side)
			}
			for _, w := range want {
				if err == nil || !strings.Contains(err.Error(), w) {
					t.Errorf("%s, %s: %v; want %q in it", name, side, err, w)
				}
			}
		}
	}
	seen := map[string]bool{}
	for _, s := range suite.All() {
		for _, name := range s.Switches {
			seen[name] = true
			both(s.Name, func(c *Config) { c.CipherSuites = []uint16{uint16(s.ID)} }, s.Name, "Legacy."+name)
			both(s.Name, func(c *Config) {
				c.CipherSuites = []uint16{uint16(s.ID)}
				c.Legacy = weakSuites
				switch name {
				case "RSAKeyExchange":
					c.Legacy.RSAKeyExchange = false
				case "DES":
					c.Legacy.DES = false
				case "TripleDES":
					c.Legacy.TripleDES = false
				case "RC4":
					c.Legacy.RC4 = false
				case "NullCiphers":
					c.Legacy.NullCiphers = false
				case "Anonymous":
					c.Legacy.Anonymous = false
				case "MD5":
					c.Legacy.MD5 = false
				default:
					t.Errorf("this test does not know Legacy.%s", name)
				}
			}, "set Legacy."+name+" to allow it")
		}
	}
	if len(seen) != 7 {
		t.Errorf("suites need the switches %v", seen)
	}
	both("SSL 3.0", func(c *Config) { c.MinVersion = uint16(wire.SSL30) }, "Legacy.SSL30", "POODLE")
	both("a small group", func(c *Config) { c.DHE.MinBits = 1024 }, "Legacy.SmallDH", "Logjam")
	both("a tiny group", func(c *Config) { c.DHE.MinBits, c.Legacy.SmallDH = 768, true }, "768")
	both("a limit", func(c *Config) { c.Record.SizeLimit = 63 }, "Record.SizeLimit", "64")
	both("another limit", func(c *Config) { c.Record.SizeLimit = 16386 }, "Record.SizeLimit", "16385")
	both("a fragment length", func(c *Config) { c.Record.MaxFragmentLength = 8192 }, "Record.MaxFragmentLength", "4096")
	both("pre-shared keys", func(c *Config) { c.CipherSuites = suitesNamed("TLS_PSK_WITH_AES_128_GCM_SHA256") }, "PSK.")
	both("no version", func(c *Config) { c.MaxVersion = VersionTLS11 }, "MinVersion")
	server := testPKI().server("rsa2048")
	server.CipherSuites = suitesNamed("TLS_DHE_DSS_WITH_AES_128_CBC_SHA")
	if err := Server(nil, server).Handshake(); err == nil || !strings.Contains(err.Error(), "Legacy.DSSSigning") {
		t.Error(err)
	}
}
