package interop

import (
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// bases are what each version's rows change one thing of.
var bases = map[wire.Version]cell{
	wire.SSL30: {Version: wire.SSL30, Suite: wire.TLS_RSA_WITH_AES_128_CBC_SHA, Key: keyRSA},
	wire.TLS10: {Version: wire.TLS10, Suite: wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, Group: wire.GroupX25519, Key: keyRSA},
	wire.TLS11: {Version: wire.TLS11, Suite: wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, Group: wire.GroupX25519, Key: keyRSA},
	wire.TLS12: {Version: wire.TLS12, Suite: wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Group: wire.GroupX25519, Key: keyRSA},
	wire.TLS13: {Version: wire.TLS13, Suite: wire.TLS_AES_128_GCM_SHA256, Group: wire.GroupX25519, Key: keyRSA},
}

// rowList gathers rows and leaves out those that cannot be.
type rowList struct{ list []cell }

func (l *rowList) add(base cell, change func(*cell)) {
	change(&base)
	base.fit()
	if base.valid() && !slices.Contains(l.list, base) {
		l.list = append(l.list, base)
	}
}

// rows is the table's first part: each value of each axis at least once with
// each version that has it, and the combinations that have broken others before.
var rows = sync.OnceValue(func() []cell {
	l := &rowList{}
	for _, v := range slices.Backward(versions) {
		for _, s := range suitesOf(v) {
			l.add(bases[v], func(c *cell) { c.Suite = s })
		}
	}
	for _, v := range slices.Backward(versions) {
		addKeys(l, bases[v])
		addResumption(l, bases[v])
		addExtras(l, bases[v])
		addMidway(l, bases[v])
	}
	addRetries(l, bases[wire.TLS13])
	addPSK(l)
	return l.list
})

// addKeys are groups, keys and client certificates.
func addKeys(l *rowList, base cell) {
	for _, g := range slices.Concat(ecGroups, hybridGroups, dhGroups) {
		l.add(base, func(c *cell) { c.Group = g })
	}
	if base.Version != wire.TLS13 {
		for _, kx := range []wire.CipherSuite{dheRSA, dheDSS} {
			for _, g := range dhGroups {
				l.add(base, func(c *cell) { c.Suite, c.Group = kx, g })
			}
			for _, bits := range []int{1024, 2048, 3072} {
				l.add(base, func(c *cell) { c.Suite, c.Group, c.DH = kx, 0, bits })
			}
		}
	}
	for _, k := range keyTypes {
		l.add(base, func(c *cell) { c.Key = k })
		l.add(base, func(c *cell) { c.Auth, c.ClientKey = "require", k })
	}
	l.add(base, func(c *cell) { c.Auth = "request" })
	l.add(base, func(c *cell) { c.Auth, c.ClientKey = "request", keyP256 })
	l.add(base, func(c *cell) { c.Auth, c.ClientKey = "request", keyRSA })
}

const (
	dheRSA = wire.CipherSuite(0x0033) // TLS_DHE_RSA_WITH_AES_128_CBC_SHA
	dheDSS = wire.CipherSuite(0x0032) // TLS_DHE_DSS_WITH_AES_128_CBC_SHA
)

func addResumption(l *rowList, base cell) {
	for _, kind := range []string{"id", "ticket", "psk"} {
		l.add(base, func(c *cell) { c.Resume = kind })
		l.add(base, func(c *cell) { c.Resume, c.ALPN = kind, true })
		l.add(base, func(c *cell) { c.Resume, c.Auth, c.ClientKey = kind, "require", keyP256 })
		l.add(base, func(c *cell) { c.Resume, c.Auth, c.ClientKey = kind, "require", keyRSA })
		l.add(base, func(c *cell) { c.Resume, c.Auth = kind, "request" })
		l.add(base, func(c *cell) { c.Resume, c.NoEMS = kind, true })
		l.add(base, func(c *cell) { c.Resume, c.Group = kind, wire.GroupP256 })
		for _, s := range resumed {
			l.add(base, func(c *cell) { c.Resume, c.Suite = kind, s })
		}
	}
}

// resumed are suites of each key exchange and each construction of records.
var resumed = []wire.CipherSuite{
	wire.TLS_AES_128_GCM_SHA256, wire.TLS_AES_256_GCM_SHA384, wire.TLS_CHACHA20_POLY1305_SHA256,
	wire.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	wire.TLS_RSA_WITH_AES_128_GCM_SHA256, wire.TLS_RSA_WITH_AES_128_CBC_SHA,
	dheRSA, dheDSS,
	0x0005, // TLS_RSA_WITH_RC4_128_SHA
	0x000a, // TLS_RSA_WITH_3DES_EDE_CBC_SHA
	0x0002, // TLS_RSA_WITH_NULL_SHA
	0x0034, // TLS_DH_anon_WITH_AES_128_CBC_SHA
	0xc018, // TLS_ECDH_anon_WITH_AES_128_CBC_SHA
	0x008c, // TLS_PSK_WITH_AES_128_CBC_SHA
	0x0094, // TLS_RSA_PSK_WITH_AES_128_CBC_SHA
}

func addExtras(l *rowList, base cell) {
	l.add(base, func(c *cell) { c.ALPN = true })
	l.add(base, func(c *cell) { c.NoEMS = true })
	l.add(base, func(c *cell) { c.NoEMS, c.Suite = true, wire.TLS_RSA_WITH_AES_128_CBC_SHA })
	l.add(base, func(c *cell) { c.GREASE = true })
	for _, s := range []wire.CipherSuite{wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
		wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, 0x000a, wire.TLS_RSA_WITH_AES_128_CBC_SHA} {
		l.add(base, func(c *cell) { c.NoEtM, c.Suite = true, s })
	}
	for _, s := range suitesOf(wire.TLS13) {
		l.add(base, func(c *cell) { c.Padding, c.Suite = true, s })
	}
	for _, n := range []int{512, 1024, 2048, 4096} {
		l.add(base, func(c *cell) { c.MaxFragment = n })
	}
	for _, n := range []int{512, 1500, 4096} {
		l.add(base, func(c *cell) { c.SizeLimit = n })
	}
	for _, s := range []wire.CipherSuite{0x0005, 0x0002, wire.TLS_RSA_WITH_AES_128_CBC_SHA, dheRSA} {
		l.add(base, func(c *cell) { c.MaxFragment, c.Suite = 512, s })
		l.add(base, func(c *cell) { c.SizeLimit, c.Suite = 512, s })
	}
}

// addMidway are renegotiations, later client certificates and KeyUpdates.
func addMidway(l *rowList, base cell) {
	for _, who := range []string{"ours", "theirs"} {
		for _, s := range suitesOf(wire.TLS13) {
			l.add(base, func(c *cell) { c.KeyUpdate, c.Suite = who, s })
		}
		l.add(base, func(c *cell) { c.Renegotiate = who })
		l.add(base, func(c *cell) { c.Renegotiate, c.Unsafe = who, true })
		l.add(base, func(c *cell) { c.Renegotiate, c.NoEMS = who, true })
		l.add(base, func(c *cell) { c.Renegotiate, c.ALPN = who, true })
		l.add(base, func(c *cell) { c.Renegotiate, c.MaxFragment = who, 512 })
		l.add(base, func(c *cell) { c.Renegotiate, c.Auth, c.ClientKey = who, "require", keyRSA })
		for _, kind := range []string{"id", "ticket"} {
			l.add(base, func(c *cell) { c.Renegotiate, c.Resume = who, kind })
		}
		for _, s := range resumed {
			l.add(base, func(c *cell) { c.Renegotiate, c.Suite = who, s })
		}
	}
	for _, k := range []keyType{keyRSA, keyP256, keyP384, keyEd25519, keyDSA} {
		l.add(base, func(c *cell) { c.Auth, c.ClientKey = "later", k })
	}
	l.add(base, func(c *cell) { c.Auth, c.ClientKey, c.Resume = "later", keyRSA, "psk" })
}

func addRetries(l *rowList, base cell) {
	for _, g := range slices.Concat(ecGroups, dhGroups) {
		l.add(base, func(c *cell) { c.Retry, c.Group = true, g })
	}
	l.add(base, func(c *cell) { c.Retry, c.Cookie, c.Group = true, true, wire.GroupP256 })
	l.add(base, func(c *cell) { c.Retry, c.Group, c.Resume = true, wire.GroupP256, "psk" })
	l.add(base, func(c *cell) {
		c.Retry, c.Group, c.Auth, c.ClientKey = true, wire.GroupP384, "require", keyEd25519
	})
}

// addPSK are identity hints and Diffie-Hellman groups with pre-shared keys.
func addPSK(l *rowList) {
	for _, v := range versions[:4] {
		for _, s := range suitesOf(v) {
			if _, cipher, hash := parts(s); cipher != "AES_128_CBC" || hash != "SHA" {
				continue
			}
			l.add(bases[v], func(c *cell) { c.Suite, c.Hint = s, true })
			l.add(bases[v], func(c *cell) { c.Suite, c.Hint, c.Resume = s, true, "id" })
			l.add(bases[v], func(c *cell) { c.Suite, c.Group, c.DH = s, 0, 1024 })
			l.add(bases[v], func(c *cell) { c.Suite, c.Group, c.DH = s, 0, 3072 })
		}
	}
}

// fit changes the dependent fields so that suite, key and group agree.
func (c *cell) fit() {
	s := suite.ByID(c.Suite)
	if s == nil || c.Version == wire.TLS13 {
		return
	}
	c.fitKey(s)
	switch share := s.KeyExchange.Share(); {
	case share == wire.ShareNone:
		c.Group = 0
	case share == wire.ShareDH && c.DH != 0:
		c.Group = 0
	case share == wire.ShareDH && !isDH(c.Group):
		c.Group = wire.GroupFFDHE2048
	case share == wire.ShareEC && c.Group == 0:
		c.Group = wire.GroupX25519
	}
}

func (c *cell) fitKey(s *suite.Suite) {
	switch {
	case !s.KeyExchange.Certificate():
		c.Key = ""
	case s.Auth == suite.AuthDSS:
		c.Key = keyDSA
	case s.Auth == suite.AuthECDSA && c.Key.isRSA():
		c.Key = keyP256
	case c.Key == keyDSA:
		c.Suite = dheDSS
	case s.Auth == suite.AuthRSA && !c.Key.isRSA() && c.Version == wire.TLS12:
		c.Suite = wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	case s.Auth == suite.AuthRSA && !c.Key.isRSA() && c.Version != wire.SSL30:
		c.Suite = wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
	}
}

// axis is one dimension of the mix: its values as changes to a cell.
type axis []func(*cell)

// axes are those of the mix of the versions.
func axes(versions []wire.Version) []axis {
	var suites, groups, keys, auths axis
	for _, v := range versions {
		for _, s := range mixedSuites(v) {
			suites = append(suites, func(c *cell) { c.Version, c.Suite = v, s })
		}
	}
	for _, g := range slices.Concat(ecGroups, hybridGroups, dhGroups[:2], []wire.NamedGroup{0}) {
		groups = append(groups, func(c *cell) { c.Group = g })
	}
	groups = append(groups, func(c *cell) { c.DH = 2048 })
	for _, k := range append(keyTypes, "") {
		keys = append(keys, func(c *cell) { c.Key = k })
	}
	none := func(*cell) {}
	auths = append(auths, none, func(c *cell) { c.Auth = "request" })
	for _, k := range []keyType{keyRSA, keyP384, keyEd25519} { // with all of them the mix would double
		auths = append(auths, func(c *cell) { c.Auth, c.ClientKey = "require", k })
	}
	auths = append(auths, func(c *cell) { c.Auth, c.ClientKey = "later", keyRSA })
	return []axis{suites, groups, keys, auths,
		{none, func(c *cell) { c.Resume = "id" }, func(c *cell) { c.Resume = "ticket" }, func(c *cell) { c.Resume = "psk" }},
		{none, func(c *cell) { c.Renegotiate = "ours" }, func(c *cell) { c.Renegotiate = "theirs" }},
		{none, func(c *cell) { c.Retry = true }, func(c *cell) { c.Retry, c.Cookie = true, true }},
		{none, func(c *cell) { c.KeyUpdate = "ours" }, func(c *cell) { c.KeyUpdate = "theirs" }},
		{none, func(c *cell) { c.MaxFragment = 1024 }, func(c *cell) { c.SizeLimit = 1024 }},
		{none, func(c *cell) { c.Hint = true }},
		{none, func(c *cell) { c.ALPN = true }},
		{none, func(c *cell) { c.NoEtM = true }},
		{none, func(c *cell) { c.NoEMS = true }},
		{none, func(c *cell) { c.GREASE = true }},
		{none, func(c *cell) { c.Padding = true }},
	}
}

// mixedSuites are the suites of a version that the mix has: of TLS 1.2 and 1.3
// those without a weakness, and one for each key exchange and each cipher with
// its MAC.
func mixedSuites(v wire.Version) (list []wire.CipherSuite) {
	seen := map[string]bool{}
	for _, s := range suitesOf(v) {
		kx, cipher, hash := parts(s)
		if fresh := !seen[kx] || !seen[cipher+hash]; fresh || len(suite.ByID(s).Switches) == 0 {
			list = append(list, s)
		}
		seen[kx], seen[cipher+hash] = true, true
	}
	return list
}

// pair is two values of two axes.
type pair struct{ a, i, b, j int }

// mix returns cells in which every pair of values of any two axes occurs that
// occurs in a cell the peer can do. The choice is the same in every run.
func mix(versions []wire.Version, can func(cell) bool) []cell {
	dims := axes(versions)
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
