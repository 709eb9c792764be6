package capture

import (
	"bytes"
	"crypto/rsa"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// readWith reads a capture with keys, and returns its connections.
func readWith(t *testing.T, file io.Reader, keys *Keys, decrypt bool) (all []*Connection) {
	t.Helper()
	if _, err := Read(file, Options{Keys: keys, Decrypt: decrypt, Found: func(c *Connection) error {
		all = append(all, c)
		return nil
	}}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestKeyLogs(t *testing.T) {
	log := "# a comment\nCLIENT_RANDOM " + strings.Repeat("0a", 32) + " " + strings.Repeat("0b", 48) + "\r\n" +
		strings.Repeat("x", 3*maxLogLine) + "\nCLIENT_TRAFFIC_SECRET_0 " + strings.Repeat("0c", 32) + " " + strings.Repeat("0d", 32)
	// The end of a line that is too long is no line, though it looks like one.
	log = strings.Repeat("x", maxLogLine) + "CLIENT_RANDOM " + strings.Repeat("0e", 32) + " " + strings.Repeat("0f", 48) + "\n" + log
	var k Keys
	if n, err := k.AddLog(strings.NewReader(log)); n != 2 || err != nil {
		t.Errorf("%d secrets, %v", n, err)
	}
}

// A key log that grows while the capture is read is read on, a line at a time.
func TestAKeyLogThatGrows(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, "hello", nil)
	name := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(name, s.log[:300], 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	keys := &Keys{}
	before, err := keys.Follow(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, s.log, 0o600); err != nil {
		t.Fatal(err)
	}
	all := readWith(t, bytes.NewReader(pcapOf(t, linkRaw, testEnds().frames(t, segments(s.said))...)), keys, true)
	if before >= bytes.Count(s.log, []byte("\n")) || len(all) != 1 || !all[0].Readable || all[0].ClientSent.Opened == 0 || all[0].Missing != "" {
		t.Errorf("%d secrets before; %+v", before, all[0])
	}
}

// The server's RSA key opens a key exchange by RSA, and the session that is resumed from it.
func TestRSAKeyAndResumption(t *testing.T) {
	var client, server *tls.Config
	first := speak(t, tls.VersionTLS12, devca.RSA, "hello", func(c, s *tls.Config) {
		for _, side := range []*tls.Config{c, s} {
			side.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
			side.Legacy.RSAKeyExchange = true
			side.SessionTicketsDisabled = true
		}
		c.ClientSessionCache, s.Resumption.Store = tls.NewLRUClientSessionCache(1), session.NewMemory(1<<20)
		client, server = c, s
	})
	e := testEnds()
	later := e
	later.client = netip.AddrPortFrom(e.client.Addr(), 50001)
	key := server.Certificates[0].PrivateKey.(*rsa.PrivateKey)
	second := converse(t, client, server, "hello")
	keys := &Keys{}
	keys.AddRSA(key)
	file := pcapOf(t, linkRaw, append(e.frames(t, segments(first.said)), later.frames(t, segments(second))...)...)
	all := readWith(t, bytes.NewReader(file), keys, true)
	if len(all) != 2 || all[1].Resumed != "id" {
		t.Fatalf("%d connections, the last resumed %q", len(all), all[len(all)-1].Resumed)
	}
	for _, c := range all {
		if !c.Readable || c.ClientSent.Opened == 0 || c.ServerSent.Opened == 0 || !c.Complete {
			t.Errorf("%+v", c)
		}
	}
	for _, c := range readWith(t, bytes.NewReader(file), nil, true) {
		if c.Readable || c.Missing == "" {
			t.Errorf("without the key: %+v", c)
		}
	}
}

// What has ended is reported while the capture goes on.
func TestFollowingACapture(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, "hello", nil)
	r, w := io.Pipe()
	found := make(chan *Connection, 1)
	done := make(chan error, 1)
	go func() {
		_, err := Read(r, Options{Found: func(c *Connection) error {
			found <- c
			return nil
		}})
		done <- err
	}()
	if _, err := w.Write(pcapOf(t, linkRaw, testEnds().frames(t, segments(s.said))...)); err != nil {
		t.Fatal(err)
	}
	if c := <-found; c.Outcome != "complete" { // the pipe is open
		t.Error(c.Outcome)
	}
	w.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
