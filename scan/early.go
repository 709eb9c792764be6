package scan

import (
	"context"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/wire"
)

// sendEarly sends early data behind the hello, under the keys of the offered ticket. RFC
// 8446 §4.2.10.
func (c *conversation) sendEarly() error {
	probe := &c.a.Probe
	s := probe.Hello.Resume
	if len(probe.early) == 0 || s == nil || s.hash() == nil {
		return nil
	}
	hash := s.hash()
	transcript := hash.New()
	transcript.Write(c.built.message)
	secret := keys.DeriveSecret(hash, nil, keys.Extract(hash, nil, nil, s.secret), keys.LabelClientEarlyTraffic, transcript.Sum(nil))
	c.logSecret("CLIENT_EARLY_TRAFFIC_SECRET", secret)
	var half record.Half
	install13(&half, s.suite(), secret)
	sealed, err := half.Seal(nil, wire.ContentApplicationData, wire.TLS12, probe.early, 0)
	if err != nil {
		return fail(Unsupported, "early data cannot be sealed: %w", err)
	}
	return c.write(sealed)
}

// earlyReplay sends a request as early data, and all of it again, as somebody would that
// has recorded it.
func (x *audit) earlyReplay(ctx context.Context) (bool, string) {
	suites := x.completable(wire.TLS13)
	if len(suites) == 0 {
		return false, ""
	}
	h := x.offer13(suites)
	first := x.do(ctx, Probe{Name: "a ticket for early data", Hello: h, Until: Complete, Then: []Step{
		SendRecord{Type: wire.ContentApplicationData, Content: x.request()},
		Await{For: quiet, Done: func(a *Answer) bool { return len(a.Sessions) > 0 }}}})
	if first == nil || len(first.Sessions) == 0 || first.Sessions[0].EarlyData == 0 {
		return false, ""
	}
	h.Resume = first.Sessions[0]
	h.Ask = append(h.Ask, wire.ExtEarlyData)
	hello, err := h.build(x.at, nil, nil)
	if err != nil {
		return false, err.Error()
	}
	probe := Probe{Name: "early data", Hello: h, Until: Flight, early: x.request(), replay: hello}
	once := x.do(ctx, probe)
	if once == nil || !once.Has(wire.ExtEarlyData) {
		return false, ""
	}
	twice := x.do(ctx, probe)
	if twice == nil || !twice.Has(wire.ExtEarlyData) {
		return false, ""
	}
	x.found("early-data-replay", twice, fmt.Sprintf("the same hello and the same %d bytes of early data were accepted twice", len(probe.early)))
	return true, ""
}
