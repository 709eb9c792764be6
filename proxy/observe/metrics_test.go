package observe

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// everything tells an Observer one of each kind.
func everything(t testing.TB, o *Observer) {
	h := o.Hooks()
	o.Configured(&config.Config{Targets: map[string]config.Target{"web": {Addresses: []string{"127.0.0.1:80"}}}})
	shake(t, h, serverConfig(), clientConfig())
	shake(t, h, serverConfig(), nil)
	c := &event.Connection{Listener: ":443", Peer: &net.TCPAddr{}, At: time.Now()}
	h.Refused(":443", c.Peer, event.TooMany, nil)
	h.RequestFailed(c, event.Request{Status: 502, Err: io.EOF})
	h.Connected(c, event.Target{Name: "web", Address: "127.0.0.1:80", Took: time.Millisecond})
	h.Connected(c, event.Target{Name: "web", Address: "127.0.0.1:80", Err: io.EOF})
	h.Health("web", "127.0.0.1:80", false, io.EOF)
	h.Reloaded(nil)
	h.Reloaded(io.EOF)
	h.Certificate(event.Certificate{Source: "cert.pem", What: "loaded", Until: time.Unix(2000000000, 0)})
	h.Certificate(event.Certificate{Source: "cert.pem", What: "staple failed", Err: io.EOF})
	h.Store("get", time.Millisecond, nil)
	h.Store("get", time.Millisecond, io.EOF)
}

func value(t *testing.T, o *Observer, name string, labels map[string]string) float64 {
	t.Helper()
	families, err := o.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != prefix+name {
			continue
		}
		for _, m := range f.Metric {
			has := 0
			for _, l := range m.Label {
				if want, ok := labels[l.GetName()]; ok && want == l.GetValue() {
					has++
				}
			}
			if has == len(labels) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	t.Errorf("there is no %s with %v", name, labels)
	return 0
}

// Prometheus's own rules for names and units are met.
func TestTheMetricsAreClean(t *testing.T) {
	o := observer(t, config.Admin{}, config.Log{}, config.Traces{}, io.Discard)
	everything(t, o)
	problems, err := testutil.GatherAndLint(o.metrics.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, prefix) {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestWhatIsCounted(t *testing.T) {
	o := observer(t, config.Admin{}, config.Log{}, config.Traces{}, io.Discard)
	everything(t, o)
	for _, want := range []struct {
		name   string
		labels map[string]string
		value  float64
	}{
		{"connections_accepted_total", map[string]string{"listener": ":443"}, 2},
		{"connections_open", map[string]string{"listener": ":443"}, 0},
		{"connections_refused_total", map[string]string{"listener": ":443", "reason": "connections"}, 1},
		{"received_bytes_total", map[string]string{"listener": ":443"}, 6},
		{"sent_bytes_total", map[string]string{"listener": ":443"}, 10},
		{"connection_seconds", map[string]string{"listener": ":443"}, 2},
		{"handshakes_total", map[string]string{"version": "TLS 1.3", "suite": "TLS_AES_128_GCM_SHA256", "group": "X25519MLKEM768", "resumption": "full", "outcome": "ok"}, 1},
		{"handshakes_total", map[string]string{"version": "", "outcome": "not_tls"}, 1},
		{"handshake_seconds", map[string]string{"resumption": "full", "outcome": "ok"}, 1},
		{"connects_total", map[string]string{"target": "web", "address": "127.0.0.1:80", "outcome": "ok"}, 1},
		{"connects_total", map[string]string{"target": "web", "address": "127.0.0.1:80", "outcome": "failed"}, 1},
		{"connect_seconds", map[string]string{"target": "web"}, 1},
		{"target_up", map[string]string{"target": "web", "address": "127.0.0.1:80"}, 0},
		{"reloads_total", map[string]string{"outcome": "ok"}, 1},
		{"reloads_total", map[string]string{"outcome": "failed"}, 1},
		{"certificate_expires_timestamp_seconds", map[string]string{"source": "cert.pem"}, 2000000000},
		{"certificate_errors_total", map[string]string{"source": "cert.pem"}, 1},
		{"store_seconds", map[string]string{"operation": "get"}, 2},
		{"store_errors_total", map[string]string{"operation": "get"}, 1},
		{"build_info", nil, 1},
	} {
		if got := value(t, o, want.name, want.labels); got != want.value {
			t.Errorf("%s %v is %v, want %v", want.name, want.labels, got, want.value)
		}
	}
}

// A second connection of the same client is counted by how it resumes.
func TestResumptionKinds(t *testing.T) {
	o := observer(t, config.Admin{}, config.Log{}, config.Traces{}, io.Discard)
	for version, want := range map[uint16]string{tls.VersionTLS12: "ticket", tls.VersionTLS13: "psk"} {
		server, client := serverConfig(), clientConfig()
		client.MaxVersion, client.ClientSessionCache = version, tls.NewLRUClientSessionCache(2)
		shake(t, o.Hooks(), server, client)
		shake(t, o.Hooks(), server, client)
		labels := map[string]string{"version": wire.Version(version).String(), "resumption": want}
		if got := value(t, o, "handshakes_total", labels); got != 1 {
			t.Errorf("%v: %v", labels, got)
		}
	}
}

// Why a handshake failed is one of few words.
func TestOutcomes(t *testing.T) {
	o := observer(t, config.Admin{}, config.Log{}, config.Traces{}, io.Discard)
	old, picky := clientConfig(), clientConfig()
	old.MaxVersion, picky.InsecureSkipVerify = tls.VersionTLS12, false
	modern := serverConfig()
	modern.MinVersion = tls.VersionTLS13
	for want, h := range map[outcome]event.Handshake{
		notTLS:                     shake(t, o.Hooks(), serverConfig(), nil),
		"no_common_version":        shake(t, o.Hooks(), modern, old),
		"client_says_unknown_ca":   shake(t, o.Hooks(), serverConfig(), picky),
		timeout:                    {Err: os.ErrDeadlineExceeded},
		cut:                        {Err: io.ErrUnexpectedEOF},
		stopped:                    {Err: net.ErrClosed},
		network:                    {Err: &net.OpError{Op: "read", Err: errors.New("odd")}},
		failed:                     {Err: errors.New("anything")},
		"we_say_handshake_failure": {Err: &tls.HandshakeError{Alert: wire.AlertHandshakeFailure, Rule: "no"}},
		"client_says_unassigned":   {Err: &tls.HandshakeError{Alert: 200, Received: true}},
	} {
		if got := outcomeOf(h.Err); got != want {
			t.Errorf("%v is %q, want %q", h.Err, got, want)
		}
	}
}

// No peer makes a new series: whatever it agrees on, says or is called, the number of series
// has a bound.
func TestPeersMakeNoSeries(t *testing.T) {
	o := observer(t, config.Admin{}, config.Log{Level: "error"}, config.Traces{}, io.Discard)
	h := o.Hooks()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 20000 {
		c := &event.Connection{Listener: ":443", Peer: &net.TCPAddr{IP: net.IPv4(10, byte(i>>16), byte(i>>8), byte(i)), Port: i}, ServerName: fmt.Sprintf("name-%d.example", i),
			ALPN: fmt.Sprint(i), Identity: fmt.Sprint(i)}
		h.Accepted(c)
		h.Handshaken(c, event.Handshake{Err: &tls.HandshakeError{Alert: wire.AlertCode(i), Received: i%2 == 0, Rule: c.ServerName, Theirs: []string{c.ServerName}}})
		h.Handshaken(c, event.Handshake{State: &tls.ConnectionState{Version: uint16(random.Uint32()), CipherSuite: uint16(random.Uint32()), CurveID: tls.CurveID(random.Uint32()), ServerName: c.ServerName}})
		h.Refused(c.Listener, c.Peer, event.NotAllowed, nil)
		h.Closed(c, event.Result{})
	}
	count, err := testutil.GatherAndCount(o.metrics.registry)
	if err != nil || count > 1200 {
		t.Errorf("%d series, %v", count, err)
	}
	// Names of configurations that were, and operations that nobody knows, have a bound too.
	for i := range 10000 {
		h.Store(fmt.Sprint(i), 0, nil)
		h.Accepted(&event.Connection{Listener: fmt.Sprint(i)})
	}
	if more, _ := testutil.GatherAndCount(o.metrics.registry); more > count+5*mostListeners+3*mostOperations {
		t.Errorf("%d series, %d before", more, count)
	}
}

// What a reload takes away is not shown any more; what stays keeps its numbers.
func TestReloadsForgetWhatIsGone(t *testing.T) {
	o := observer(t, config.Admin{}, config.Log{}, config.Traces{}, io.Discard)
	everything(t, o)
	c := &event.Connection{Listener: ":8443", Peer: &net.TCPAddr{}}
	o.Hooks().Accepted(c)
	o.Hooks().Refused(":8443", c.Peer, event.TooMany, nil)
	acme := config.Certificate{ACME: &config.ACME{Names: []string{"Name.example"}, Storage: "/var/acme"}}
	for _, source := range []string{"gone.pem", "clients.crl", "acme name.example", "acme storage /var/acme"} {
		o.Hooks().Certificate(event.Certificate{Source: source, Until: time.Unix(2000000000, 0), Err: io.EOF})
	}
	next := &config.Config{
		Listeners: []config.Listener{{Listen: []string{":444"}, TLS: &config.ServerTLS{Certificates: []config.Certificate{{Cert: "cert.pem"}, acme}, CRL: []string{"clients.crl"}}}},
		Targets:   map[string]config.Target{"api": {Addresses: []string{"127.0.0.1:81"}}},
	}
	o.Configured(next)
	if n, _ := testutil.GatherAndCount(o.metrics.registry, prefix+"certificate_expires_timestamp_seconds"); n != 4 {
		t.Errorf("%d certificates end at some time, and 4 are there", n)
	}
	if open := value(t, o, "connections_open", map[string]string{"listener": ":8443"}); open != 1 {
		t.Errorf("%v connections are open at a listener that is gone", open)
	}
	o.Hooks().Closed(c, event.Result{})
	o.Hooks().Certificate(event.Certificate{Source: "wrong.pem", Until: time.Unix(2000000000, 0)})
	o.Hooks().Reloaded(io.EOF) // of a configuration with wrong.pem
	for _, source := range []string{"cert.pem", "clients.crl", "acme name.example", "acme storage /var/acme"} {
		if until := value(t, o, "certificate_expires_timestamp_seconds", map[string]string{"source": source}); until != 2000000000 {
			t.Errorf("%s, which is still there, ends at %v", source, until)
		}
	}
	families, err := o.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, gone := range []string{"web", ":443", ":8443", "gone.pem", "wrong.pem"} {
			if strings.Contains(fmt.Sprint(f.Metric), `"`+gone+`"`) {
				t.Errorf("%s still has %s", f.GetName(), gone)
			}
		}
	}
	if up := value(t, o, "target_up", map[string]string{"target": "api"}); up != 1 {
		t.Errorf("a new target begins at %v", up)
	}
}

// The table in the documents has each metric with its labels, and nothing else.
func TestTheTableOfMetrics(t *testing.T) {
	o := observer(t, config.Admin{}, config.Log{}, config.Traces{}, io.Discard)
	everything(t, o)
	families, err := o.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), prefix) {
			continue
		}
		var labels []string
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		slices.Sort(labels)
		want = append(want, fmt.Sprintf("%s (%s) %s", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, ", ")))
	}
	page, err := os.ReadFile("../../docs/observe.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(vitrine_proxy_\\w+)` \\| (\\w+) \\| ([^|]*) \\|").FindAllStringSubmatch(string(page), -1) {
		labels := strings.Split(strings.Trim(strings.TrimSpace(row[3]), "`"), "`, `")
		slices.Sort(labels)
		got = append(got, fmt.Sprintf("%s (%s) %s", row[1], row[2], strings.Join(labels, ", ")))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("docs/observe.md has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	alerts, err := os.ReadFile("../../docs/observe/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`\bvitrine_proxy_\w+`).FindAllString(string(page)+string(alerts), -1) {
		base := regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, "")
		if !slices.ContainsFunc(want, func(w string) bool { return strings.HasPrefix(w, base+" ") }) {
			t.Errorf("docs/observe names %s, which there is not", name)
		}
	}
}

// BenchmarkHooks is what the metrics add to a connection: no allocation.
func BenchmarkHooks(b *testing.B) {
	o := observer(b, config.Admin{}, config.Log{}, config.Traces{}, io.Discard)
	h, c := o.Hooks(), &event.Connection{Listener: ":443", Peer: &net.TCPAddr{}}
	state := &tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256, CurveID: tls.X25519}
	b.ReportAllocs()
	for b.Loop() {
		perConnection(h, c, state)
	}
}

func perConnection(h event.Hooks, c *event.Connection, state *tls.ConnectionState) {
	h.Accepted(c)
	h.Handshaken(c, event.Handshake{State: state, Took: time.Millisecond})
	h.Connected(c, event.Target{Name: "web", Address: "127.0.0.1:80", Took: time.Millisecond})
	h.Store("get", time.Microsecond, nil)
	h.Closed(c, event.Result{Took: time.Second, Received: 1, Sent: 1})
}

func TestCountingAllocatesNothing(t *testing.T) {
	o := observer(t, config.Admin{}, config.Log{}, config.Traces{}, io.Discard)
	h, c := o.Hooks(), &event.Connection{Listener: ":443", Peer: &net.TCPAddr{}}
	state := &tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256, CurveID: tls.X25519}
	if n := testing.AllocsPerRun(200, func() { perConnection(h, c, state) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The documents have each value that reason and operation can have, and so has the log its words.
func TestTheTableOfReasons(t *testing.T) {
	page, err := os.ReadFile("../../docs/observe.md")
	if err != nil {
		t.Fatal(err)
	}
	reasons, err := os.ReadFile("../event/event.go")
	if err != nil {
		t.Fatal(err)
	}
	operations, err := os.ReadFile("../../session/fleet/bounded.go")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^\t\w+ +Reason = "(.*?)"`).FindAllStringSubmatch(string(reasons), -1)
	if len(found) != len(refusals) {
		t.Errorf("there are %d reasons, and words for %d", len(found), len(refusals))
	}
	found = append(found, regexp.MustCompile(`b\.call\(ctx, "(\w+)"`).FindAllStringSubmatch(string(operations), -1)...)
	if len(found) < len(refusals)+4 {
		t.Error("operations of the store are not found")
	}
	for _, f := range append(found, []string{"", operationKeys}) {
		if !strings.Contains(string(page), "`"+f[1]+"`") {
			t.Errorf("docs/observe.md does not have %q", f[1])
		}
	}
}
