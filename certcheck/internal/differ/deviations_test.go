package differ

import (
	"slices"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

// deviation changes a good chain in one way.
type deviation struct {
	name string
	// from is the first profile that has to refuse it alone, by its source; never where
	// none has to.
	from certcheck.Profile
	do   func(*specimen)
}

// The profiles in short, and never for what all of them accept.
const (
	inter = certcheck.Interoperable
	rfc   = certcheck.RFC5280
	web   = certcheck.WebPKI
	never = certcheck.WebPKI + 1
)

// skip is in the column of a place for which a deviation is none.
const skip = never + 1

// deviations are all of them.
var deviations = slices.Concat(
	identityDeviations(), timeDeviations(), nameDeviations(), constraintDeviations(), authorityDeviations(), usageDeviations(),
	extensionDeviations(), keyDeviations(), signatureDeviations(), encodingDeviations(), pathDeviations(),
)

// everywhere makes a deviation of each place.
func everywhere(name string, onLeaf, onMiddle, onRoot certcheck.Profile, do func(s *specimen, p place)) (all []deviation) {
	for p, from := range []certcheck.Profile{onLeaf, onMiddle, onRoot} {
		if from != skip {
			all = append(all, deviation{place(p).String() + ": " + name, from, func(s *specimen) { do(s, place(p)) }})
		}
	}
	return all
}

// changed makes a deviation of each place that changes the certificate there.
func changed(name string, onLeaf, onMiddle, onRoot certcheck.Profile, do func(c *forge.Cert)) []deviation {
	return everywhere(name, onLeaf, onMiddle, onRoot, func(s *specimen, p place) { do(s.cert(p)) })
}

// extended makes a deviation of each place that sets an extension there.
func extended(name string, onLeaf, onMiddle, onRoot certcheck.Profile, e forge.Ext) []deviation {
	return changed(name, onLeaf, onMiddle, onRoot, func(c *forge.Cert) { c.Replace(e) })
}

// one is a deviation of the whole chain.
func one(name string, from certcheck.Profile, do func(s *specimen)) []deviation {
	return []deviation{{name, from, do}}
}

// with returns an extension with another value.
func with(e forge.Ext, value []byte) forge.Ext { e.Value = value; return e }

// flagged returns an extension that is critical, or not.
func flagged(e forge.Ext, critical bool) forge.Ext { e.Critical = critical; return e }

// get returns a certificate's extension of a kind.
func get(c *forge.Cert, id []int) forge.Ext {
	i := slices.IndexFunc(c.Extensions, func(e forge.Ext) bool { return e.ID.Equal(id) })
	if i < 0 {
		return forge.Ext{ID: id, Value: []byte{0x30, 0}}
	}
	return c.Extensions[i]
}

func flip(id []int) func(*forge.Cert) {
	return func(c *forge.Cert) {
		e := get(c, id)
		e.Critical = !e.Critical
		c.Replace(e)
	}
}

func remove(id []int) func(*forge.Cert) { return func(c *forge.Cert) { c.Remove(id) } }
