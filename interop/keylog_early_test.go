package interop

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// TestKeyLogOfEarlyData has tshark decrypt early data with our key log, by either side's, which has
// CLIENT_EARLY_TRAFFIC_SECRET for it.
func TestKeyLogOfEarlyData(t *testing.T) {
	programs.SkipIfOff(t)
	for _, program := range []string{"tshark", "dumpcap"} {
		if _, err := exec.LookPath(program); err != nil {
			need(t, program, "tshark")
		}
	}
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, logs := range []wire.Role{wire.Client, wire.Server} {
		t.Run(logs.String(), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*cellTimeout)
			defer cancel()
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			capture, err := newCapture(ctx, t.TempDir(), ln.Addr().(*net.TCPAddr).Port)
			if errors.Is(err, errNoCapture) && !programs.Required() {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			log, err := os.Create(capture.keyLog)
			if err != nil {
				t.Fatal(err)
			}
			defer log.Close()
			client := &tls.Config{RootCAs: material.pool, ServerName: serverName, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
			server := takesEarly(t, material)
			map[wire.Role]*tls.Config{wire.Client: client, wire.Server: server}[logs].KeyLogWriter = log
			go serveEarly(ln, server, make(chan []byte, 1))
			for i := range 2 {
				connectEarly(ctx, t, ln.Addr().String(), client, i == 1)
			}
			if err := capture.stop(ctx, 2); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(capture.keyLog)
			if err != nil || strings.Count(string(text), "CLIENT_EARLY_TRAFFIC_SECRET ") != 1 {
				t.Fatalf("%v; the key log:\n%s", err, text)
			}
			decrypted, err := capture.decrypt(ctx, 2)
			if err != nil {
				t.Fatal(err)
			}
			if got := decrypted[1]; string(got.there) != earlyPayload || !strings.HasPrefix(string(got.back), "the answer to ") {
				t.Errorf("tshark reads %q, and back %q; the key log:\n%s", got.there, got.back, text)
			}
		})
	}
}

// connectEarly connects once, and sends early data if wanted.
func connectEarly(ctx context.Context, t *testing.T, addr string, config *tls.Config, wanted bool) {
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(cellTimeout))
	c := tls.Client(raw, config)
	if wanted {
		if taken, err := c.HandshakeEarly(ctx, []byte(earlyPayload)); !taken || err != nil {
			t.Fatalf("taken: %v, %v", taken, err)
		}
	}
	if _, err := io.ReadFull(c, make([]byte, len("behind the ticket"))); err != nil {
		t.Fatal(err)
	}
	c.Close()
}
