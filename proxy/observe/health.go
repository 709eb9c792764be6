package observe

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// health is what /readyz answers from.
type health struct {
	mu      sync.Mutex
	ready   bool
	was     bool // ready, at some time
	targets map[string]config.Target
	down    map[address]bool // what the last check said; nothing without one
}

func (h *health) setReady(ready bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready, h.was = ready, h.was || ready
}

// check takes note of a check, and reports that it brings news. It may be of an address that
// the next call of configured brings.
func (h *health) check(target, where string, up bool) (news bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down == nil {
		h.down = map[address]bool{}
	}
	at := address{target, where}
	news = h.down[at] == up
	h.down[at] = !up
	return news
}

// configured takes on the targets, and forgets addresses that are gone. An address is up
// until a check says otherwise: without checks nobody knows.
func (h *health) configured(c *config.Config) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.targets = c.Targets
	for at := range h.down {
		if t := c.Targets[at.target]; t.Health == nil || !slices.Contains(t.Addresses, at.address) {
			delete(h.down, at)
		}
	}
}

// up reports that an address of the target may take connections.
func (h *health) up(name string) bool {
	t := h.targets[name]
	return len(t.Addresses) == 0 || slices.ContainsFunc(t.Addresses, func(where string) bool { return !h.down[address{name, where}] })
}

// missing says what keeps the proxy from being ready, a line each; none if it is.
func (h *health) missing() (lines []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !h.ready && h.was:
		lines = append(lines, "it is stopping")
	case !h.ready:
		lines = append(lines, "the listeners are not open yet")
	}
	for _, name := range slices.Sorted(maps.Keys(h.targets)) {
		if !h.up(name) {
			lines = append(lines, fmt.Sprintf("target %q: no address is up (%s)", name, strings.Join(h.targets[name].Addresses, ", ")))
		}
	}
	return lines
}
