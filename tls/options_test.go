package tls

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// ALPN is strict: with something on both sides, something must be in common.
func TestALPN(t *testing.T) {
	for _, version := range bothVersions {
		for _, test := range []struct {
			client, server []string
			want           string
			fails          bool
		}{
			{client: nil, server: nil},
			{client: []string{"a"}, server: nil},
			{client: nil, server: []string{"a"}},
			{client: []string{"a", "b", "c"}, server: []string{"c", "b"}, want: "c"},
			{client: []string{"a"}, server: []string{"b"}, fails: true},
		} {
			client, server := testPKI().client(), testPKI().server("ecdsa-p256")
			at(version, client, server)
			client.NextProtos, server.NextProtos = test.client, test.server
			c, s, clientErr, serverErr := connectInMemory(client, server)
			if test.fails {
				refusedBoth(t, c, clientErr, serverErr, wire.AlertNoApplicationProtocol)
				var fault *HandshakeError
				if !errors.As(serverErr, &fault) || len(fault.Ours) != 1 || len(fault.Theirs) != 1 {
					t.Errorf("the error does not say who offered what: %+v", fault)
				}
				continue
			}
			if clientErr != nil || serverErr != nil || c.ConnectionState().NegotiatedProtocol != test.want || s.State().ALPN != test.want {
				t.Errorf("%v: %q; %v, %v", test, c.State().ALPN, clientErr, serverErr)
			}
		}
	}
}

// Both ends write the same lines, one for each secret of the version.
func TestKeyLog(t *testing.T) {
	labels := map[uint16][]string{
		VersionTLS12: {"CLIENT_RANDOM"},
		VersionTLS13: {"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"},
	}
	for _, kind := range kinds {
		client, server := resumable(kind.version, kind.server)
		for range 2 { // in full, and resumed
			var ours, theirs lockedBuffer
			client.KeyLogWriter, server.KeyLogWriter = &ours, &theirs
			c, s := mustConnect(t, client, server)
			bringTickets(t, c, s)
			if ours.String() != theirs.String() {
				t.Errorf("client:\n%sserver:\n%s", ours.String(), theirs.String())
			}
			lines := strings.Split(strings.TrimSuffix(ours.String(), "\n"), "\n")
			for i, label := range labels[kind.version] {
				if len(lines) != len(labels[kind.version]) || !strings.HasPrefix(lines[i], label+" ") || len(strings.Fields(lines[i])) != 3 {
					t.Errorf("%s: line %d is %q, want %s", kind.name, i, lines, label)
				}
			}
		}
	}
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	client.KeyLogWriter = brokenWriter{}
	if _, _, clientErr, _ := connectInMemory(client, server); !errors.Is(clientErr, io.ErrShortWrite) {
		t.Errorf("a key log that cannot be written: %v", clientErr)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// A client that says it fell back is refused by a server that can do better.
func TestFallbackSCSV(t *testing.T) {
	for _, test := range []struct {
		clientMax, serverMax uint16
		refused              bool
	}{
		{VersionTLS12, VersionTLS13, true}, {VersionTLS12, VersionTLS12, false}, {VersionTLS13, VersionTLS13, false},
	} {
		for _, listed := range []bool{false, true} {
			client, server := testPKI().client(), testPKI().server("ecdsa-p256")
			client.MaxVersion, server.MaxVersion = test.clientMax, test.serverMax
			if listed {
				client.CipherSuites = []uint16{TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_FALLBACK_SCSV}
			} else {
				client.Legacy.FallbackSCSV = true
			}
			c, _, clientErr, serverErr := connectInMemory(client, server)
			if test.refused {
				refusedBoth(t, c, clientErr, serverErr, wire.AlertInappropriateFallback)
			} else if clientErr != nil || serverErr != nil {
				t.Errorf("%+v: %v, %v", test, clientErr, serverErr)
			}
		}
	}
}

// GREASE values stand in every place of RFC 8701 and disturb nobody.
func TestGREASE(t *testing.T) {
	for _, version := range bothVersions {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		client.GREASE, server.GREASE, server.MaxVersion = true, true, version
		var hello *wire.ClientHello
		var ticket wire.ExtensionType
		client.Trace = traceMessages(func(m wire.Message) {
			if h, ok := m.(*wire.ClientHello); ok {
				hello = h
			}
			if m, ok := m.(*wire.NewSessionTicket); ok && len(m.Extensions) > 0 {
				ticket = m.Extensions[0].Type
			}
		})
		c, s := mustConnect(t, client, server)
		reserved := func(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }
		count := 0
		for _, x := range hello.Extensions {
			if reserved(uint16(x.Type)) {
				count++
			}
		}
		var groups []wire.NamedGroup
		var versions []wire.Version
		var shares []wire.KeyShareEntry
		hello.Extensions.Read(wire.ExtSupportedGroups, func(r *wire.Reader) { groups = wire.ReadSupportedGroups(r, nil) })
		hello.Extensions.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { versions = wire.ReadSupportedVersions(r, nil) })
		hello.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { shares = wire.ReadKeyShares(r, nil) })
		if count != 2 || !reserved(uint16(hello.CipherSuites[0])) || !reserved(uint16(groups[0])) || !reserved(uint16(versions[0])) || shares[0].Group != groups[0] {
			t.Errorf("%d extensions, %v, %v, %v, %v", count, hello.CipherSuites[0], groups[0], versions[0], shares[0].Group)
		}
		exchange(t, c, s)
		var schemes []wire.SignatureScheme
		hello.Extensions.Read(wire.ExtSignatureAlgorithms, func(r *wire.Reader) { schemes = wire.ReadSignatureAlgorithms(r, nil) })
		if is13 := version == VersionTLS13; !reserved(uint16(schemes[0])) || reserved(uint16(ticket)) != is13 {
			t.Errorf("%s: schemes %v, the ticket's extension %v", VersionName(version), schemes, ticket)
		}
	}
}

// A staple and timestamps arrive, and are there again after a resumption.
func TestStaples(t *testing.T) {
	for _, kind := range kinds {
		client, server := resumable(kind.version, kind.server)
		cert := server.Certificates[0]
		cert.OCSPStaple, cert.SignedCertificateTimestamps = []byte("an OCSP response"), [][]byte{[]byte("one"), []byte("two")}
		server.Certificates = []Certificate{cert}
		for i := range 2 {
			c, s := mustConnect(t, client, server)
			bringTickets(t, c, s)
			state := c.ConnectionState()
			if string(state.OCSPResponse) != "an OCSP response" || string(c.OCSPResponse()) != "an OCSP response" || fmt.Sprintf("%s", state.SignedCertificateTimestamps) != "[one two]" {
				t.Errorf("%s, connection %d: %q, %q", kind.name, i, state.OCSPResponse, state.SignedCertificateTimestamps)
			}
		}
	}
}

// Encrypt-then-MAC comes with the CBC suites where both sides have it on.
func TestEncryptThenMAC(t *testing.T) {
	for _, suite := range modernSuites() {
		if suite.SupportedVersions[0] != VersionTLS12 && !has(suite.SupportedVersions, VersionTLS12) {
			continue
		}
		kind := map[string]string{"RSA": "rsa2048", "ECDSA": "ecdsa-p256"}[authOf(suite.ID)]
		for _, off := range [][2]bool{{}, {true, false}, {false, true}} {
			client, server := testPKI().client(), testPKI().server(kind)
			at(VersionTLS12, client, server)
			for i, c := range []*Config{client, server} {
				c.CipherSuites, c.Legacy = []uint16{suite.ID}, weakSuites
				c.Legacy.NoEncryptThenMAC = off[i]
			}
			c, s := mustConnect(t, client, server)
			want := strings.Contains(suite.Name, "_CBC_") && !off[0] && !off[1]
			if c.State().EncryptThenMAC != want || s.State().EncryptThenMAC != want {
				t.Errorf("%s, off %v: %v, %v", suite.Name, off, c.State().EncryptThenMAC, s.State().EncryptThenMAC)
			}
			exchange(t, c, s)
		}
	}
}

// Padding hides how long the content is; MaxFragment bounds it.
func TestRecordOptions(t *testing.T) {
	for _, version := range bothVersions {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		at(version, client, server)
		client.Record = RecordOptions{MaxFragment: 500, Padding: func(n int) int { return 512 - n }}
		var sizes, contents []int
		var paddings []int
		server.Trace = &trace.Hooks{Record: func(r trace.Record) {
			if r.Dir == trace.Received && r.Type == wire.ContentApplicationData {
				sizes, contents, paddings = append(sizes, len(r.Wire)), append(contents, len(r.Plain)), append(paddings, r.Padding)
			}
		}}
		c, s := mustConnect(t, client, server)
		data := bytes.Repeat([]byte("0123456789"), 120)
		if n, err := c.Write(data); n != len(data) || err != nil {
			t.Fatal(n, err)
		}
		got := make([]byte, len(data))
		if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, data) {
			t.Fatal(err)
		}
		if fmt.Sprint(contents) != "[500 500 200]" {
			t.Errorf("%s: contents of %v bytes", VersionName(version), contents)
		}
		if version == VersionTLS13 && (fmt.Sprint(paddings) != "[12 12 312]" || sizes[0] != sizes[2]) {
			t.Errorf("paddings of %v bytes, records of %v", paddings, sizes)
		}
		exchange(t, c, s)
	}
	for _, padding := range []int{-5, math.MaxInt} { // nonsense does no harm
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		client.Record.Padding = func(int) int { return padding }
		c, s := mustConnect(t, client, server)
		exchange(t, c, s)
	}
}

// Either side can renew its own keys and ask for the other's, at any time.
func TestKeyUpdate(t *testing.T) {
	for _, request := range []bool{false, true} {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		epochs := [2]map[trace.Direction]int{{}, {}}
		var mu sync.Mutex // the directions have goroutines of their own
		for i, c := range []*Config{client, server} {
			c.Trace = &trace.Hooks{Keys: func(k trace.Keys) {
				mu.Lock()
				defer mu.Unlock()
				epochs[i][k.Dir] = k.Epoch
			}}
		}
		c, s := mustConnect(t, client, server)
		for range 3 {
			for _, conn := range []*Conn{c, s} {
				if err := conn.KeyUpdate(request); err != nil {
					t.Fatal(err)
				}
				bringTickets(t, c, s)
				bringTickets(t, s, c)
			}
		}
		want := map[bool]int{false: 2 + 3, true: 2 + 6}[request]
		mu.Lock()
		for i := range epochs {
			if epochs[i][trace.Sent] != want || epochs[i][trace.Received] != want {
				t.Errorf("request %v: epochs %v, want %d", request, epochs, want)
			}
		}
		mu.Unlock()
		exchange(t, c, s)
	}
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	at(VersionTLS12, client, server)
	c, s := mustConnect(t, client, server)
	if err := c.KeyUpdate(true); err == nil {
		t.Error("a KeyUpdate in TLS 1.2")
	}
	exchange(t, c, s)
}
