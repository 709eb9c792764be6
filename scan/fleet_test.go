package scan

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// fleetMember is a server of a fleet.
type fleetMember struct {
	config *tls.Config
	hsts   string
}

// answers serves one connection.
func (m fleetMember) answers(raw net.Conn) {
	conn := tls.Server(raw, m.config)
	if conn.Handshake() != nil {
		return
	}
	defer conn.Close()
	for in := bufio.NewReader(conn); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if strings.TrimSpace(line) == "" {
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n%sContent-Length: 0\r\n\r\n", m.hsts)
			return
		}
	}
}

// balanced is an address behind which each connection goes to the next member.
func balanced(t *testing.T, members ...fleetMember) Target {
	var next atomic.Uint64
	return serve(t, func(raw net.Conn) { members[int(next.Add(1))%len(members)].answers(raw) })
}

// fleetOf are members that share ticket keys and sessions, or have them alone.
func fleetOf(t *testing.T, n int, shared bool, change func(i int, m *fleetMember)) (members []fleetMember) {
	var key [32]byte
	var store session.Store
	for i := range n {
		if i == 0 || !shared {
			rand.Read(key[:])
			store = session.NewMemory(1 << 20)
		}
		c := &tls.Config{Certificates: []tls.Certificate{certificate(t, devca.ECDSA)}}
		c.SetSessionTicketKeys([][32]byte{key})
		c.Resumption.Store = store
		m := fleetMember{c, "Strict-Transport-Security: max-age=31536000\r\n"}
		if change != nil {
			change(i, &m)
		}
		members = append(members, m)
	}
	return members
}

// singleUse keeps sessions under tickets, each of which is taken once, by one of the members.
func singleUse() func(i int, m *fleetMember) {
	var sessions sync.Map
	return func(_ int, m *fleetMember) {
		m.config.WrapSession = func(_ tls.ConnectionState, s *tls.SessionState) ([]byte, error) {
			b, err := s.Bytes()
			name := rand.Text()
			sessions.Store(name, b)
			return []byte(name), err
		}
		m.config.UnwrapSession = func(name []byte, _ tls.ConnectionState) (*tls.SessionState, error) {
			b, ok := sessions.LoadAndDelete(string(name))
			if !ok {
				return nil, nil
			}
			return tls.ParseSessionState(b.([]byte))
		}
	}
}

var fleetFindings = []string{"ticket-not-shared", "session-not-shared", "members-differ", "certificates-differ"}

// What a client sees of a fleet: one that shares and is alike, and such as do not and are not.
func TestFleet(t *testing.T) {
	other := certificate(t, devca.RSA)
	tests := []struct {
		name     string
		members  []fleetMember
		findings []string
		says     string
	}{
		{"all is shared", fleetOf(t, 3, true, nil), nil, "tickets of TLS 1.3 6/6 6/6, tickets of TLS 1.2 6/6 6/6, session IDs 6/6 6/6"},
		{"one server alone", fleetOf(t, 1, true, nil), nil, "tickets of TLS 1.3 6/6 6/6, tickets of TLS 1.2 6/6 6/6, session IDs 6/6 6/6"},
		{"tickets are for a single use", fleetOf(t, 3, true, singleUse()), nil, "tickets of TLS 1.3 6/6 once, tickets of TLS 1.2 6/6 once, session IDs 6/6 6/6"},
		{"nothing is shared", fleetOf(t, 3, false, nil), []string{"ticket-not-shared", "session-not-shared"}, ""},
		{"there are no sessions", fleetOf(t, 2, false, func(_ int, m *fleetMember) {
			m.config.SessionTicketsDisabled, m.config.Resumption.Store = true, nil
		}), nil, ""},
		{"one has another certificate", fleetOf(t, 3, true, func(i int, m *fleetMember) {
			if i == 1 {
				m.config.Certificates = []tls.Certificate{other}
			}
		}), []string{"certificates-differ"}, ""},
		{"one has no HSTS", fleetOf(t, 2, true, func(i int, m *fleetMember) {
			if i == 1 {
				m.hsts = ""
			}
		}), []string{"members-differ"}, ""},
		{"one speaks HTTP/2", fleetOf(t, 2, true, func(i int, m *fleetMember) {
			if m.config.NextProtos = []string{"http/1.1"}; i == 1 {
				m.config.NextProtos = []string{"h2", "http/1.1"}
			}
		}), []string{"members-differ"}, ""},
		{"one speaks TLS 1.1", fleetOf(t, 2, true, func(i int, m *fleetMember) {
			if i == 1 {
				m.config.MinVersion = tls.VersionTLS11
			}
		}), []string{"members-differ"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := fleetAudit(t, balanced(t, test.members...), nil)
			for _, id := range fleetFindings {
				if want := slices.Contains(test.findings, id); want {
					wantFinding(t, r, id)
				} else if r.has(id) && !(test.name == "one has another certificate" && id != "certificates-differ") {
					t.Errorf("%s is found: %+v", id, r.Findings)
				}
			}
			if got := fleetWords(r.Fleet); test.says != "" && got != test.says {
				t.Errorf("it says %q", got)
			}
		})
	}
}

// Two addresses of a name are told apart.
func TestFleetOfAddresses(t *testing.T) {
	members := fleetOf(t, 2, false, func(i int, m *fleetMember) { m.config.MinVersion = tls.VersionTLS13 })
	first, second := balanced(t, members[0]), balanced(t, members[1])
	r := fleetAudit(t, first, []string{first.Address, second.Address})
	wantFinding(t, r, "ticket-not-shared")
	if got := r.Fleet.Resumption[0].Addresses; len(got) != 2 || got[0].Offered+got[1].Offered != MinFleet {
		t.Errorf("%+v", got)
	}
	for _, row := range r.Fleet.Answers {
		if len(row.Answers) != 1 || len(row.Answers[0].Addresses) != 2 {
			t.Errorf("%+v", row)
		}
	}
}

// An address of the fleet that does not answer is named, and no answer is the same everywhere.
func TestSilenceOfAFleetIsNamed(t *testing.T) {
	members := fleetOf(t, 2, true, func(_ int, m *fleetMember) { m.config.MinVersion = tls.VersionTLS13 })
	up, half := balanced(t, members[0]), balanced(t, members[1])
	half = silentAt(t, half, func(n int32) bool { return n == 1 })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	down := l.Addr().String()
	for _, test := range []struct {
		other string
		names string
	}{{down, "all of the fleet at " + down}, {half.Address, "the fleet at " + half.Address}, {up.Address, ""}} {
		x := fleetOfTwo(up, test.other)
		x.fleet(t.Context())
		x.doubt(t.Context())
		if got := strings.Join(x.r.NotAnswered, ", "); got != test.names {
			t.Errorf("%s: it names %q", test.names, got)
		}
		if len(x.r.Fleet.Answers) == 0 {
			t.Fatal("there are no answers")
		}
		for _, row := range x.r.Fleet.Answers {
			if want := map[bool]int{true: MinFleet / 2}[test.other == down]; row.Unanswered != want {
				t.Errorf("%s: %+v", test.names, row)
			}
		}
	}
	// One that answers, and says nothing of the question.
	x := fleetOfTwo(up, serve(t, func(raw net.Conn) {
		if conn := tls.Server(raw, members[0].config); conn.Handshake() == nil {
			conn.Close()
		}
	}).Address)
	x.fleet(t.Context())
	x.doubt(t.Context())
	if got := x.r.NotAnswered; len(got) != 1 || !strings.HasSuffix(got[0], ": HSTS") {
		t.Errorf("it names %q", got)
	}
}

// fleetOfTwo is an audit of two addresses, in TLS 1.3 alone.
func fleetOfTwo(at Target, other string) *audit {
	x := auditOf("443", at, wire.TLS13, wire.TLS_AES_128_GCM_SHA256)
	x.p.Dial, x.p.Timeout = func(ctx context.Context, to Target) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", to.Address)
	}, time.Second
	x.at.Address, x.chains = at.Address, []*shownChain{{}}
	x.o.Fleet, x.o.Addresses = MinFleet, func(context.Context) []string { return []string{at.Address, other} }
	return x
}

// Another address that does not take tickets, because it does not answer, is named.
func TestSilenceAmongAddressesIsNamed(t *testing.T) {
	up := balanced(t, fleetOf(t, 1, true, nil)...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	x := fleetOfTwo(up, l.Addr().String())
	x.acrossAddresses(t.Context())
	x.doubt(t.Context())
	if got := strings.Join(x.r.NotAnswered, ", "); got != "tickets at "+l.Addr().String() {
		t.Errorf("it names %q", got)
	}
}

// With more addresses than sessions no session comes back to the server that made it. That servers share nothing is found
// all the same, and not where none takes a session at all.
func TestFleetOfManyAddresses(t *testing.T) {
	for _, takes := range []bool{true, false} {
		var addresses []string
		var first Target
		for i, m := range fleetOf(t, MinFleet+2, false, func(_ int, m *fleetMember) {
			m.config.MinVersion = tls.VersionTLS13
			if !takes {
				m.config.UnwrapSession = func([]byte, tls.ConnectionState) (*tls.SessionState, error) { return nil, nil }
			}
		}) {
			at := balanced(t, m)
			if addresses = append(addresses, at.Address); i == 0 {
				first = at
			}
		}
		if r := fleetAudit(t, first, addresses); r.has("ticket-not-shared") != takes {
			t.Errorf("each takes its own: %v: %+v, %+v", takes, r.Fleet.Resumption, r.Findings)
		}
	}
}

// fleetAudit looks at the fleet and at nothing else, with the versions and suites known.
func fleetAudit(t *testing.T, at Target, addresses []string) *Report {
	t.Helper()
	x := &audit{p: &Prober{}, at: at, r: &Report{Findings: []Finding{}, answers: map[string]*Answer{}}, suites: map[wire.Version][]wire.CipherSuite{
		wire.TLS13: {wire.TLS_AES_128_GCM_SHA256},
		wire.TLS12: {wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
	}}
	for _, v := range versions {
		if len(x.suites[v]) > 0 {
			x.spoken = append(x.spoken, v)
		}
	}
	x.o.Fleet = MinFleet
	if addresses != nil {
		x.o.Addresses = func(context.Context) []string { return addresses }
	}
	x.fleet(t.Context())
	if x.r.Fleet == nil {
		t.Fatal("there is no report")
	}
	return x.r
}

func fleetWords(r *FleetReport) string {
	var b strings.Builder
	for i, k := range r.Resumption {
		if i > 0 {
			io.WriteString(&b, ", ")
		}
		fmt.Fprintf(&b, "%s %d/%d ", k.Kind, k.Fresh.Taken, k.Fresh.Offered)
		if k.SingleUse {
			io.WriteString(&b, "once")
		} else {
			fmt.Fprintf(&b, "%d/%d", k.Repeated.Taken, k.Repeated.Offered)
		}
	}
	return b.String()
}
