package web

import (
	"errors"
	"time"
)

// errSlow is why a request ends whose client brings the body too slowly.
var errSlow = errors.New("the client brings the body too slowly")

const (
	// defaultBodyRate is what clients must bring where room runs short, in bytes a second. The slowest of modems
	// bring more.
	defaultBodyRate = 240
	// bodyGrace is how long a client may bring less.
	bodyGrace = 10 * time.Second
	// lookAgain is how soon it is seen whether room runs short now.
	lookAgain = time.Second
)

// A pace is how fast a client brings a body. Only time in which the proxy waits for the client counts. Waiting takes
// from the credit, bytes add to it, and there is never more than at the beginning: a client cannot save up.
type pace struct {
	rate   float64 // bytes a second
	grace  time.Duration
	held   func() bool // whether it is held to the rate now
	credit time.Duration
	since  time.Time // the wait began; zero for none
}

func (o *Options) newPace(grace time.Duration) pace {
	p := pace{rate: float64(o.BodyRate), grace: grace, credit: grace, held: func() bool { return true }}
	if o.BodyRate <= 0 {
		p.rate, p.held = defaultBodyRate, o.Crowded
	}
	return p
}

// wait begins a wait for the client.
func (p *pace) wait(now time.Time) { p.since = now }

// came ends it, with n bytes.
func (p *pace) came(n int, now time.Time) {
	p.credit -= now.Sub(p.since)
	p.credit = min(p.grace, max(p.credit, 0)+time.Duration(float64(n)/p.rate*float64(time.Second)))
	p.since = time.Time{}
}

// tooSlow reports that the client has used its credit up and is held to the rate. If not, it is to be seen again
// after a time.
func (p *pace) tooSlow(now time.Time) (is bool, again time.Duration) {
	if left := p.credit - now.Sub(p.since); left > 0 {
		return false, left
	}
	if p.held == nil || !p.held() {
		return false, lookAgain
	}
	return true, 0
}
