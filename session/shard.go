package session

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"sync"
)

// keyTagSize is how many bytes of a key's digest stand for the key: 128 bits under
// a secret of the store, so that nobody can look for two keys with one tag.
const keyTagSize = 16

type keyTag [keyTagSize]byte

// hash is the part of a tag that picks its place in the index.
func (t *keyTag) hash() uint32 { return binary.NativeEndian.Uint32(t[:]) }

// A shard holds two kinds of records: entries, which are what a key stands for,
// and terms, which are the front of several entries' blobs, kept once. Both are
// found through one index of chained buckets, and have this header; the numbers
// are offsets in a record's first cell.
const (
	offChain = 4  // the next record in the bucket
	offSize  = 8  // of the data; the top bit marks terms
	offHash  = 12 // says which bucket; of an entry it is the first part of the tag

	offRefs   = 16 // terms: how many entries have them
	termsData = 20

	offTag    = offHash
	offTerms  = 28 // entry: its terms, 0 for none
	offExpiry = 32 // in ticks, see Memory
	offNewer  = 36 // the list from the newest to the oldest in use
	offOlder  = 40
	entryData = 44

	isTerms = 1 << 31
)

// perBucket is how many records a bucket has where the shard is full of the
// smallest ones.
const perBucket = 2

// shard is one part of a [Memory], with a lock of its own.
type shard struct {
	mu sync.Mutex
	cells
	index          []uint32
	newest, oldest uint32
	count          Stats
}

// newShard returns a shard that takes at most budget bytes from the heap, once
// it is used.
func newShard(budget int) *shard {
	// A segment costs its place in the list of them, twice while that grows,
	// and its cells' share of the index. The rest is for the shard itself, and
	// for what the heap rounds up.
	const perOne = segment + 48 + perSegment/perBucket*4
	budget = max(0, budget-budget/256-512)
	s := new(shard)
	s.most = min(budget/perOne*perSegment+budget%perOne*perSegment/perOne, math.MaxInt32)
	return s
}

func (s *shard) bucket(hash uint32) *uint32 {
	return &s.index[uint64(hash)*uint64(len(s.index))>>32]
}

// find returns the entry of tag, 0 if there is none.
func (s *shard) find(tag *keyTag) uint32 {
	if s.index == nil {
		return 0
	}
	i := *s.bucket(tag.hash())
	for i != 0 {
		c := s.at(i)
		if c.get(offSize)&isTerms == 0 && keyTag(c[offTag:offTag+keyTagSize]) == *tag {
			break
		}
		i = c.get(offChain)
	}
	return i
}

// live is find for entries that have not expired. It counts.
func (s *shard) live(tag *keyTag, now uint32) uint32 {
	i := s.find(tag)
	if i != 0 && s.at(i).get(offExpiry) <= now {
		s.drop(i)
		s.count.Expired++
		i = 0
	}
	if i == 0 {
		s.count.Misses++
	} else {
		s.count.Hits++
	}
	return i
}

// blob returns the blob of entry i, put together again.
func (s *shard) blob(i uint32) []byte {
	c := s.at(i)
	own, terms, shared := int(c.get(offSize)), c.get(offTerms), 0
	if terms != 0 {
		shared = int(s.at(terms).get(offSize) &^ isTerms)
	}
	b := make([]byte, 0, shared+own)
	if terms != 0 {
		b = s.read(b, terms, termsData, shared)
	}
	return s.read(b, i, entryData, own)
}

// fits reports whether the shard can hold such a blob when it is empty.
func (s *shard) fits(shared, own int) bool {
	n := cellsFor(entryData, own)
	if shared > 0 {
		n += cellsFor(termsData, shared)
	}
	return n <= s.most && uint64(own) < isTerms
}

// add makes the newest entry, for which others make room. There is none of this
// tag, and the blob fits.
func (s *shard) add(tag *keyTag, blob []byte, shared int, seed maphash.Seed, expiry, now uint32) {
	if s.index == nil {
		s.index = make([]uint32, (s.most+perBucket-1)/perBucket)
	}
	var terms uint32
	if shared > 0 { // before the entry, as room for it must not cost the terms
		terms = s.hold(blob[:shared], uint32(maphash.Bytes(seed, blob[:shared])), now)
	}
	own := blob[shared:]
	s.evict(cellsFor(entryData, len(own)), now)
	i := s.write(entryData, own)
	c := s.at(i)
	c.set(offSize, uint32(len(own)))
	copy(c[offTag:], tag[:])
	c.set(offTerms, terms)
	c.set(offExpiry, expiry)
	s.chain(i)
	s.push(i)
	s.count.Entries++
}

// hold returns the terms of that text, for one entry more.
func (s *shard) hold(text []byte, hash, now uint32) uint32 {
	i := *s.bucket(hash)
	for i != 0 {
		c := s.at(i)
		if c.get(offSize) == uint32(len(text))|isTerms && c.get(offHash) == hash && s.holds(i, termsData, text) {
			c.set(offRefs, c.get(offRefs)+1)
			return i
		}
		i = c.get(offChain)
	}
	s.evict(cellsFor(termsData, len(text)), now)
	i = s.write(termsData, text)
	c := s.at(i)
	c.set(offSize, uint32(len(text))|isTerms)
	c.set(offHash, hash)
	c.set(offRefs, 1)
	s.chain(i)
	return i
}

// evict drops the oldest entries until there is room for n cells.
func (s *shard) evict(n int, now uint32) {
	for s.room() < n {
		if s.at(s.oldest).get(offExpiry) <= now {
			s.count.Expired++
		} else {
			s.count.Evictions++
		}
		s.drop(s.oldest)
	}
}

// drop forgets entry i, and its terms where no other entry has them.
func (s *shard) drop(i uint32) {
	if terms := s.at(i).get(offTerms); terms != 0 {
		c := s.at(terms)
		c.set(offRefs, c.get(offRefs)-1)
		if c.get(offRefs) == 0 {
			s.unchain(terms)
			s.release(terms)
		}
	}
	s.pull(i)
	s.unchain(i)
	s.release(i)
	s.count.Entries--
}

// chain puts record i into its bucket.
func (s *shard) chain(i uint32) {
	c := s.at(i)
	first := s.bucket(c.get(offHash))
	c.set(offChain, *first)
	*first = i
}

// unchain takes record i out of its bucket.
func (s *shard) unchain(i uint32) {
	c := s.at(i)
	first := s.bucket(c.get(offHash))
	if *first == i {
		*first = c.get(offChain)
		return
	}
	before := s.at(*first)
	for before.get(offChain) != i {
		before = s.at(before.get(offChain))
	}
	before.set(offChain, c.get(offChain))
}

// push makes entry i, which is in no list, the newest.
func (s *shard) push(i uint32) {
	s.at(i).set(offNewer, 0)
	s.at(i).set(offOlder, s.newest)
	if s.newest == 0 {
		s.oldest = i
	} else {
		s.at(s.newest).set(offNewer, i)
	}
	s.newest = i
}

// pull takes entry i out of the list.
func (s *shard) pull(i uint32) {
	newer, older := s.at(i).get(offNewer), s.at(i).get(offOlder)
	if newer == 0 {
		s.newest = older
	} else {
		s.at(newer).set(offOlder, older)
	}
	if older == 0 {
		s.oldest = newer
	} else {
		s.at(older).set(offNewer, newer)
	}
}

// stats returns the figures of the shard.
func (s *shard) stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.count
	n.Used = s.used * cellSize
	n.Held = s.held() + len(s.index)*4
	return n
}
