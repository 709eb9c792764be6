package faults

import (
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

const day, year = 24 * time.Hour, 365 * 24 * time.Hour

// errs are by how much a clock is wrong, both ways: a second to ten years, and close
// to what lasts for a while: the minute that a fleet's clocks may differ by, the day of a session, the
// time of a ticket key, the week of RFC 8446.
var errs = func() (all []time.Duration) {
	for _, d := range []time.Duration{
		time.Second, time.Minute - time.Second, time.Minute, time.Minute + time.Second, time.Hour,
		day - time.Second, day, day + time.Second, day + time.Hour, 2*day + time.Hour, 7 * day, 30 * day,
		year, 2 * year, 5 * year, 10 * year,
	} {
		all = append(all, -d, d)
	}
	return append(all, 0)
}()

// clock can be set, by one goroutine at a time or many.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time        { return today.Add(time.Duration(c.ahead.Load())) }
func (c *clock) wrong(d time.Duration) { c.ahead.Store(int64(d)) }

// valid: both ends of a certificate's time belong to it. RFC 5280 §4.1.2.5.
func valid(now time.Time) bool {
	return !now.Before(notBefore) && now.Before(notAfter.Add(time.Second)) // its last second is one of its time
}

// outOfTime reports whether ours says that a certificate is not in its time, and
// theirs that they were told so.
func outOfTime(ours, theirs error) bool {
	var (
		verification *tls.CertificateVerificationError
		invalid      x509.CertificateInvalidError
		own, told    *tls.HandshakeError
		alert        tls.AlertError
	)
	return errors.As(ours, &verification) && errors.As(ours, &invalid) && invalid.Reason == x509.Expired &&
		errors.As(ours, &own) && own.Alert == wire.AlertCertificateExpired && !own.Received &&
		errors.As(theirs, &told) && told.Alert == wire.AlertCertificateExpired && told.Received &&
		errors.As(theirs, &alert) && alert == tls.AlertError(wire.AlertCertificateExpired)
}

// once connects the pair in a bubble of its own.
func (f *flow) once(t *testing.T) (c, s *side, wrong []string) {
	synctest.Test(t, func(*testing.T) { c, s = f.connect(newLink(fault{}), byTimeout) })
	return c, s, f.common(c, s)
}

// edges are the clocks around the ends of a certificate's time.
func edges() (all []time.Time) {
	for _, end := range []time.Time{notBefore, notAfter} {
		for _, d := range []time.Duration{-10 * year, -day, -time.Second, -time.Nanosecond, 0, time.Nanosecond, time.Second, day, 10 * year} {
			all = append(all, end.Add(d))
		}
	}
	return all
}

// A certificate is taken in its time and refused before and after, by clients and by
// servers, and the other side's clock has no say.
func TestClockAndCertificates(t *testing.T) {
	refused, taken := 0, 0
	for _, v := range []wire.Version{wire.SSL30, wire.TLS12, wire.TLS13} {
		for _, now := range edges() {
			for _, who := range []wire.Role{wire.Client, wire.Server} {
				client, server := defaults(v)
				if v == wire.SSL30 {
					both(withRSA, suite(wire.TLS_RSA_WITH_AES_128_CBC_SHA))(client, server)
				}
				if who == wire.Client {
					client.Time = clockAt(now)
				} else if v != wire.SSL30 {
					withClientCertificate(client, server)
					server.Time = clockAt(now)
				} else {
					server.Time = clockAt(now) // which has nothing to look at
				}
				f := pair(client, server)
				f.client, f.server = answers, asks // the client of TLS 1.3 has to read to learn of it
				c, s, wrong := f.once(t)
				victim, other := c, s
				if who == wire.Server {
					victim, other = s, c
				}
				switch expect := valid(now) || who == wire.Server && v == wire.SSL30; {
				case len(wrong) > 0:
					t.Errorf("%v, the %v's clock at %v: %q", v, who, now, wrong)
				case expect && (c.err != nil || s.err != nil), !expect && !outOfTime(victim.err, other.err):
					t.Errorf("%v, the %v's clock at %v: %v, the other side: %v", v, who, now, victim.err, other.err)
				case expect:
					taken++
				default:
					refused++
				}
			}
		}
	}
	if refused < 40 || taken < 40 {
		t.Errorf("%d refused, %d taken", refused, taken)
	}
}

// what a session is good for, as RFC 8446 §4.6.1 and SECURITY.md say: a day at most,
// and a minute for servers whose clocks differ.
const (
	sessionLife = day
	skew        = time.Minute
)

// resumable are the ways to resume, with the configs for it.
var resumable = map[string]func() (client, server *tls.Config){
	"id":     func() (client, server *tls.Config) { client, server, _ = identified(); return client, server },
	"ticket": func() (client, server *tls.Config) { return defaults(wire.TLS12) },
	"psk":    func() (client, server *tls.Config) { return defaults(wire.TLS13) },
}

// clocks gives a pair clocks of their own, and the client a cache.
func clocks(f func() (client, server *tls.Config)) (p *flow, client, server *clock) {
	client, server = new(clock), new(clock)
	c, s := f()
	c.Time, s.Time = client.now, server.now
	c.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	return pair(c, s), client, server
}

// A session that was made by right clocks is met again by wrong ones. It is resumed
// while both sides hold it for alive, and else there is a full handshake, or an error
// where the server's certificate is out of its time for the client.
func TestWrongClockOnResumption(t *testing.T) {
	for kind, configs := range resumable {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f, client, server := clocks(configs)
			f.pair[1].SetSessionTicketKeys([][32]byte{{1}}) // others are wiped when the clock says so
			f.full(t, "the first")
			f.pair[0].ClientSessionCache = &frozen{kept: f.pair[0].ClientSessionCache}
			seen := map[string]int{}
			for _, dc := range errs {
				client.wrong(dc)
				for _, ds := range errs {
					server.wrong(ds)
					want := "none"
					switch {
					case !valid(client.now()):
						want = "error"
					case dc < sessionLife && ds < sessionLife && ds >= -skew:
						want = kind
					}
					seen[want]++
					f.expect(t, want, fmt.Sprintf("client %v, server %v", dc, ds))
				}
			}
			if seen[kind] < 100 || seen["none"] < 100 || seen["error"] < 100 {
				t.Errorf("not all that there is was seen: %v", seen)
			}
		})
	}
}

// expect connects once, and demands a resumption, a full handshake or that the client
// holds the server's certificate for out of its time.
func (f *flow) expect(t *testing.T, want, what string) {
	t.Helper()
	c, s, wrong := f.once(t)
	got := c.state.Resumption
	switch {
	case outOfTime(c.err, s.err):
		got = "error"
	case c.err != nil || s.err != nil:
		got = "something else"
	}
	if len(wrong) > 0 || got != want || got != "error" && s.state.Resumption != want {
		t.Errorf("%s: %s, want %s: client: %v, server: %v %q", what, got, want, c.err, s.err, wrong)
	}
}

// A session that was made by wrong clocks is met again by right ones.
func TestWrongClockBefore(t *testing.T) {
	for kind, configs := range resumable {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for _, dc := range errs {
				for _, ds := range errs {
					f, client, server := clocks(configs)
					f.pair[1].SetSessionTicketKeys([][32]byte{{1}})
					client.wrong(dc)
					server.wrong(ds)
					first := "none"
					if !valid(client.now()) {
						first = "error"
					}
					what := fmt.Sprintf("client %v, server %v", dc, ds)
					f.expect(t, first, what+", then")
					client.wrong(0)
					server.wrong(0)
					want := "none"
					if first == "none" && -dc < sessionLife && -ds < sessionLife && -ds >= -skew {
						want = kind
					}
					f.expect(t, want, what+", now")
					f.expect(t, kind, what+", after that")
				}
			}
		})
	}
}

// Ticket keys rotate by a clock that jumps: what is sealed under a key that is no
// longer there costs a full handshake, and the next one is resumed again.
func TestTicketKeysByAWrongClock(t *testing.T) {
	for _, kind := range []string{"ticket", "psk"} {
		for _, way := range []struct {
			name  string
			times []time.Duration
			want  []string
		}{
			{"it goes as it should", []time.Duration{0, 23 * time.Hour, 24*time.Hour - 1, 24 * time.Hour, 47 * time.Hour},
				[]string{"none", kind, kind, "none", kind}},
			{"ahead by ten years, and back", []time.Duration{0, 10 * year, 10*year + time.Hour, 0, time.Hour}, []string{"none", "none", kind, "none", kind}},
			{"back by ten years, and right", []time.Duration{0, -10 * year, -10*year + time.Hour, 0, time.Hour}, []string{"none", "none", kind, "none", kind}},
			{"back and forth by a second", []time.Duration{0, time.Second, 0, time.Second, -time.Second}, []string{"none", kind, kind, kind, kind}},
			{"behind the one that has sealed", []time.Duration{skew, 0, -1}, []string{"none", kind, "none"}},
		} {
			f, _, server := clocks(resumable[kind])
			for i, d := range way.times {
				server.wrong(d)
				f.expect(t, way.want[i], fmt.Sprintf("%s, %s, step %d", kind, way.name, i))
			}
		}
	}
}

// A schedule of ticket keys, with a clock anywhere: before all keys nothing is sealed,
// and after the last one it still seals.
func TestScheduleByAWrongClock(t *testing.T) {
	for _, kind := range []string{"ticket", "psk"} {
		for _, d := range errs {
			f, _, server := clocks(resumable[kind])
			if err := f.pair[1].SetTicketKeySchedule([]session.TicketKey{
				{Secret: [32]byte{1}, From: today.Add(-day)}, {Secret: [32]byte{2}, From: today.Add(day)},
			}); err != nil {
				t.Fatal(err)
			}
			server.wrong(d)
			f.expect(t, "none", "the first")
			want := kind
			if d < -day {
				want = "none"
			}
			f.expect(t, want, fmt.Sprintf("%s, the clock wrong by %v", kind, d))
		}
	}
}

// Clocks that say something else each time they are asked, and times beyond all reason:
// each connection succeeds, or fails by a typed error.
func TestMadClocks(t *testing.T) {
	far := []time.Time{{}, time.Unix(0, 0), time.Unix(1<<40, 0), time.Unix(-1<<40, 0), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Unix(1<<62, 0), time.Unix(-1<<62, 0)}
	ends := map[bool]int{}
	for kind, configs := range resumable {
		for seed := range uint64(60) {
			f, _, _ := clocks(configs)
			for i, c := range f.pair {
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				c.Time = func() time.Time {
					if r.IntN(8) == 0 {
						return far[r.IntN(len(far))]
					}
					return today.Add(errs[r.IntN(len(errs))])
				}
				if seed%2 == 0 { // else hardly any gets beyond the certificates
					c.InsecureSkipVerify = true
				}
			}
			for range 6 {
				c, s, wrong := f.once(t)
				for _, w := range wrong {
					t.Errorf("%s, seed %d: %s", kind, seed, w)
				}
				ends[c.err == nil && s.err == nil]++
			}
		}
	}
	if ends[true] < 300 || ends[false] < 30 {
		t.Errorf("that tells nothing: %v", ends)
	}
}

// A clock that was put back makes the time since the last renegotiation negative: the
// wish is declined, and the connection goes on.
func TestRenegotiationByAWrongClock(t *testing.T) {
	for _, d := range errs {
		client, server := defaults(wire.TLS12)
		server.Renegotiate.FromClient = true
		now := new(clock)
		server.Time = now.now
		declined := func(s *side) error {
			now.wrong(d)
			err := s.conn.Renegotiate(background())
			if want := d < time.Second; want != (err == tls.ErrNoRenegotiation) {
				return fmt.Errorf("the second renegotiation after %v: %w", d, err)
			}
			return nil
		}
		f := &flow{pair: [2]*tls.Config{client, server},
			client: steps(handshake, send(5), renegotiate, send(5), declined, send(5), closes), server: steps(handshake, receive(15), closed)}
		c, s, wrong := f.once(t)
		if len(wrong) > 0 || c.err != nil || s.err != nil {
			t.Errorf("%v: client: %v, server: %v %q", d, c.err, s.err, wrong)
		}
	}
}
