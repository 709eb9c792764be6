package observe

import (
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

// receiver is a collector of spans.
type receiver struct {
	mu    sync.Mutex
	spans []*otlp.Span
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body := io.Reader(req.Body)
	if req.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(body); err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
	}
	raw, err := io.ReadAll(body)
	var got collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(raw, &got) != nil || req.URL.Path != "/v1/traces" {
		http.Error(w, "no spans", 400)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range got.ResourceSpans {
		for _, scope := range of.ScopeSpans {
			r.spans = append(r.spans, scope.Spans...)
		}
	}
}

func attributes(s *otlp.Span) map[string]string {
	all := map[string]string{}
	for _, a := range s.Attributes {
		all[a.Key] = a.Value.GetStringValue()
	}
	return all
}

// Each connection is a span with its handshake and its target below.
func TestSpans(t *testing.T) {
	r := &receiver{}
	srv := httptest.NewServer(r)
	defer srv.Close()
	o := observer(t, config.Admin{OTLP: srv.URL}, config.Log{}, config.Traces{}, io.Discard)
	h := o.Hooks()
	c := &event.Connection{ID: 7, Listener: ":443", Peer: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 5000}, At: time.Now().Add(-time.Second), ServerName: "a.example", Target: "web"}
	h.Accepted(c)
	h.Handshaken(c, event.Handshake{Took: time.Millisecond, State: &tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256, CurveID: tls.X25519}})
	h.Connected(c, event.Target{Name: "web", Address: "127.0.0.1:80", Took: time.Millisecond, Err: io.EOF})
	h.Closed(c, event.Result{Took: time.Second, Err: io.EOF})
	// Bytes that are no text, and much of it, spoil nothing.
	bad := &event.Connection{Peer: c.Peer, At: time.Now(), ServerName: "\xff" + strings.Repeat("é", 10000), Identity: "\x80"}
	h.Accepted(bad)
	h.Handshaken(bad, event.Handshake{Err: &tls.HandshakeError{Rule: "\xff" + strings.Repeat("é", 10000)}})
	h.Closed(bad, event.Result{Err: &tls.HandshakeError{Rule: strings.Repeat("é", 10000)}})
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	byName := map[string][]*otlp.Span{}
	for _, s := range r.spans {
		byName[s.Name] = append(byName[s.Name], s)
	}
	if len(byName["connection"]) != 2 || len(byName["handshake"]) != 2 || len(byName["connect"]) != 1 {
		t.Fatalf("%v", byName)
	}
	root, child := byName["connection"][0], byName["connect"][0]
	if a := attributes(root); a["tls.client.server_name"] != "a.example" || a["tls.protocol.version"] != "TLS 1.3" || a["tls.curve"] != "x25519" || a["client.address"] != "192.0.2.7:5000" || a["vitrine.target"] != "web" {
		t.Errorf("%v", a)
	}
	if string(child.ParentSpanId) != string(root.SpanId) || string(child.TraceId) != string(root.TraceId) || len(root.ParentSpanId) != 0 {
		t.Errorf("%x is below %x, not below %x", child.SpanId, child.ParentSpanId, root.SpanId)
	}
	if child.Status.Code != otlp.Status_STATUS_CODE_ERROR || root.EndTimeUnixNano-root.StartTimeUnixNano != uint64(time.Second) {
		t.Errorf("%v, %d ns", child.Status, root.EndTimeUnixNano-root.StartTimeUnixNano)
	}
}

// A collector that is down, or takes nothing, costs a connection nothing: spans are lost and counted.
func TestACollectorThatIsDown(t *testing.T) {
	free := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-free }))
	defer hangs.Close()
	defer close(free)
	refuses := httptest.NewServer(http.NotFoundHandler())
	refuses.Close()
	for url, lost := range map[string]float64{hangs.URL: 0, refuses.URL: 1} {
		var log text
		o := observer(t, config.Admin{OTLP: url}, config.Log{}, config.Traces{}, &log)
		began := time.Now()
		for range 3 * mostSpans {
			c := &event.Connection{Peer: &net.TCPAddr{}, At: began}
			o.Hooks().Accepted(c)
			o.Hooks().Closed(c, event.Result{})
		}
		o.Close()
		if took := time.Since(began); took > 4*patience {
			t.Errorf("%v", took)
		}
		if got := value(t, o, "spans_lost_total", nil); got < lost {
			t.Errorf("%v spans are lost", got)
		}
		if n := strings.Count(log.String(), "\n"); lost > 0 && (n == 0 || n > 2) {
			t.Errorf("%d lines: %s", n, log.String())
		}
	}
}
