package interop

import (
	"math/rand/v2"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

var (
	base12 = cell{Version: wire.TLS12, Suite: wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Group: wire.GroupX25519, Key: keyRSA}
	base13 = cell{Version: wire.TLS13, Suite: wire.TLS_AES_128_GCM_SHA256, Group: wire.GroupX25519, Key: keyRSA}
)

// rows is the table's first part: each value of each axis at least once with
// each version, and the combinations that have broken others before.
func rows() []cell {
	var list []cell
	add := func(base cell, change func(*cell)) {
		change(&base)
		base.fit()
		if !base.valid() {
			panic("row that cannot be: " + base.String())
		}
		if !slices.Contains(list, base) {
			list = append(list, base)
		}
	}
	for _, s := range slices.Concat(suites12, suites13) {
		base := base12
		if slices.Contains(suites13, s) {
			base = base13
		}
		add(base, func(c *cell) { c.Suite = s })
	}
	for _, g := range groups12 {
		add(base12, func(c *cell) { c.Group = g })
	}
	for _, g := range groups13 {
		add(base13, func(c *cell) { c.Group = g })
	}
	for _, base := range []cell{base12, base13} {
		for _, k := range keyTypes {
			if base.Version == wire.TLS13 && k == keyPKCS1 {
				continue
			}
			add(base, func(c *cell) { c.Key = k })
		}
		add(base, func(c *cell) { c.Auth = "request" })
		add(base, func(c *cell) { c.Auth, c.ClientKey = "request", keyP256 })
		for _, k := range keyTypes {
			if base.Version == wire.TLS13 && k == keyPKCS1 {
				continue
			}
			add(base, func(c *cell) { c.Auth, c.ClientKey = "require", k })
		}
		add(base, func(c *cell) { c.ALPN = true })
	}
	for _, kind := range []string{"id", "ticket"} {
		add(base12, func(c *cell) { c.Resume = kind })
		add(base12, func(c *cell) { c.Resume, c.ALPN = kind, true })
		add(base12, func(c *cell) { c.Resume, c.Auth, c.ClientKey = kind, "require", keyP256 })
		add(base12, func(c *cell) { c.Resume, c.Auth = kind, "request" })
		add(base12, func(c *cell) { c.Resume, c.NoEMS = kind, true })
		add(base12, func(c *cell) { c.Resume, c.Suite = kind, wire.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 })
		add(base12, func(c *cell) { c.Resume, c.Suite = kind, wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA })
		add(base12, func(c *cell) { c.Resume, c.Suite = kind, wire.TLS_RSA_WITH_AES_128_GCM_SHA256 })
	}
	for _, s := range suites13 {
		add(base13, func(c *cell) { c.Resume, c.Suite = "psk", s })
	}
	add(base13, func(c *cell) { c.Resume, c.ALPN = "psk", true })
	add(base13, func(c *cell) { c.Resume, c.Auth, c.ClientKey = "psk", "require", keyP256 })
	add(base13, func(c *cell) { c.Resume, c.Auth = "psk", "request" })
	add(base13, func(c *cell) { c.Resume, c.Group = "psk", wire.GroupP256 })
	for _, g := range []wire.NamedGroup{wire.GroupP256, wire.GroupP384, wire.GroupP521} {
		add(base13, func(c *cell) { c.Retry, c.Group = true, g })
	}
	add(base13, func(c *cell) { c.Retry, c.Cookie, c.Group = true, true, wire.GroupP256 })
	add(base13, func(c *cell) { c.Retry, c.Group, c.Resume = true, wire.GroupP256, "psk" })
	add(base13, func(c *cell) {
		c.Retry, c.Group, c.Auth, c.ClientKey = true, wire.GroupP384, "require", keyEd25519
	})
	for _, who := range []string{"ours", "theirs"} {
		for _, s := range suites13 {
			add(base13, func(c *cell) { c.KeyUpdate, c.Suite = who, s })
		}
	}
	add(base12, func(c *cell) { c.NoEMS = true })
	add(base12, func(c *cell) { c.NoEMS, c.Suite = true, wire.TLS_RSA_WITH_AES_128_GCM_SHA256 })
	add(base12, func(c *cell) { c.NoEtM, c.Suite = true, wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA })
	add(base12, func(c *cell) { c.NoEtM, c.Suite = true, wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 })
	add(base12, func(c *cell) { c.NoEtM, c.Suite = true, wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 })
	add(base12, func(c *cell) { c.GREASE = true })
	add(base13, func(c *cell) { c.GREASE = true })
	for _, s := range suites13 {
		add(base13, func(c *cell) { c.Padding, c.Suite = true, s })
	}
	return list
}

// fit changes the dependent fields so that suite, key and group agree.
func (c *cell) fit() {
	if c.Version == wire.TLS12 {
		kx, _, _ := parts(c.Suite)
		switch {
		case kx == "RSA":
			c.Key, c.Group = keyRSA, 0
		case kx == "ECDHE_ECDSA" && c.Key.isRSA():
			c.Key = keyP256
		case kx == "ECDHE_RSA" && !c.Key.isRSA():
			c.Suite = wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
		}
	}
}

// axis is one dimension of the mix: its values as changes to a cell.
type axis []func(*cell)

func axes() []axis {
	var suites, groups, keys, auths axis
	for _, s := range suites12 {
		suites = append(suites, func(c *cell) { c.Version, c.Suite = wire.TLS12, s })
	}
	for _, s := range suites13 {
		suites = append(suites, func(c *cell) { c.Version, c.Suite = wire.TLS13, s })
	}
	for _, g := range groups13 {
		groups = append(groups, func(c *cell) { c.Group = g })
	}
	groups = append(groups, func(c *cell) { c.Group = 0 })
	for _, k := range keyTypes {
		keys = append(keys, func(c *cell) { c.Key = k })
	}
	none := func(*cell) {}
	auths = append(auths, none, func(c *cell) { c.Auth = "request" })
	for _, k := range []keyType{keyRSA, keyP384, keyEd25519} { // with all of them the mix would double
		auths = append(auths, func(c *cell) { c.Auth, c.ClientKey = "require", k })
	}
	return []axis{suites, groups, keys, auths,
		{none, func(c *cell) { c.Resume = "id" }, func(c *cell) { c.Resume = "ticket" }, func(c *cell) { c.Resume = "psk" }},
		{none, func(c *cell) { c.Retry = true }, func(c *cell) { c.Retry, c.Cookie = true, true }},
		{none, func(c *cell) { c.KeyUpdate = "ours" }, func(c *cell) { c.KeyUpdate = "theirs" }},
		{none, func(c *cell) { c.ALPN = true }},
		{none, func(c *cell) { c.NoEtM = true }},
		{none, func(c *cell) { c.NoEMS = true }},
		{none, func(c *cell) { c.GREASE = true }},
		{none, func(c *cell) { c.Padding = true }},
	}
}

// pair is two values of two axes.
type pair struct{ a, i, b, j int }

// mix returns cells in which every pair of values of any two axes occurs that
// occurs in a cell the peer can do. The choice is the same in every run.
func mix(can func(cell) bool) []cell {
	dims := axes()
	random := rand.New(rand.NewPCG(8446, 5246))
	covered := map[pair]bool{}
	var list []cell
	// Of so many random cells the one with the most new pairs is taken; when
	// none of them has any, the rest is taken as impossible.
	const candidates = 1500
	for {
		var best cell
		var fresh []pair
		for range candidates {
			c, picked := pick(dims, random)
			if !c.valid() {
				continue
			}
			if pairs := pairsOf(picked, covered); len(pairs) > len(fresh) && can(c) {
				best, fresh = c, pairs
			}
		}
		if fresh == nil {
			return list
		}
		for _, p := range fresh {
			covered[p] = true
		}
		list = append(list, best)
	}
}

// pick makes a random cell, which need not be valid, of one value of each axis.
func pick(dims []axis, random *rand.Rand) (c cell, picked []int) {
	picked = make([]int, len(dims))
	for a, values := range dims {
		// The axes from the fifth on begin with "off", which most cells need to
		// be valid.
		if a < 4 || random.IntN(3) == 0 {
			picked[a] = random.IntN(len(values))
		}
		values[picked[a]](&c)
	}
	return c, picked
}

// pairsOf lists the pairs of values in a cell that are not covered yet.
func pairsOf(picked []int, covered map[pair]bool) (fresh []pair) {
	for a := range picked {
		for b := range a {
			if p := (pair{a, picked[a], b, picked[b]}); !covered[p] {
				fresh = append(fresh, p)
			}
		}
	}
	return fresh
}
