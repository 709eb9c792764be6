package proxy

import "github.com/vitrine-tls/vitrine/proxy/config"

// order are the addresses to try, the one whose turn it is first. Those that are down come
// last: a check may be wrong, and to try costs less than to refuse.
func (t *target) order() []*place {
	n := len(t.places)
	if n == 1 {
		return t.places
	}
	first := int((t.turn.Add(1) - 1) % uint64(n)) // the count is beyond an int one day
	list, down := make([]*place, 0, n), []*place(nil)
	for i := range n {
		at := t.places[(first+i)%n]
		if at.down.Load() {
			down = append(down, at)
		} else {
			list = append(list, at)
		}
	}
	if t.config.Balance == config.LeastConnections {
		for i := range list { // the first of the least loaded goes to the front
			if list[i].active.Load() < list[0].active.Load() {
				list[0], list[i] = list[i], list[0]
			}
		}
	}
	return append(list, down...)
}
