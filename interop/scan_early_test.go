package interop

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// forgetful is a ReplayStore that lets every copy in.
type forgetful struct{ session.ReplayStore }

func (forgetful) Claim(context.Context, string, time.Time) error { return nil }

// A server as vitrine serve --early-data has it takes early data once, as the scan sees; and the scan does see
// it where the store lets copies in.
func TestScanReplaysEarlyDataOfOurs(t *testing.T) {
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for name, once := range map[string]bool{"once": true, "any number of times": false} {
		t.Run(name, func(t *testing.T) {
			store := session.SingleUse(session.NewMemory(1 << 20))
			if !once {
				store = forgetful{store}
			}
			quiet := log.New(io.Discard, "", 0)
			s := &httptls.Server{
				HTTP: &http.Server{ErrorLog: quiet, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})},
				TLS: &tls.Config{Certificates: []tls.Certificate{material.certs[keyP256]}, NextProtos: []string{"h2", "http/1.1", "http/1.0"},
					EarlyData: tls.EarlyData{MaxBytes: 16 << 10, Protocols: []string{"http/1.1", ""}, Replay: store}},
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(l) }()
			defer func() { s.Close(); <-ended }()
			found := func(r *scan.Report, id string) bool {
				return slices.ContainsFunc(r.Findings, func(f scan.Finding) bool { return f.ID == id })
			}
			for range 5 { // a scan waits a moment for tickets, which a busy machine may take longer for
				r, err := (&scan.Prober{Timeout: 20 * time.Second}).Scan(t.Context(), scan.Target{Address: l.Addr().String(), Name: serverName}, scan.Options{Roots: material.pool})
				if err != nil {
					t.Fatal(err)
				}
				twice := found(r, "early-data-replay")
				if once && twice {
					t.Fatal("the scan says that early data is taken twice")
				}
				if found(r, "early-data") && twice != once {
					return
				}
			}
			t.Error("the scan does not find what there is")
		})
	}
}
