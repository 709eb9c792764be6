package scan

import (
	"bytes"
	"context"
	stdtls "crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// ticketFindings are all that is found of tickets.
var ticketFindings = []string{"ticket-open", "ticket-guess", "ticket-past-client-auth", "ticket-across-hosts", "ticket-not-shared"}

func wantTicketFinding(t *testing.T, r *Report, id string) {
	t.Helper()
	if id != "" {
		wantFinding(t, r, id)
	}
	for _, other := range ticketFindings {
		if other != id && r.has(other) {
			t.Errorf("%s is found too: %+v", other, r.Findings)
		}
	}
}

// What is wrong with what tickets are made of is found, and that alone.
func TestTicketsThatAreWeak(t *testing.T) {
	var count atomic.Uint64
	named := func(rest func(psk []byte) []byte) func([]byte) []byte {
		return func(psk []byte) []byte { return append([]byte("the key's name__"), rest(psk)...) }
	}
	sealed := func(key []byte, of *suite.Hash) func([]byte) []byte {
		return named(func([]byte) []byte {
			b := chance(80)
			return append(b, keys.HMAC(of, nil, key, []byte("the key's name__"), b)...)
		})
	}
	tests := []struct {
		name, id string
		ticket   func(psk []byte) []byte
		says     string
	}{
		{"of chance", "", nil, ""},
		{"under a key of chance", "", sealed(chance(32), suite.SHA256), ""},
		{"in the clear", "ticket-open", named(func(psk []byte) []byte { return append(chance(16), psk...) }), "in the clear"},
		{"under zeros", "ticket-open", sealed(make([]byte, 32), suite.SHA256), "a key of zeros"},
		{"under zeros, as GnuTLS", "ticket-open", sealed(make([]byte, 16), suite.SHA1), "a key of zeros"},
		{"counted", "ticket-guess", named(func([]byte) []byte {
			return binary.BigEndian.AppendUint64(make([]byte, 24), count.Add(1))
		}), "differ in 1 of 48 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := audited(t, (&broken13{ticket: test.ticket}).serve(t), Options{})
			wantTicketFinding(t, r, test.id)
			for _, f := range r.Findings {
				if f.ID == test.id && !strings.Contains(f.Evidence[0], test.says) {
					t.Errorf("it says %q", f.Evidence)
				}
			}
			if i := slices.IndexFunc(r.Weaknesses, func(c Check) bool { return c.ID == "weak-tickets" }); r.Weaknesses[i].Found != (test.id != "") {
				t.Errorf("it was looked for with %+v", r.Weaknesses[i])
			}
			if key := r.Feature("key of tickets of TLS 1.3"); test.ticket != nil && !strings.Contains(key, "in 5 of 5") {
				t.Errorf("the key is %q", key)
			}
		})
	}
}

// crypto/tls with ticket keys of zeros.
func TestTicketKeysOfZeros(t *testing.T) {
	for _, key := range [][32]byte{{}, {1}} {
		config := &stdtls.Config{Certificates: []stdtls.Certificate{certificate(t, devca.ECDSA)}}
		config.SetSessionTicketKeys([][32]byte{key})
		at := serve(t, func(raw net.Conn) {
			conn := stdtls.Server(raw, config)
			defer conn.Close()
			io.Copy(io.Discard, conn)
		})
		id := ""
		if key == [32]byte{} {
			id = "ticket-open"
		}
		wantTicketFinding(t, audited(t, at, Options{}), id)
	}
}

// A ticket that is taken at another virtual host is found, most of all where that asks
// clients for a certificate.
func TestTicketsAcrossHosts(t *testing.T) {
	tests := []struct {
		id     string
		server *broken13
	}{
		{"", &broken13{hosts: map[string]bool{"a.example.test": false, "b.example.test": true}}},
		{"", &broken13{anywhere: true}},
		{"ticket-across-hosts", &broken13{anywhere: true, hosts: map[string]bool{"a.example.test": false}}},
		{"ticket-past-client-auth", &broken13{anywhere: true, hosts: map[string]bool{"b.example.test": true}}},
	}
	for _, test := range tests {
		t.Run(test.id, func(t *testing.T) {
			t.Parallel()
			r := audited(t, test.server.serve(t), Options{})
			if test.id == "ticket-past-client-auth" {
				wantFinding(t, r, test.id)
				return
			}
			wantTicketFinding(t, r, test.id)
		})
	}
}

// Servers behind one name, with one key of tickets and with two; and such that are not
// there, or take no tickets at all.
func TestTicketsAmongAddresses(t *testing.T) {
	shared, other, forgetful := &broken13{}, &broken13{}, &broken13{forgets: true}
	gone := func() Target {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		return Target{Address: l.Addr().String()}
	}
	tests := []struct {
		name, id, says string
		at             []Target
	}{
		{"one key", "", "taken at all of the 2 tried", []Target{shared.serve(t), shared.serve(t)}},
		{"two keys", "ticket-not-shared", "are not taken at 127.", []Target{shared.serve(t), other.serve(t)}},
		{"one is gone", "", "taken at all of the 2 tried; 1 more did not answer", []Target{shared.serve(t), gone(), shared.serve(t)}},
		{"the others are gone", "", "not known: no other address answers", []Target{shared.serve(t), gone()}},
		{"none are taken", "", "does not take its own again", []Target{forgetful.serve(t), forgetful.serve(t)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var addresses []string
			for _, at := range test.at {
				addresses = append(addresses, at.Address)
			}
			x := auditOf("443", test.at[0], wire.TLS13, suite13.ID)
			x.p.Dial = nil
			x.o.Addresses = func(context.Context) []string { return addresses }
			last := 0
			x.o.Progress = func(n int) {
				if n != last+1 {
					t.Errorf("it is told of %d connections behind %d", n, last)
				}
				last = n
			}
			x.acrossAddresses(t.Context())
			wantTicketFinding(t, x.r, test.id)
			if got := x.r.Feature(amongAddresses); !strings.Contains(got, test.says) {
				t.Errorf("it says %q", got)
			}
			if int64(last) != x.count.Load() || last == 0 {
				t.Errorf("it is told of %d connections of %d", last, x.count.Load())
			}
		})
	}
}

// Tickets that are too short for a name of their key are not counted with it.
func TestShortTicketsNameNoKey(t *testing.T) {
	named := append(bytes.Repeat([]byte{7}, keyNameLen), make([]byte, 2*keyNameLen)...)
	x := &audit{r: &Report{}}
	x.keyName(wire.TLS12, [][]byte{{1}, named, named})
	if len(x.r.Features) != 1 || x.r.Features[0].Value != strings.Repeat("07", keyNameLen)+" in 2 of 3" {
		t.Errorf("%+v", x.r.Features)
	}
}
