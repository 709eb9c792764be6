package interop

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/certcompress/brotli"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	vitrine "github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Chromium takes our certificate compressed by brotli, and believes it.
func TestChromiumCompressedCertificate(t *testing.T) {
	programs.SkipIfOff(t)
	need(t, chromium.missing(), chromium.Package)
	ctx, cancel := context.WithTimeout(t.Context(), batchTimeout)
	defer cancel()
	s := newShown(t)
	a := brotli.Algorithm()
	a.Always = true
	sent := make(chan string, 1)
	config := &vitrine.Config{
		Certificates: []vitrine.Certificate{s.cert}, NextProtos: []string{"http/1.1"}, MinVersion: vitrine.VersionTLS13,
		CertificateCompression: []certcompress.Algorithm{a},
		Trace: &trace.Hooks{Message: func(m trace.Message) {
			if m.Dir != trace.Sent || wire.HandshakeType(m.Raw[0]) != wire.TypeCompressedCertificate {
				return
			}
			var c wire.CompressedCertificate
			if wire.Decode(&c, m.Raw[wire.HeaderLen:], m.Context, nil) == nil {
				select {
				case sent <- c.Algorithm.String():
				default: // once is enough
				}
			}
		}},
	}
	listener, err := vitrine.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<p>it was small") })}
	go server.Serve(listener)
	defer server.Close()
	if err := os.MkdirAll(filepath.Join(s.dir, "home"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	dom, err := chromiumDump(ctx, filepath.Join(s.dir, "home"), filepath.Join(s.dir, "ca.pem"), "https://"+serverName+":"+port+"/")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(dom, "it was small") {
		t.Errorf("the page is %q", dom)
	}
	select {
	case algorithm := <-sent:
		if algorithm != "brotli" {
			t.Errorf("it was compressed by %s", algorithm)
		}
	default:
		t.Error("no certificate was sent compressed")
	}
}
