package certcheck

import (
	"crypto/x509"
	"slices"
	"sync"
)

// proven remembers which signatures on certificates are right, because checking them is
// the dearest part of a handshake and of a resumption, where the chain is verified again.
// A signature that was right once is so for ever; all else is judged each time: time, names,
// use, constraints, roots, revocation.
//
// A certificate never changes, and equal bytes are one object for as long as it is held, see
// [Parse]. So the two objects stand for the key, what was signed, the algorithm and the
// signature. A look-up of them costs less than a hash of those. It also keeps them, so
// that the next peer with the same ones need not have them read again.
//
// With it goes the strictest profile under which the path was accepted: the certificates keep
// the fixed rules of that.
//
// Only the signatures of a path that was accepted are remembered, so that a peer cannot fill
// it with what it signs itself. It is bounded anyway.
type proven struct {
	shards [shards]shard
}

// shard is a part of them. Every handshake looks, and looking takes no lock.
type shard struct {
	set   sync.Map   // link to Profile
	mu    sync.Mutex // for what changes the set
	order []link     // oldest first
	size  int        // bytes
}

const (
	shards = 16
	// proofBudget is how many bytes the certificates take whose signatures are remembered,
	// in one process.
	proofBudget = 4 << 20
	shardBudget = proofBudget / shards
)

var proofs proven

// of returns the shard of a link: the last byte of a signature is as good as random.
func (p *proven) of(l link) *shard {
	return &p.shards[l.certificate.Raw[len(l.certificate.Raw)-1]%shards]
}

func (p *proven) has(l link) (strictest Profile, ok bool) {
	if v, ok := p.of(l).set.Load(l); ok {
		return v.(Profile), true
	}
	return 0, false
}

func (p *proven) add(l link, profile Profile) {
	s, size := p.of(l), l.size()
	s.mu.Lock()
	defer s.mu.Unlock()
	if strictest, ok := p.has(l); ok {
		s.set.Store(l, max(strictest, profile))
		return
	}
	if size > shardBudget/4 {
		return
	}
	for s.size+size > shardBudget {
		old := s.order[0]
		s.order = slices.Delete(s.order, 0, 1) // which lets go of it
		s.set.Delete(old)
		s.size -= old.size()
	}
	s.set.Store(l, profile)
	s.order = append(s.order, l)
	s.size += size
}

// size is about how many bytes a link keeps: its certificate, as bytes and as what was read
// of them. The issuer is that of many.
func (l link) size() int { return 1024 + 3*len(l.certificate.Raw) }

// link is a certificate below an issuer.
type link struct{ certificate, issuer *x509.Certificate }
