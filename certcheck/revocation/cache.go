package revocation

import (
	"crypto/sha256"
	"sync"
	"time"
)

// DefaultBudget is how many bytes a [Cache] keeps where no number is given.
const DefaultBudget = 128 << 20

// A Cache keeps what was verified, in memory, and never longer than it holds. The zero
// value is ready. It is safe for use by several goroutines at once.
type Cache struct {
	// Budget is how many bytes are kept; 0 for [DefaultBudget].
	Budget int

	mu    sync.Mutex
	held  map[string]held
	bytes int
}

type held struct {
	value any // an Answer or a *List
	until time.Time
	bytes int
}

// answerBytes is what an answer takes, its key included, about.
const answerBytes = 512

// about is the key of an answer: the issuer's key, and the serial number. No URL has such a
// form.
func about(q Query) string {
	return "\x00" + string(q.Issuer.RawSubjectPublicKeyInfo) + string(q.Issuer.RawSubject) + "\x00" + string(q.Certificate.SerialNumber.Bytes())
}

func (c *Cache) answer(q Query) (Answer, bool) {
	a, ok := c.get(about(q), q.Time).(Answer)
	return a, ok
}

func (c *Cache) keepAnswer(q Query, a Answer) {
	c.keep(about(q), held{a, a.NextUpdate, answerBytes}, q.Time)
}

// stapledKey is the key of what a staple has said: an answer's, and the very bytes.
func stapledKey(q Query) string {
	sum := sha256.Sum256(q.Staple)
	return string(sum[:]) + about(q)
}

// stapled returns what the same staple has said of the same certificate before, so that
// its signature is verified once.
func (c *Cache) stapled(q Query) (Answer, bool) {
	if c == nil {
		return Answer{}, false
	}
	a, ok := c.get(stapledKey(q), q.Time).(Answer)
	return a, ok && !q.Time.Before(a.ThisUpdate)
}

func (c *Cache) keepStapled(q Query, a Answer) {
	if c != nil {
		c.keep(stapledKey(q), held{a, a.NextUpdate, answerBytes}, q.Time)
	}
}

// list returns the list of a URL. Whether it still holds is asked anew of each.
func (c *Cache) list(url string) *List {
	l, _ := c.get(url, time.Time{}).(*List)
	return l
}

// listFactor is what a list takes in memory for a byte of its DER, its index included.
const listFactor = 2

func (c *Cache) keepList(url string, l *List, now time.Time) {
	c.keep(url, held{l, l.NextUpdate, l.size * listFactor}, now)
}

func (c *Cache) get(key string, now time.Time) any {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.held[key]
	if !ok || now.After(h.until) {
		return nil
	}
	return h.value
}

// keep makes room first: what no longer holds goes, and then any other.
func (c *Cache) keep(key string, h held, now time.Time) {
	if c == nil || !h.until.After(now) {
		return
	}
	budget := c.Budget
	if budget == 0 {
		budget = DefaultBudget
	}
	if h.bytes > budget {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(key)
	for _, outdated := range []bool{true, false} {
		for k, old := range c.held {
			if c.bytes+h.bytes <= budget {
				break
			}
			if !outdated || now.After(old.until) {
				c.drop(k)
			}
		}
	}
	if c.held == nil {
		c.held = map[string]held{}
	}
	c.held[key] = h
	c.bytes += h.bytes
}

func (c *Cache) drop(key string) {
	c.bytes -= c.held[key].bytes
	delete(c.held, key)
}
