package proxy

import "time"

// A way of a link on which nothing comes is parked: its goroutine ends, and the socket that it
// read is put into the lot, which all links of a proxy share. Once that socket has something, or
// was hung up, a goroutine begins again where the old one stopped. So an idle link holds two
// sockets, its TLS and a few hundred bytes.
//
//	pass ── reads, up to a deadline ──> nothing came: park ──> in the lot, without a goroutine
//	 ^                                                            │ readable, hung up, cut off
//	 └────────────────────────────── wake ───────────────────────┘
//
// What makes this safe:
//
//   - A read that times out takes nothing: bytes are in the socket, or in tls.Conn, which has
//     handed out every whole record before it waits.
//   - The lot looks at the socket when it is armed. So what comes between the last read and
//     the arming wakes the way at once. It tells once for each arming.
//   - The lot never keeps a descriptor: it is armed while package net holds that. It names the
//     link by a number that is never used again, and what it tells of a link that is gone, or
//     awake, is passed over.
//   - link.mutex guards parked. What cuts a link off marks it first, and wakes it then; a link
//     so marked does not park.

// quiet is how long a way waits with a goroutine. It parks where nothing came since it looked
// last, so after one to two of these.
const quiet = time.Second

// patience is quiet, but for tests.
func (t *lot) patience() time.Duration {
	if t.quiet > 0 {
		return t.quiet
	}
	return quiet
}

// park reports that the way is parked. Then the caller must not touch it any more.
func (l *link) park(w way) bool {
	from, _, _ := l.ends(w)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.cutOff || !l.p.lot.arm(l.p, below(from), l.About.ID<<1|uint64(w)) {
		return false
	}
	l.parked[w] = true
	l.p.lot.count.Add(1)
	return true
}

// wake has a way that is parked go on.
func (l *link) wake(w way) {
	l.mutex.Lock()
	was := l.parked[w]
	l.parked[w] = false
	l.mutex.Unlock()
	if was {
		l.p.lot.count.Add(-1)
		go l.pass(w)
	}
}

// wakeAll is for a link that was cut off, whose sockets tell nobody.
func (l *link) wakeAll() {
	for w := range ways {
		l.wake(w)
	}
}

// arrived is told by the lot what it was armed with.
func (p *Proxy) arrived(what uint64) {
	if l := p.links.find(what >> 1); l != nil {
		l.noteActivity()
		l.wake(way(what & 1))
	}
}
