package observe

import (
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Bounds of the series of one metric. Labels are words of ours or of the configuration, so
// these are met only where a configuration is huge.
const (
	mostListeners  = 256
	mostHandshakes = 512
	mostOutcomes   = 128
	mostAddresses  = 4096
	mostOperations = 32
	mostSources    = 4096
)

// other is the label of what a bound left out.
const other = "other"

// Bounds of the histograms, in seconds.
var (
	fast = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	slow = []float64{.01, .05, .1, .5, 1, 5, 10, 30, 60, 300, 1800, 7200, 43200}
	tiny = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .02, .05, .1, .5}
)

// metrics are what Prometheus sees.
type metrics struct {
	registry *prometheus.Registry

	byListener *cache[string, *listenerSeries]
	refusals   *cache[refusal, prometheus.Counter]
	requests   *cache[answer, prometheus.Counter]
	shaken     *cache[agreed, handshakeSeries]
	failures   *cache[outcome, handshakeSeries]
	targets    *cache[address, *addressSeries]
	operations *cache[string, operationSeries]

	reloadOK, reloadFailed prometheus.Counter
	lastReload             prometheus.Gauge
	certificates           *cache[string, certificateSeries]

	sources atomic.Pointer[map[string]bool] // of the configuration in force; nil before there is one

	linesLost, spansLost, tracesLost, tracesKept prometheus.Counter
}

// listenerSeries are the series of one listener.
type listenerSeries struct {
	connections    atomic.Int64 // that are open
	gone           atomic.Bool  // the configuration has it no longer
	accepted       prometheus.Counter
	open           prometheus.Gauge
	received, sent prometheus.Counter
	seconds        prometheus.Observer
}

type refusal struct {
	listener string
	why      event.Reason
}

// answer is what this proxy has answered in place of a target.
type answer struct {
	listener string
	status   int
}

// agreed is what a good handshake agreed on.
type agreed struct {
	version, suite, group uint16
	resumption            string
}

// nothing is the key of what a bound left out; no handshake agrees on version 0.
var nothing = agreed{resumption: other}

type handshakeSeries struct {
	count   prometheus.Counter
	seconds prometheus.Observer
}

type address struct{ target, address string }

type addressSeries struct {
	reached, failed prometheus.Counter
	seconds         prometheus.Observer
	up              prometheus.Gauge
}

// certificateSeries are the series of one certificate. There is neither before something is
// known: a time of 0 would be an alarm.
type certificateSeries struct {
	expires func() prometheus.Gauge
	errors  func() prometheus.Counter
}

type operationSeries struct {
	seconds prometheus.Observer
	errors  prometheus.Counter
}

// newMetrics registers all metrics in a registry of their own.
func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.gauge("build_info", "Always 1; the labels say which build this is.", "version", "go").With(buildLabels()).Set(1)
	m.ofListeners()
	m.ofHandshakes()
	m.ofTargets()
	m.ofTheRest()
	return m
}

func buildLabels() prometheus.Labels {
	version := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	return prometheus.Labels{"version": version, "go": runtime.Version()}
}

// prefix begins the name of each metric.
const prefix = "vitrine_proxy_"

func (m *metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *metrics) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *metrics) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: prefix + name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *metrics) ofListeners() {
	accepted := m.counter("connections_accepted_total", "Connections that a listener took.", "listener")
	open := m.gauge("connections_open", "Connections that are open now.", "listener")
	refused := m.counter("connections_refused_total", "Connections that a limit or a rule turned away.", "listener", "reason")
	received := m.counter("received_bytes_total", "Bytes from clients without TLS, counted when a connection ends.", "listener")
	sent := m.counter("sent_bytes_total", "Bytes to clients without TLS, counted when a connection ends.", "listener")
	seconds := m.histogram("connection_seconds", "How long connections lasted.", slow, "listener")
	m.byListener = &cache[string, *listenerSeries]{most: mostListeners, other: other, make: func(l string) *listenerSeries {
		return &listenerSeries{accepted: accepted.WithLabelValues(l), open: open.WithLabelValues(l), received: received.WithLabelValues(l),
			sent: sent.WithLabelValues(l), seconds: seconds.WithLabelValues(l)}
	}, drop: func(l string) {
		for _, v := range []interface{ DeleteLabelValues(...string) bool }{accepted, open, received, sent, seconds} {
			v.DeleteLabelValues(l)
		}
	}}
	m.refusals = &cache[refusal, prometheus.Counter]{most: mostListeners * 8, other: refusal{other, other}, make: func(r refusal) prometheus.Counter {
		return refused.WithLabelValues(r.listener, string(r.why))
	}, drop: func(r refusal) { refused.DeleteLabelValues(r.listener, string(r.why)) }}
	requests := m.counter("requests_failed_total", "Requests of HTTP mode that no target has answered.", "listener", "status")
	m.requests = &cache[answer, prometheus.Counter]{most: mostListeners * 8, other: answer{listener: other}, make: func(a answer) prometheus.Counter {
		return requests.WithLabelValues(a.listener, strconv.Itoa(a.status))
	}, drop: func(a answer) { requests.DeleteLabelValues(a.listener, strconv.Itoa(a.status)) }}
}

func (m *metrics) ofHandshakes() {
	count := m.counter("handshakes_total", "Handshakes with clients, by what was agreed on and how they ended.", "version", "suite", "group", "resumption", "outcome")
	seconds := m.histogram("handshake_seconds", "How long handshakes with clients took, the client's part of it too.", fast, "resumption", "outcome")
	m.shaken = &cache[agreed, handshakeSeries]{most: mostHandshakes, other: nothing, make: func(a agreed) handshakeSeries {
		version, suite, group := other, other, other
		if a != nothing {
			version, suite, group = wire.Version(a.version).String(), wire.CipherSuite(a.suite).String(), "none"
		}
		if a.group != 0 {
			group = wire.NamedGroup(a.group).String()
		}
		return handshakeSeries{count.WithLabelValues(version, suite, group, a.resumption, string(ok)), seconds.WithLabelValues(a.resumption, "ok")}
	}}
	m.failures = &cache[outcome, handshakeSeries]{most: mostOutcomes, other: failed, make: func(o outcome) handshakeSeries {
		return handshakeSeries{count.WithLabelValues("", "", "", "", string(o)), seconds.WithLabelValues("", "failed")}
	}}
}

func (m *metrics) ofTargets() {
	connects := m.counter("connects_total", "Connections to targets, with TLS where it is spoken.", "target", "address", "outcome")
	seconds := m.histogram("connect_seconds", "How long it took to reach a target.", fast, "target", "address")
	up := m.gauge("target_up", "1 for an address that is up, 0 for one that is down.", "target", "address")
	m.targets = &cache[address, *addressSeries]{most: mostAddresses, other: address{other, other}, make: func(a address) *addressSeries {
		return &addressSeries{connects.WithLabelValues(a.target, a.address, "ok"), connects.WithLabelValues(a.target, a.address, "failed"),
			seconds.WithLabelValues(a.target, a.address), up.WithLabelValues(a.target, a.address)}
	}, drop: func(a address) {
		labels := prometheus.Labels{"target": a.target, "address": a.address}
		connects.DeletePartialMatch(labels)
		seconds.DeletePartialMatch(labels)
		up.DeletePartialMatch(labels)
	}}
}

func (m *metrics) ofTheRest() {
	seconds := m.histogram("store_seconds", "How long calls to the session store took.", tiny, "operation")
	errs := m.counter("store_errors_total", "Calls to the session store that failed.", "operation")
	m.operations = &cache[string, operationSeries]{most: mostOperations, other: other, make: func(o string) operationSeries {
		return operationSeries{seconds.WithLabelValues(o), errs.WithLabelValues(o)}
	}}
	reloads := m.counter("reloads_total", "Reloads of the configuration.", "outcome")
	m.reloadOK, m.reloadFailed = reloads.WithLabelValues("ok"), reloads.WithLabelValues("failed")
	m.lastReload = m.gauge("configured_timestamp_seconds", "When the configuration in force was taken, in seconds since 1970.").WithLabelValues()
	expires := m.gauge("certificate_expires_timestamp_seconds", "When a certificate ends, in seconds since 1970.", "source")
	failures := m.counter("certificate_errors_total", "Certificates that could not be loaded, renewed or stapled.", "source")
	m.certificates = &cache[string, certificateSeries]{most: mostSources, other: other, make: func(s string) certificateSeries {
		return certificateSeries{expires: func() prometheus.Gauge { return expires.WithLabelValues(s) }, errors: func() prometheus.Counter { return failures.WithLabelValues(s) }}
	}, drop: func(s string) {
		expires.DeleteLabelValues(s)
		failures.DeleteLabelValues(s)
	}}
	m.linesLost = m.counter("log_lines_lost_total", "Lines that the reader of the log was too slow for.").WithLabelValues()
	m.spansLost = m.counter("spans_lost_total", "Spans that the collector did not take.").WithLabelValues()
	m.tracesKept = m.counter("traces_kept_total", "Traces of handshakes that were written.").WithLabelValues()
	m.tracesLost = m.counter("traces_lost_total", "Traces of handshakes that the folder was too slow or too full for.").WithLabelValues()
}

func (m *metrics) accepted(c *event.Connection) {
	l := m.byListener.get(c.Listener)
	l.connections.Add(1)
	l.accepted.Inc()
	l.open.Inc()
}

func (m *metrics) refused(listener string, why event.Reason) {
	m.refusals.get(refusal{listener, why}).Inc()
}

func (m *metrics) requestFailed(listener string, status int) {
	m.requests.get(answer{listener, status}).Inc()
}

// handshaken counts by what was agreed on, which both sides must know: a client cannot make
// values up.
func (m *metrics) handshaken(h event.Handshake, why outcome) {
	var s handshakeSeries
	if h.Err != nil || h.State == nil {
		s = m.failures.get(why)
	} else {
		s = m.shaken.get(agreed{h.State.Version, h.State.CipherSuite, uint16(h.State.CurveID), resumptionOf(h.State, h.Conn)})
	}
	s.count.Inc()
	s.seconds.Observe(h.Took.Seconds())
}

// resumptionOf says how a connection continues an earlier one.
func resumptionOf(s *tls.ConnectionState, conn *tls.Conn) string {
	if !s.DidResume && conn == nil {
		return "full"
	}
	kind := "resumed"
	if conn != nil {
		kind = conn.State().Resumption
	}
	switch kind {
	case "none":
		return "full"
	case "id":
		return "session id"
	}
	return kind
}

func (m *metrics) connected(t event.Target) {
	s := m.targets.get(address{t.Name, t.Address})
	if t.Err != nil {
		s.failed.Inc()
		return
	}
	s.reached.Inc()
	s.seconds.Observe(t.Took.Seconds())
}

func (m *metrics) closed(c *event.Connection, r event.Result) {
	l := m.byListener.get(c.Listener)
	l.open.Dec()
	l.received.Add(float64(max(0, r.Received)))
	l.sent.Add(float64(max(0, r.Sent)))
	l.seconds.Observe(r.Took.Seconds())
	if l.connections.Add(-1) == 0 && l.gone.Load() {
		m.byListener.forget(func(name string) bool { return name != c.Listener || l.connections.Load() > 0 })
	}
}

func (m *metrics) health(target, where string, up bool) {
	m.targets.get(address{target, where}).up.Set(number(up))
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (m *metrics) reloaded(err error) {
	if err != nil {
		m.reloadFailed.Inc()
		m.forgetCertificates() // what was loaded for what is refused
		return
	}
	m.reloadOK.Inc()
}

// forgetListeners leaves out those that c does not have.
func (m *metrics) forgetListeners(c *config.Config) {
	wanted := map[string]bool{other: true}
	for _, l := range c.Listeners {
		for _, name := range l.Listen {
			wanted[name] = true
		}
	}
	m.byListener.forget(func(name string) bool {
		l := m.byListener.get(name)
		l.gone.Store(!wanted[name])
		return wanted[name] || l.connections.Load() > 0
	})
	m.refusals.forget(func(r refusal) bool { return wanted[r.listener] })
	m.requests.forget(func(a answer) bool { return wanted[a.listener] })
}

// sourcesOf are the names of all certificates and revocation lists of c.
func sourcesOf(c *config.Config) map[string]bool {
	wanted := map[string]bool{other: true}
	for _, l := range c.Listeners {
		if l.TLS == nil {
			continue
		}
		for _, certificate := range l.TLS.Certificates {
			for _, name := range certificate.Sources() {
				wanted[name] = true
			}
		}
		for _, list := range l.TLS.CRL {
			wanted[list] = true
		}
	}
	return wanted
}

// forgetCertificates leaves out those that the configuration in force does not have.
func (m *metrics) forgetCertificates() {
	if wanted := m.sources.Load(); wanted != nil {
		m.certificates.forget(func(name string) bool { return (*wanted)[name] })
	}
}

func (m *metrics) certificate(c event.Certificate) {
	s := m.certificates.get(c.Source)
	if c.Err != nil {
		s.errors().Inc()
	}
	if !c.Until.IsZero() {
		s.expires().Set(float64(c.Until.Unix()))
	}
}

func (m *metrics) stored(operation string, took time.Duration, err error) {
	s := m.operations.get(operation)
	s.seconds.Observe(took.Seconds())
	if err != nil {
		s.errors.Inc()
	}
}

// configured leaves out the listeners, targets and certificates that are gone, and shows the
// addresses that are there as up until a check says otherwise. A listener that is gone stays
// while it has connections.
func (m *metrics) configured(c *config.Config) {
	m.lastReload.SetToCurrentTime()
	m.forgetListeners(c)
	sources := sourcesOf(c)
	m.sources.Store(&sources)
	m.forgetCertificates()
	m.targets.forget(func(a address) bool {
		return a.target == other || slices.Contains(c.Targets[a.target].Addresses, a.address)
	})
	for name, t := range c.Targets {
		for _, where := range t.Addresses {
			if t.Health != nil && m.targets.known(address{name, where}) {
				continue
			}
			m.targets.get(address{name, where}).up.Set(1)
		}
	}
}
