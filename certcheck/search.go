package certcheck

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"slices"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
)

// Limits on what one verification may cost.
const (
	// MaxSignatures is how many signatures are checked to find the paths of one chain. Those
	// of keys that are slow to verify with count for more than one.
	MaxSignatures = 100
	// MaxPaths is how many ways to a root are followed to their end.
	MaxPaths = 32
)

// search finds the ways from a leaf to trusted roots, depth first. The trusted authorities of
// an issuer's name are tried before those that the peer sent, and those with the key
// identifier that the certificate names before others. The signature comes last, and each
// is checked once.
type search struct {
	o     Options
	sent  []*x509.Certificate
	roots anchors
	path  path // from the leaf to where we are; its room is used again
	// strict leaves a way where a rule refuses it: the ways found are then good. Else every
	// way is followed, so that the rules can say what is wrong with each.
	strict bool
	asked  []way // found by crypto/x509, in the place of a search
	ways   []way
	links  []signed
	left   int // signatures that may be checked yet
	spent  bool
	// fetches is how many issuers were asked for.
	fetches int
	room    [6]*x509.Certificate
	few     [6]signed
	one     [1]way
}

// way is a path that was found.
type way struct {
	chain     []*x509.Certificate
	condition func([]*x509.Certificate) error
}

// signed is a signature that was checked.
type signed struct {
	link
	err       error
	proven    bool    // it was remembered before
	strictest Profile // under which it was accepted then
}

// searches are those that are over, to be used again: a search has more room than most need.
var searches = sync.Pool{New: func() any { return new(search) }}

func newSearch(o *Options, sent []*x509.Certificate) *search {
	s := searches.Get().(*search)
	s.o, s.sent, s.left = *o, sent, MaxSignatures
	s.path = path{o: &s.o, sent: sent, left: maxComparisons}
	s.links, s.ways = s.few[:0], s.one[:0]
	return s
}

// end gives the search back. Nothing of it may be used after.
func (s *search) end() {
	*s = search{}
	searches.Put(s)
}

// find follows the ways from the leaf: those that all rules let pass where strict, all
// others too where not. It returns those found.
func (s *search) find(strict bool) []way {
	if s.strict, s.ways = strict, s.one[:0]; !strict {
		s.ways = nil // those found before stay with the caller
	}
	if s.asked != nil {
		return s.findAsked()
	}
	s.path.chain = append(s.room[:0], s.sent[0])
	s.path.open = !s.roots.contain(s.sent[0])
	if s.path.open && s.admits(onLeaf) {
		s.follow(s.sent[0])
	}
	if s.path.open && len(s.ways) == 0 && s.o.TrustPinned && s.o.pinned(s.sent[0]) {
		s.path.open = false
	}
	if !s.path.open && s.admits(onLeaf) && s.kept(fixedRules, s.sent[0]) {
		s.arrive(nil)
	}
	return s.ways
}

// follow goes on from c, the last certificate of the path.
func (s *search) follow(c *x509.Certificate) {
	if len(s.path.chain) > MaxChain {
		return
	}
	var room [8]candidate
	for _, next := range s.candidates(c, room[:0]) {
		if len(s.ways) == MaxPaths {
			return
		}
		if s.passed(next.certificate) {
			continue
		}
		s.path.chain = append(s.path.chain, next.certificate)
		on := onIntermediate
		if next.trusted {
			on = onRoot
		}
		if s.admits(on) && s.formed(c, next.certificate) && s.check(c, next.certificate) == nil {
			if next.trusted {
				s.arrive(next.condition)
			} else {
				s.follow(next.certificate)
			}
		}
		s.path.chain = s.path.chain[:len(s.path.chain)-1]
	}
}

// arrive keeps the path, which ends at a root.
func (s *search) arrive(condition func([]*x509.Certificate) error) {
	p := &s.path
	open := p.open
	p.condition, p.open = condition, false
	if !s.strict || p.refusal(rulesFor[0]) == nil {
		s.ways = append(s.ways, way{slices.Clone(p.chain), condition})
	}
	p.open = open
}

// admits reports whether the rules let the last certificate of the path be where it is. Those
// that need the whole path are asked at its end.
func (s *search) admits(on scope) bool {
	return s.kept(rulesFor[on], s.path.chain[len(s.path.chain)-1])
}

// formed asks the fixed rules of an authority that is about to join the path, and of the
// leaf below the first, unless they were kept before.
func (s *search) formed(c, authority *x509.Certificate) bool {
	if strictest, ok := proofs.has(link{c, authority}); ok && strictest >= s.o.Profile && !s.o.Anew {
		return true
	}
	return s.kept(fixedRules, authority) && (c != s.sent[0] || s.kept(fixedRules, c))
}

// kept reports whether c keeps some rules.
func (s *search) kept(rules []*Rule, c *x509.Certificate) bool {
	for _, r := range rules {
		if s.strict && r.Profile <= s.o.Profile && r.check(&s.path, c) != "" {
			return false
		}
	}
	return true
}

// rulesFor are the rules that are asked while a path grows, by where its last certificate
// is; those of 0 are asked at its end, and the fixed ones of each certificate once.
var rulesFor, fixedRules = func() (asked [onPath][]*Rule, fixed []*Rule) {
	for i := range rules {
		r := &rules[i]
		switch {
		case r.whole:
			asked[0] = append(asked[0], r)
			continue
		case r.fixed:
			fixed = append(fixed, r)
			continue
		}
		for _, on := range []scope{onLeaf, onIntermediate, onRoot} {
			if r.on&(on|onPath) != 0 {
				asked[on] = append(asked[on], r)
			}
		}
	}
	return asked, fixed
}()

// candidate is an authority that may have issued a certificate.
type candidate struct {
	anchor
	trusted bool
	rank    int
}

// candidates lists the authorities that have the name of c's issuer, the likeliest first.
func (s *search) candidates(c *x509.Certificate, found []candidate) []candidate {
	var room [4]anchor
	for _, a := range s.roots.above(c, room[:0]) {
		found = append(found, candidate{a, true, rank(c, a.certificate)})
	}
	own := len(found)
	for _, a := range s.sent {
		twice := func(other candidate) bool { return bytes.Equal(other.certificate.Raw, a.Raw) }
		if bytes.Equal(a.RawSubject, c.RawIssuer) && !slices.ContainsFunc(found[own:], twice) {
			found = append(found, candidate{anchor{a, nil}, false, len(keyIDs) + rank(c, a)})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.rank, b.rank) })
	return found
}

// keyIDs are how an authority's key identifier can relate to the one that a certificate
// names, the likeliest first.
var keyIDs = [...]string{"the same", "one is not there", "another"}

// rank is the place in keyIDs. A wrong identifier is no proof: RFC 5280 §6 does not
// compare them.
func rank(c, authority *x509.Certificate) int {
	switch {
	case len(c.AuthorityKeyId) == 0 || len(authority.SubjectKeyId) == 0:
		return 1
	case bytes.Equal(c.AuthorityKeyId, authority.SubjectKeyId):
		return 0
	}
	return 2
}

// passed reports whether the path has been at an authority of this name and key: authorities
// that sign each other make no endless way.
func (s *search) passed(c *x509.Certificate) bool {
	return slices.ContainsFunc(s.path.chain, func(other *x509.Certificate) bool {
		return other == c || bytes.Equal(other.RawSubject, c.RawSubject) && bytes.Equal(other.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo)
	})
}

// errBudget: more signatures are to be checked than may be.
var errBudget = errors.New("too many signatures are to be checked")

// check verifies authority's signature on c, unless that is known.
func (s *search) check(c, authority *x509.Certificate) error {
	for i := range s.links {
		if l := &s.links[i]; l.certificate == c && l.issuer == authority {
			return l.err
		}
	}
	l := signed{link: link{c, authority}}
	if !s.o.Anew {
		if l.strictest, l.proven = proofs.has(l.link); l.proven {
			s.links = append(s.links, l)
			return nil
		}
	}
	price := price(authority)
	if price > s.left {
		s.spent = true
		return errBudget
	}
	s.left -= price
	l.err = checkSignature(c, authority)
	s.links = append(s.links, l)
	return l.err
}

// remember has the signatures of a path that was accepted remembered.
func (s *search) remember(chain []*x509.Certificate) {
	if s.o.Anew {
		return
	}
	for i := range s.links {
		l := &s.links[i]
		at := slices.Index(chain, l.certificate)
		fresh := l.err == nil && (!l.proven || l.strictest < s.o.Profile)
		if fresh && at >= 0 && at+1 < len(chain) && chain[at+1] == l.issuer {
			proofs.add(l.link, s.o.Profile)
			l.proven, l.strictest = true, s.o.Profile
		}
	}
}

// price is for how many signatures one by an authority counts: those that take longer than
// a third of a millisecond count for more, so that a hundred take 50 ms at most.
func price(authority *x509.Certificate) int {
	if _, slow := otherkeys.Of(authority).(otherkeys.Ed448PublicKey); slow {
		return 3
	}
	if key := otherkeys.RSA(authority); key != nil && key.N.BitLen() > 4096 {
		return 5
	}
	if key, ok := authority.PublicKey.(*ecdsa.PublicKey); ok && key.Curve == elliptic.P521() {
		return 10
	}
	return 1
}
