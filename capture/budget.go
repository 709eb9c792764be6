package capture

// What all connections of a capture together may make us keep. What exceeds it becomes a
// gap, or a connection that ends early, and both are said.
const (
	maxFlows      = 1 << 16 // TCP connections at a time: those go first that were silent longest
	maxTLS        = 1 << 14 // of them, those with TLS
	maxAllWaiting = 24 << 20
	maxAllHistory = 16 << 20
	maxAllPrelude = 8 << 20
	maxComments   = 8 // on a packet, and of a connection
)

// budget is what is left for all connections together, in bytes.
type budget struct{ waiting, history, preludes int }

// ring is a list of flows: the first is the one that was added last.
type ring struct {
	which       int // of a flow's links
	first, last *flow
	length      int
}

type link struct {
	before, behind *flow
	in             bool
}

func (r *ring) add(f *flow) {
	l := &f.links[r.which]
	if l.in {
		return
	}
	*l = link{behind: r.first, in: true}
	if r.first != nil {
		r.first.links[r.which].before = f
	} else {
		r.last = f
	}
	r.first = f
	r.length++
}

func (r *ring) remove(f *flow) {
	l := &f.links[r.which]
	if !l.in {
		return
	}
	if l.before != nil {
		l.before.links[r.which].behind = l.behind
	} else {
		r.first = l.behind
	}
	if l.behind != nil {
		l.behind.links[r.which].before = l.before
	} else {
		r.last = l.before
	}
	*l = link{}
	r.length--
}

// touch moves f to the front.
func (r *ring) touch(f *flow) {
	if r.first != f {
		r.remove(f)
		r.add(f)
	}
}
