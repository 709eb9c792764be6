package observe

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/wire"
)

// Bounds of what waits for the collector.
const (
	mostSpans     = 4096 // that wait; others are lost
	mostBatch     = 512
	exportTimeout = 5 * time.Second
	mostAttribute = 256 // bytes of a value
)

// spans tell an OpenTelemetry collector of each connection, once it has ended. A collector
// that is down costs nothing: what does not reach it is lost, and counted.
type spans struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// connection is what a span says beside the event.Connection.
type connection struct {
	shaken, reached bool
	handshake       step
	connect         step
	agreed          []attribute.KeyValue
	target          event.Target
}

// step is a part of a connection.
type step struct {
	from, to time.Time
	err      error
	why      outcome
}

func (c *connection) handshaken(h event.Handshake, why outcome) {
	now := time.Now()
	c.shaken, c.handshake = true, step{now.Add(-h.Took), now, h.Err, why}
	if s := h.State; s != nil {
		c.agreed = []attribute.KeyValue{
			attribute.String("tls.protocol.version", wire.Version(s.Version).String()),
			attribute.String("tls.cipher", wire.CipherSuite(s.CipherSuite).String()),
			attribute.Bool("tls.resumed", s.DidResume),
		}
		if s.CurveID != 0 {
			c.agreed = append(c.agreed, attribute.String("tls.curve", wire.NamedGroup(s.CurveID).String()))
		}
	}
}

func (c *connection) connected(t event.Target) {
	now := time.Now()
	c.reached, c.target, c.connect = true, t, step{from: now.Add(-t.Took), to: now, err: t.Err}
}

// newSpans prepares to send to the collector at this URL. Nothing is sent before the first
// connection has ended.
func newSpans(collector string, m *metrics, j *journal) (*spans, error) {
	u, err := url.Parse(collector)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("admin.otlp: %q is not the URL of a collector; write it like http://127.0.0.1:4318", collector)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	// A transport of its own ends with it.
	transport := &http.Transport{MaxIdleConns: 1, IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: exportTimeout, Proxy: http.ProxyFromEnvironment}
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(u.String()),
		otlptracehttp.WithTimeout(exportTimeout), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}),
		otlptracehttp.WithHTTPClient(&http.Client{Transport: transport, Timeout: exportTimeout}))
	if err != nil {
		return nil, fmt.Errorf("admin.otlp: %w", err)
	}
	limits := sdk.NewSpanLimits()
	limits.AttributeValueLengthLimit = mostAttribute
	provider := sdk.NewTracerProvider(
		sdk.WithSampler(sdk.AlwaysSample()), sdk.WithRawSpanLimits(limits),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "vitrine-proxy"))),
		sdk.WithBatcher(&patient{exporter, transport, m.spansLost, j},
			sdk.WithMaxQueueSize(mostSpans), sdk.WithMaxExportBatchSize(mostBatch), sdk.WithExportTimeout(exportTimeout)))
	return &spans{provider, provider.Tracer("github.com/vitrine-tls/vitrine/proxy")}, nil
}

// patient is an exporter whose failures are counted and said once in a while. OpenTelemetry
// itself would tell the whole process of each.
type patient struct {
	sdk.SpanExporter
	transport *http.Transport
	lost      prometheus.Counter
	journal   *journal
}

func (p *patient) ExportSpans(ctx context.Context, s []sdk.ReadOnlySpan) error {
	if err := p.SpanExporter.ExportSpans(ctx, s); err != nil {
		p.lost.Add(float64(len(s)))
		if p.journal.again.first(p.journal.now(), "the collector of spans", "") {
			p.journal.log.Warn("the OpenTelemetry collector takes no spans; they are lost", "failure", wordsFor(err).failure)
		}
	}
	return nil
}

func (p *patient) Shutdown(ctx context.Context) error {
	defer p.transport.CloseIdleConnections()
	return p.SpanExporter.Shutdown(ctx)
}

// closed tells of a connection that has ended.
func (s *spans) closed(c *event.Connection, r event.Result, n *connection) {
	about := append(n.agreed, attribute.String("client.address", peerOf(c.Peer)), attribute.String("vitrine.listener", c.Listener),
		attribute.Int64("vitrine.connection", int64(c.ID)), attribute.Int64("vitrine.received_bytes", r.Received), attribute.Int64("vitrine.sent_bytes", r.Sent))
	for _, more := range []struct{ key, value string }{
		{"tls.client.server_name", c.ServerName}, {"tls.next_protocol", c.ALPN}, {"vitrine.identity", c.Identity}, {"vitrine.target", c.Target},
	} {
		if more.value != "" {
			about = append(about, attribute.String(more.key, valid(more.value)))
		}
	}
	ctx, root := s.tracer.Start(context.Background(), "connection", trace.WithTimestamp(c.At), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithNewRoot(), trace.WithAttributes(about...))
	if n.shaken {
		s.step(ctx, "handshake", n.handshake, trace.SpanKindInternal, attribute.String("vitrine.outcome", string(n.handshake.why)))
	}
	if n.reached {
		s.step(ctx, "connect", n.connect, trace.SpanKindClient, attribute.String("vitrine.target", valid(n.target.Name)), attribute.String("server.address", valid(n.target.Address)))
	}
	fail(root, r.Err)
	root.End(trace.WithTimestamp(c.At.Add(r.Took)))
}

func (s *spans) step(ctx context.Context, name string, p step, kind trace.SpanKind, about ...attribute.KeyValue) {
	_, span := s.tracer.Start(ctx, name, trace.WithTimestamp(p.from), trace.WithSpanKind(kind), trace.WithAttributes(about...))
	fail(span, p.err)
	span.End(trace.WithTimestamp(p.to))
}

// fail says why a step failed.
func fail(span trace.Span, err error) {
	if err == nil {
		return
	}
	text := wordsFor(err).failure
	span.SetStatus(codes.Error, valid(text[:min(len(text), mostAttribute)]))
}

// valid is text that protobuf can hold: one bad byte would spoil the batch.
func valid(s string) string { return strings.ToValidUTF8(s, "�") }

func (s *spans) close(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.provider.Shutdown(ctx) // what is lost is counted
	}()
	return waitFor(ctx, done, "the OpenTelemetry collector")
}
