package interop

import (
	"context"
	"crypto"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// keyCase is an external pre-shared key of TLS 1.3, and how it is used.
type keyCase struct {
	hash  crypto.Hash
	alone bool // without a key exchange beside it, RFC 8446 §4.2.9
}

func (k keyCase) String() string {
	if k.alone {
		return fmt.Sprintf("%v, psk_ke", k.hash)
	}
	return fmt.Sprintf("%v, psk_dhe_ke", k.hash)
}

func (k keyCase) key() []byte {
	key, err := hex.DecodeString(pskKey + pskKey + pskKey)
	if err != nil {
		panic(err)
	}
	return key[:k.hash.Size()]
}

func (k keyCase) external() tls.ExternalPSK {
	return tls.ExternalPSK{Identity: []byte(pskIdentity), Key: k.key(), Hash: k.hash}
}

// config is ours, in either role: it takes nothing but the key.
func (k keyCase) config() *tls.Config {
	c := &tls.Config{PSK: tls.PSK{
		External: []tls.ExternalPSK{k.external()},
		ExternalServer: func(identity []byte) (*tls.ExternalPSK, error) {
			if x := k.external(); string(identity) == pskIdentity {
				return &x, nil
			}
			return nil, nil
		},
		Required: true, WithoutDH: k.alone,
	}}
	c.Legacy.PSKWithoutDH = k.alone
	return c
}

// holds a connection against the case.
func (k keyCase) holds(t *testing.T, state tls.State) {
	t.Helper()
	exchange := "ECDHE"
	if k.alone {
		exchange = "PSK"
	}
	hash := crypto.SHA256
	if state.CipherSuite == wire.TLS_AES_256_GCM_SHA384 {
		hash = crypto.SHA384
	}
	if state.PSKIdentity != pskIdentity || state.KeyExchange != exchange || hash != k.hash || len(state.PeerCertificates) > 0 || state.Resumption != "none" {
		t.Errorf("the key of %q, %s, %v, %d certificates, resumption %s", state.PSKIdentity, state.KeyExchange, state.CipherSuite, len(state.PeerCertificates), state.Resumption)
	}
}

// keyPeer is a program that has such keys.
type keyPeer struct {
	name           string
	client, server func(testing.TB) []string // how the commands begin
	cases          []keyCase
	// serve are the arguments of a server at a port, which is up when it has printed ready.
	serve func(t *testing.T, k keyCase, dir string, port int) (args []string)
	ready string
	// connect are those of a client, which sends what it is told to and prints what comes.
	connect func(t *testing.T, k keyCase, dir string, port int) (args []string)
	echoes  bool // the server does, and prints nothing
}

var keyPeers = []keyPeer{
	{name: "openssl", client: installed("openssl", "openssl"), server: installed("openssl", "openssl"), cases: []keyCase{
		{crypto.SHA256, false}, {crypto.SHA256, true}, {crypto.SHA384, false}, {crypto.SHA384, true},
	}, serve: opensslServesKey, ready: "ACCEPT", connect: opensslShowsKey},
	{name: "openssl 3.5", client: openssl35, server: openssl35, cases: []keyCase{
		{crypto.SHA256, false}, {crypto.SHA256, true}, {crypto.SHA384, false}, {crypto.SHA384, true},
	}, serve: opensslServesKey, ready: "ACCEPT", connect: opensslShowsKey},
	// GnuTLS 3.7 has no way to say that a key is for SHA-384.
	{name: "gnutls", client: installed("gnutls-cli", "gnutls-bin"), server: installed("gnutls-serv", "gnutls-bin"), cases: []keyCase{
		{crypto.SHA256, false}, {crypto.SHA256, true},
	}, serve: gnutlsServesKey, ready: "Echo Server listening on IPv6", connect: gnutlsShowsKey, echoes: true},
}

func opensslServesKey(t *testing.T, k keyCase, dir string, port int) []string {
	return append([]string{"s_server", "-accept", "127.0.0.1:" + strconv.Itoa(port), "-nocert"}, opensslKey(t, k, dir)...)
}

func opensslShowsKey(t *testing.T, k keyCase, dir string, port int) []string {
	return append([]string{"s_client", "-connect", "127.0.0.1:" + strconv.Itoa(port)}, opensslKey(t, k, dir)...)
}

// opensslKey are the arguments for a key. One that is not for
// SHA-256 comes as a session with it.
func opensslKey(t *testing.T, k keyCase, dir string) []string {
	args := []string{"-tls1_3", "-psk_identity", pskIdentity}
	if k.alone {
		args = append(args, "-allow_no_dhe_kex")
	}
	if k.hash == crypto.SHA256 {
		return append(args, "-psk", hex.EncodeToString(k.key()))
	}
	der, err := asn1.Marshal(struct {
		Version, Protocol int
		Suite, ID, Secret []byte
	}{1, int(wire.TLS13), []byte{0x13, 0x02}, nil, k.key()})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "session")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "SSL SESSION PARAMETERS", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return append(args, "-psk_session", file, "-ciphersuites", "TLS_AES_256_GCM_SHA384") // s_server else prefers the other hash
}

// gnutlsMode allows one way to use a key.
func gnutlsMode(k keyCase) string {
	mode := "+ECDHE-PSK"
	if k.alone {
		mode = "+PSK"
	}
	return "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:" + mode
}

func gnutlsServesKey(t *testing.T, k keyCase, dir string, port int) []string {
	secrets := filepath.Join(dir, "psk")
	if err := os.WriteFile(secrets, []byte(pskIdentity+":"+hex.EncodeToString(k.key())+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--echo", "--disable-client-cert", "--pskpasswd", secrets, "--priority", gnutlsMode(k), "-p", strconv.Itoa(port)}
}

func gnutlsShowsKey(_ *testing.T, k keyCase, _ string, port int) []string {
	return []string{"--pskusername", pskIdentity, "--pskkey", hex.EncodeToString(k.key()), "--priority", gnutlsMode(k), "127.0.0.1", "-p", strconv.Itoa(port)}
}

// External pre-shared keys with real programs, in both roles. RFC 8446 §4.2.11.
func TestExternalKeys(t *testing.T) {
	programs.SkipIfOff(t)
	for _, p := range keyPeers {
		for _, k := range p.cases {
			t.Run(p.name+" serves/"+k.String(), func(t *testing.T) {
				command := p.server(t)
				t.Parallel()
				p.serves(t, command, k)
			})
			t.Run(p.name+" connects/"+k.String(), func(t *testing.T) {
				command := p.client(t)
				t.Parallel()
				p.connects(t, command, k)
			})
		}
	}
}

func (p *keyPeer) serves(t *testing.T, command []string, k keyCase) {
	ctx, cancel := context.WithTimeout(t.Context(), cellTimeout)
	defer cancel()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	child, err := startAfter(ctx, dir, command, p.serve(t, k, dir, port)...)
	if err != nil {
		t.Fatal(err)
	}
	defer child.Close()
	if err := child.awaitCount(ctx, p.ready, 1); err != nil {
		t.Fatalf("%v: %s", err, child.text())
	}
	conn, err := (&tls.Dialer{Config: k.config()}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatalf("%v: %s", err, child.text())
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(cellTimeout))
	k.holds(t, conn.(*tls.Conn).State())
	io.WriteString(conn, "from us\n")
	if !p.echoes {
		if err := child.awaitPayload(ctx, []byte("from us")); err != nil {
			t.Errorf("%v: %s", err, child.text())
		}
		io.WriteString(child, "from them: from us\n")
	}
	buf := make([]byte, 100)
	if n, err := conn.Read(buf); err != nil || !strings.Contains(string(buf[:n]), "from us") {
		t.Errorf("read %q, %v", buf[:n], err)
	}
}

func (p *keyPeer) connects(t *testing.T, command []string, k keyCase) {
	ctx, cancel := context.WithTimeout(t.Context(), cellTimeout)
	defer cancel()
	l, err := tls.Listen("tcp", "127.0.0.1:0", k.config())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	child, err := startAfter(ctx, dir, command, p.connect(t, k, dir, l.Addr().(*net.TCPAddr).Port)...)
	if err != nil {
		t.Fatal(err)
	}
	defer child.Close()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	raw, err := l.Accept()
	if err != nil {
		t.Fatalf("%v: %s", err, child.text())
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(cellTimeout))
	conn := raw.(*tls.Conn)
	if err := conn.HandshakeContext(ctx); err != nil {
		t.Fatalf("%v: %s", err, child.text())
	}
	k.holds(t, conn.State())
	io.WriteString(conn, "from us\n")
	if err := child.awaitPayload(ctx, []byte("from us")); err != nil {
		t.Errorf("%v: %s", err, child.text())
	}
	io.WriteString(child, "from them\n")
	buf := make([]byte, 100)
	if n, err := conn.Read(buf); err != nil || !strings.Contains(string(buf[:n]), "from them") {
		t.Errorf("read %q, %v", buf[:n], err)
	}
}
