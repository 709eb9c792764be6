package scan

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// finiteField looks at the groups of DHE, in each version: its own and, where the client
// names some of RFC 7919, that.
func (x *audit) finiteField(ctx context.Context) {
	for _, v := range x.spoken {
		suites := x.with(v, func(name string) bool {
			return strings.HasPrefix(name, "TLS_DHE_") || strings.HasPrefix(name, "TLS_DH_anon_") && !strings.Contains(name, "EXPORT")
		})
		if v >= wire.TLS13 || len(suites) == 0 {
			continue
		}
		h := Offer(v, suites...)
		h.Groups = []wire.NamedGroup{wire.GroupX25519, wire.GroupP256}
		probe := Probe{Name: "the group of DHE", Hello: h, Until: Flight}
		a, again := x.do(ctx, probe), x.do(ctx, probe)
		if a == nil || a.KeyExchange == nil || len(a.KeyExchange.P) == 0 {
			continue
		}
		reused := again != nil && again.KeyExchange != nil && bytes.Equal(a.KeyExchange.Share, again.KeyExchange.Share)
		x.field(a, reused)
	}
}

// field notes a finite field, and judges it.
func (x *audit) field(a *Answer, reused bool) {
	k := a.KeyExchange
	r := describeDH(k.P, k.G)
	r.Reused = reused
	x.mu.Lock()
	seen := slices.ContainsFunc(x.r.DH, func(d DHReport) bool { return d.P == r.P && d.G == r.G })
	if !seen {
		x.r.DH = append(x.r.DH, r)
	}
	x.mu.Unlock()
	evidence := fmt.Sprintf("the modulus has %d bits: %s", r.Bits, hexOf(k.P))
	switch {
	case r.Bits < 1024:
		x.found("dh-small", a, evidence)
	case r.Bits < 2048:
		x.found("dh-1024", a, evidence)
	}
	switch {
	case !r.Prime:
		x.found("dh-not-prime", a, evidence)
	case !r.Safe:
		x.found("dh-unsafe", a, evidence)
	}
	if reused {
		x.found("dh-reused", a, "two connections got the same public key: "+hexOf(k.Share))
	}
}

// maxDHBits bounds what a server can make us test for primality.
const maxDHBits = 8192

// describeDH says what a finite field is like. Larger moduli than are sensible are taken
// for prime, unless they are even.
func describeDH(p, g []byte) DHReport {
	n := new(big.Int).SetBytes(p)
	r := DHReport{Bits: n.BitLen(), P: hex.EncodeToString(p), G: hex.EncodeToString(g)}
	if known := kex.KnownDH(p, g); known != 0 {
		r.Known, r.Prime, r.Safe = known.String(), true, true
		return r
	}
	r.Known = knownPrimes()[r.P]
	if r.Bits > maxDHBits || n.Bit(0) == 0 {
		r.Prime = n.Bit(0) == 1
		r.Safe = r.Prime
		return r
	}
	// Few rounds are enough: the test of Baillie and PSW is always made as well.
	if r.Prime = n.ProbablyPrime(1); r.Prime {
		r.Safe = new(big.Int).Rsh(n, 1).ProbablyPrime(1)
	}
	return r
}

// reuse12 looks whether ECDHE has a new key each time.
func (x *audit) reuse12(ctx context.Context) {
	v := x.best12()
	suites := x.with(v, func(name string) bool { return strings.HasPrefix(name, "TLS_ECDHE_") })
	if len(suites) == 0 {
		return
	}
	probe := Probe{Name: "two keys of ECDHE", Hello: x.offer(v, suites...), Until: Flight}
	a, b := x.do(ctx, probe), x.do(ctx, probe)
	if a == nil || b == nil || a.KeyExchange == nil || b.KeyExchange == nil {
		return
	}
	x.reused(a, a.KeyExchange.Share, b.KeyExchange.Share)
}

func (x *audit) reuse13(ctx context.Context) {
	if !x.speaks(wire.TLS13) {
		return
	}
	h := Offer(wire.TLS13, x.suites[wire.TLS13]...)
	h.Groups = []wire.NamedGroup{wire.GroupX25519, wire.GroupP256}
	h.Shares = h.Groups
	probe := Probe{Name: "two key shares", Hello: h}
	a, b := x.do(ctx, probe), x.do(ctx, probe)
	if a == nil || b == nil || a.Server == nil || b.Server == nil {
		return
	}
	share := func(a *Answer) []byte {
		body, _ := a.Server.Extensions.Find(wire.ExtKeyShare)
		return body
	}
	x.reused(a, share(a), share(b))
}

func (x *audit) reused(a *Answer, one, two []byte) {
	value := "new for each connection"
	switch {
	case len(one) == 0 || len(two) == 0:
		return
	case bytes.Equal(one, two):
		x.found("key-share-reused", a, "two connections got the same public key: "+hexOf(one))
		value = "used again"
	}
	kind := "key shares of TLS 1.3"
	if a.Version < wire.TLS13 {
		kind = "keys of ECDHE up to TLS 1.2"
	}
	x.set(kind, value)
}
