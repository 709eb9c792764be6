package handshake

import (
	"crypto/sha256"
	"sync"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/wire"
)

// Compressing a chain costs more than a handshake, and a server has few chains: what they
// became is kept, by what they were.

// What is kept at most.
const (
	mostShrunk      = 64      // chains
	mostShrunkBytes = 1 << 20 // of all together, compressed
)

type shrunkKey struct {
	algorithm wire.CertificateCompression
	digest    [sha256.Size]byte
}

// shrunkCache is safe for concurrent use.
type shrunkCache struct {
	mutex sync.Mutex
	kept  map[shrunkKey][]byte
	order []shrunkKey // oldest first
	size  int
}

var shrunkChains shrunkCache

// shrunk compresses body by a, or remembers what that gave. Nobody may write to it. What
// will not come again is not kept.
func shrunk(a *certcompress.Algorithm, body []byte, keep bool) ([]byte, error) {
	if !keep {
		return a.Compress(body)
	}
	key := shrunkKey{a.ID, sha256.Sum256(body)}
	if small, ok := shrunkChains.get(key); ok {
		return small, nil
	}
	small, err := a.Compress(body)
	if err == nil {
		shrunkChains.put(key, small)
	}
	return small, err
}

func (c *shrunkCache) get(key shrunkKey) (small []byte, ok bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	small, ok = c.kept[key]
	return small, ok
}

// put makes room by what has been there longest.
func (c *shrunkCache) put(key shrunkKey, small []byte) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if _, ok := c.kept[key]; ok || len(small) > mostShrunkBytes/4 {
		return
	}
	if c.kept == nil {
		c.kept = map[shrunkKey][]byte{}
	}
	for len(c.order) > 0 && (len(c.order) >= mostShrunk || c.size+len(small) > mostShrunkBytes) {
		oldest := c.order[0]
		c.size -= len(c.kept[oldest])
		delete(c.kept, oldest)
		c.order = append(c.order[:0], c.order[1:]...)
	}
	c.kept[key], c.order, c.size = small, append(c.order, key), c.size+len(small)
}
