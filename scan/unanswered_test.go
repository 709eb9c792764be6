package scan

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/starttls"
	"github.com/vitrine-tls/vitrine/wire"
)

// silentAt is a server before which something swallows some connections, counted from 1.
func silentAt(t testing.TB, at Target, swallows func(n int32) bool) Target {
	t.Helper()
	return barredAt(t, at, swallows, func(c net.Conn) { io.Copy(io.Discard, c) })
}

// barredAt is a server before which something ends some connections in a way of its own.
func barredAt(t testing.TB, at Target, bars func(n int32) bool, end func(net.Conn)) Target {
	t.Helper()
	var n atomic.Int32
	return serve(t, func(c net.Conn) {
		if bars(n.Add(1)) {
			end(c)
			return
		}
		to, err := net.Dial("tcp", at.Address)
		if err != nil {
			return
		}
		go func() {
			defer to.Close()
			io.Copy(to, c)
		}()
		io.Copy(c, to)
	})
}

// What turns us away midway makes nothing all right.
func TestWhatTurnsAwayMidwayIsNotAllRight(t *testing.T) {
	silence := func(c net.Conn) { io.Copy(io.Discard, c) }
	resets := func(c net.Conn) { hello(c); c.(*net.TCPConn).SetLinger(0) }
	for name, bar := range map[string]struct {
		last int32
		end  func(net.Conn)
	}{
		"silent before a certificate": {12, silence}, "silent behind the certificates": {60, silence},
		"resets behind the certificates": {60, resets}, "closes behind the certificates": {60, hello},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := barredAt(t, (&broken13{fields: "Strict-Transport-Security: max-age=31536000\r\n"}).serve(t), func(n int32) bool { return n > bar.last }, bar.end)
			r, err := (&Prober{Timeout: 200 * time.Millisecond, Strict: true, Connections: 4, Rate: 1000}).Scan(t.Context(), at, Options{Roots: authority().Pool()})
			if err != nil || r.Failure != "" {
				t.Fatal(err, r.Failure)
			}
			if r.Unanswered <= fewUnanswered || r.Unanswered > r.Connections || !strings.Contains(r.Verdict(), "Not all is known: ") || strings.Contains(r.Verdict(), "all right.") {
				t.Errorf("%d of %d: %s", r.Unanswered, r.Connections, r.Verdict())
			}
			for _, c := range r.Weaknesses {
				if !c.Found && c.Unknown == "" {
					t.Errorf("%s: no", c.ID)
				}
			}
			for _, f := range r.Features {
				if strings.Contains(f.Value, "timed out") {
					t.Errorf("%+v", f)
				}
			}
			if r.has("tls13-intolerant") || r.has("key-update") {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
}

// A server that is silent at old hellos is known all the same.
func TestSilenceAtOldHellosIsAnAnswer(t *testing.T) {
	server := &broken13{silent: true, fields: "Strict-Transport-Security: max-age=31536000\r\n"}
	r, err := (&Prober{Timeout: 300 * time.Millisecond}).Scan(t.Context(), server.serve(t), Options{Roots: authority().Pool()})
	if err != nil || r.Unanswered != 0 || r.Verdict() != "It is all right." || r.Offers("TLS 1.2") {
		t.Errorf("%v: %d of %d: %s %+v", err, r.Unanswered, r.Connections, r.Verdict(), r.Findings)
	}
}

// A server breaks at what it does not know where it is silent at that alone.
func TestSilenceAtUnknownValues(t *testing.T) {
	for _, all := range []bool{true, false} {
		at := silentAt(t, (&broken13{}).serve(t), func(n int32) bool { return n == 1 || all })
		x := auditOf("443", at, wire.TLS13, suite13.ID)
		x.p.Timeout = 300 * time.Millisecond
		x.tolerance(t.Context())
		if x.r.has("tls13-intolerant") == all || all != (x.r.Feature("unknown values") == notAnswered) {
			t.Errorf("silent at all %v: %+v, %+v", all, x.r.Features, x.r.Findings)
		}
	}
}

// A connection that does not come to a hello says nothing of what the hello had in it, though the
// next one does.
func TestNoConnectionIsNoIntolerance(t *testing.T) {
	for name, cause := range map[string]error{"STARTTLS": &starttls.Error{Protocol: "nntp"}, "refused": syscall.ECONNREFUSED, "unreachable": syscall.EHOSTUNREACH} {
		at := (&broken13{}).serve(t)
		x := auditOf("443", at, wire.TLS13, suite13.ID)
		var n atomic.Int32
		x.p.Dial = func(ctx context.Context, _ Target) (net.Conn, error) {
			if n.Add(1) == 1 {
				return nil, cause
			}
			return new(net.Dialer).DialContext(ctx, "tcp", at.Address)
		}
		x.tolerance(t.Context())
		if x.r.has("tls13-intolerant") || x.r.Feature("unknown values") != notAnswered {
			t.Errorf("%s: %+v, %+v", name, x.r.Features, x.r.Findings)
		}
	}
}

// A report names the probes that got no answer, be it a single one, and what it did not look for.
func TestReportsSayWhatTheyLack(t *testing.T) {
	for name, swallowed := range map[string]int32{"a connection is swallowed": 1, "all are answered": 0} {
		at := silentAt(t, (&broken13{}).serve(t), func(n int32) bool { return n == swallowed })
		x := auditOf("443", at, wire.TLS13, suite13.ID)
		x.p.Timeout, x.o.Timing, x.o.Roots = 300*time.Millisecond, MinTiming, authority().Pool()
		x.groups13(t.Context())
		x.chains = []*shownChain{{}}
		x.doubt(t.Context())
		if got, want := strings.Join(x.r.NotAnswered, ", "), map[bool]string{true: "a group of TLS 1.3"}[swallowed > 0]; got != want || x.r.Unanswered != 0 {
			t.Errorf("%s: %q, want %q; %d", name, got, want, x.r.Unanswered)
		}
		if got := strings.Join(x.r.NotAsked, " "); got != "certificates-differ members-differ no-ct no-redirect revoked session-not-shared ticket-not-shared" {
			t.Errorf("%s: it did not ask for %s", name, got)
		}
		x.o = Options{ConfigurationOnly: true}
		if got := x.notAsked(); !slices.Contains(got, "heartbleed") || !slices.Contains(got, "bleichenbacher-timing") || slices.Contains(got, "no-ct") {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, id := range byProbes {
		if _, ok := findingKinds[id]; !ok {
			t.Errorf("%s is no finding", id)
		}
	}
}
