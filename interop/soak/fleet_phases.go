package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// What is wanted.
const (
	resumedLeast   = 0.99
	restartLeast   = 0.95
	restartShort   = 0.5 // of a second of handshakes on a machine that has other things to do; a third is by chance
	returnMost     = 5 * time.Second
	returnPatience = 8 * time.Second
)

// A trouble is what happens to the store, or on the way to it.
type trouble struct {
	name       string
	begin, end func() error
	brief      string // the custom in whose short form it is
	sudden     bool   // it is over at once
}

func (f *fleet) troubles() []trouble {
	each := func(do func(*relay)) func() error {
		return func() error {
			for _, m := range f.members {
				do(m.relay)
			}
			return nil
		}
	}
	first, e := f.members[0].relay, f.engine
	mended := each(func(r *relay) { r.become(whole) })
	return []trouble{
		{name: "store killed and started again", begin: func() error { e.kill(); return nil }, end: e.start, brief: sealedTickets},
		{name: "store frozen", begin: e.freeze, end: e.thaw, brief: singleUse},
		{name: "store slow by 200 ms", begin: each(func(r *relay) { r.delay.Store(int64(200 * time.Millisecond)) }), end: each(func(r *relay) { r.delay.Store(0) })},
		{name: "store slow by 30 ms", begin: each(func(r *relay) { r.delay.Store(int64(30 * time.Millisecond)) }), end: each(func(r *relay) { r.delay.Store(0) })},
		{name: "store wiped", begin: e.wipe, sudden: true, brief: sealedTickets},
		{name: "store replaced by a new one", begin: func() error { e.kill(); return e.start() }, sudden: true},
		{name: "one member cut off", begin: func() error { first.become(severed); return nil }, end: func() error { first.become(whole); return nil }},
		{name: "store full", begin: func() error { return e.fill(true) }, end: func() error { return e.fill(false) }},
		{name: "store talks nonsense", begin: each(func(r *relay) { r.become(babbling) }), end: mended, brief: singleUse},
	}
}

// phases are all that a fleet goes through.
func (f *fleet) phases(ctx context.Context) error {
	if _, err := f.back(ctx, time.Now()); err != nil {
		return err
	}
	if err := f.steady(ctx, ""); err != nil {
		return err
	}
	if !f.custom.once && !f.campaign.brief {
		if err := f.rotation(ctx); err != nil {
			return err
		}
	}
	f.crowd.pace(f.campaign.calm)
	for _, t := range f.troubles() {
		if f.campaign.brief && t.brief != f.custom.name {
			continue
		}
		if err := f.suffer(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	if err := f.rolling(ctx); err != nil {
		return err
	}
	if err := f.balanced(ctx); err != nil {
		return err
	}
	if f.custom.once {
		if err := f.twice(ctx); err != nil {
			return err
		}
	}
	if !f.campaign.brief {
		if err := f.sizes(ctx); err != nil {
			return err
		}
	}
	f.total()
	return ctx.Err()
}

// named is a figure's name.
func (f *fleet) named(format string, args ...any) string {
	return f.custom.name + ": " + fmt.Sprintf(format, args...)
}

func percent(n count) string { return fmt.Sprintf("%.2f %% of %d", 100*n.share(), n.all) }

// steady is a fleet without trouble.
func (f *fleet) steady(ctx context.Context, where string) error {
	from, before := time.Now(), f.carried()
	if !sleep(ctx, f.campaign.over) {
		return ctx.Err()
	}
	to := time.Now()
	all := f.crowd.between(from, to, nil)
	if carried := f.carried() - before; where == "" {
		f.Figure(f.named("bytes to and from the store for a handshake"), "%d", carried/int64(max(1, all.all)))
	}
	f.Figure(f.named("steady%s, handshakes a second", where), "%.0f, of %v each", float64(all.all)/to.Sub(from).Seconds(), (all.spent / time.Duration(max(1, all.all))).Round(10*time.Microsecond))
	for _, k := range f.custom.visitors {
		n := f.crowd.between(from, to, func(o visitorKind) bool { return o.name == k.name })
		f.Figure(f.named("steady%s, resumed, %s", where, k.name), "%s", percent(n)).Want(n.share() >= resumedLeast, "99 %%")
	}
	return nil
}

// carried is what the relays have carried to and from the store.
func (f *fleet) carried() (bytes int64) {
	for _, m := range f.members {
		bytes += m.relay.carried.Load()
	}
	return bytes
}

// suffer lets a trouble begin and end, and looks at how soon all is well again.
func (f *fleet) suffer(ctx context.Context, t trouble) error {
	from := time.Now()
	err := t.begin()
	if errors.Is(err, errUnable) {
		f.Logf("%s: left out, %v", t.name, err)
		return nil
	}
	if err != nil {
		return err
	}
	if !t.sudden {
		if !sleep(ctx, f.campaign.over) {
			return ctx.Err()
		}
		if err := t.end(); err != nil {
			return err
		}
	}
	ended := time.Now()
	took, err := f.back(ctx, ended)
	if err != nil {
		return err
	}
	now := time.Now()
	sealed, stored := f.crowd.between(from, now, f.sealed), f.crowd.between(from, now, f.stored)
	if !f.custom.once {
		f.Figure(f.named("%s, resumed by sealed tickets", t.name), "%s", percent(sealed)).Want(sealed.share() >= resumedLeast, "99 %%")
	}
	f.Figure(f.named("%s, resumed out of the store", t.name), "%s", percent(stored))
	failed := sealed.failed + stored.failed
	f.Figure(f.named("%s, handshakes that failed", t.name), "%d of %d", failed, sealed.all+stored.all).Want(failed == 0, "none")
	f.Figure(f.named("%s, all are resumed again", t.name), "%v after it", took).Want(took <= returnMost, "at most %v", returnMost)
	return nil
}

// sealed are clients whose tickets hold the session; the sessions of stored ones are in the store.
func (f *fleet) sealed(k visitorKind) bool { return !f.stored(k) }
func (f *fleet) stored(k visitorKind) bool { return f.custom.once || k.stored }

// back waits until clients are resumed again after a moment, for a second, or for half of one in the short form.
func (f *fleet) back(ctx context.Context, since time.Time) (took time.Duration, err error) {
	window := 10 * slice
	if f.campaign.brief {
		window /= 2
	}
	for from := since; ; from = from.Add(slice) {
		for time.Since(from) < window+3*slice { // those that began in the window have ended
			if !sleep(ctx, slice/2) {
				return 0, ctx.Err()
			}
		}
		sealed, stored := f.crowd.between(from, from.Add(window), f.sealed), f.crowd.between(from, from.Add(window), f.stored)
		if stored.share() >= resumedLeast && (f.custom.once || sealed.share() >= resumedLeast) {
			return from.Sub(since), nil
		}
		if took := from.Sub(since); took > returnPatience {
			return took, nil
		}
	}
}

// rolling has a new process take the place of each member, one after another.
func (f *fleet) rolling(ctx context.Context) error {
	from := time.Now()
	for _, m := range f.members {
		if err := m.handOver(ctx); err != nil {
			return fmt.Errorf("%s is handed over: %w", m.name, err)
		}
		if !sleep(ctx, f.campaign.over/10) {
			return ctx.Err()
		}
	}
	f.restarted("rolling restart by --take-over", from)
	return nil
}

func (f *fleet) restarted(how string, from time.Time) {
	n := f.crowd.between(from, time.Now(), nil)
	least := restartLeast
	if f.campaign.brief {
		least = restartShort
	}
	f.Figure(f.named("%s, resumed", how), "%s", percent(n)).Want(n.share() >= least, "%.0f %%", 100*least)
	f.Figure(f.named("%s, handshakes that failed", how), "%d of %d", n.failed, n.all).Want(n.failed == 0 && n.all > 0, "none")
}

// total is over everything, what came late included.
func (f *fleet) total() {
	n := f.crowd.between(f.crowd.began, time.Now().Add(slice), nil)
	f.Figure(f.named("handshakes that failed in all"), "%d of %d", n.failed, n.all).Want(n.failed == 0 && n.all > 0, "none")
}
