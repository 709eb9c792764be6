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
	was     bool                       // ready, at some time
	targets map[string]map[string]bool // the addresses of a target, and whether each is up
}

func (h *health) setReady(ready bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready, h.was = ready, h.was || ready
}

// address takes note of a check. What the configuration does not have is not kept.
func (h *health) address(target, address string, up bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.targets[target][address]; ok {
		h.targets[target][address] = up
	}
}

// configured takes on the targets. An address is up until a check says otherwise: without
// checks nobody knows.
func (h *health) configured(c *config.Config) {
	h.mu.Lock()
	defer h.mu.Unlock()
	targets := map[string]map[string]bool{}
	for name, t := range c.Targets {
		targets[name] = map[string]bool{}
		for _, a := range t.Addresses {
			up, known := h.targets[name][a]
			targets[name][a] = up || !known || t.Health == nil
		}
	}
	h.targets = targets
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
		addresses := h.targets[name]
		if len(addresses) == 0 || slices.Contains(slices.Collect(maps.Values(addresses)), true) {
			continue
		}
		lines = append(lines, fmt.Sprintf("target %q: no address is up (%s)", name, strings.Join(slices.Sorted(maps.Keys(addresses)), ", ")))
	}
	return lines
}
