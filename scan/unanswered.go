package scan

import "context"

// fewUnanswered is how many connections may get no answer before a report says so: networks
// lose some, and servers are silent at what they do not know.
const fewUnanswered = 3

// notAnswered is said of what was not found out because no answer came.
const notAnswered = "not known: no answer came"

// unanswered reports that nothing came, or that there was no connection.
func unanswered(a *Answer) bool {
	return !a.End.Connected() || a.End == TimedOut && len(a.Records) == 0
}

// tally counts a connection, and whether it got an answer.
func (x *audit) tally(a *Answer) {
	n := x.count.Add(1)
	if a != nil && unanswered(a) {
		x.silent.Add(1)
		if !a.Probe.idle {
			x.unheard.Add(1)
		}
	}
	if x.o.Progress != nil {
		x.o.Progress(int(n))
	}
}

// silentNow asks what the server has answered before, and reports that no answer comes any
// more.
func (x *audit) silentNow(ctx context.Context) bool {
	a := x.do(ctx, Probe{Name: "the same as at first", Hello: x.modern(), Until: Greeting})
	return a == nil || unanswered(a)
}

// doubt looks whether so many connections got no answer that something on the way, or the
// server, may have turned us away: then nothing is said to be absent.
func (x *audit) doubt() {
	n := x.unheard.Load()
	if n <= fewUnanswered && (n == 0 || len(x.chains) > 0) {
		return
	}
	x.r.Unanswered = int(x.silent.Load())
	for i := range x.r.Weaknesses {
		if c := &x.r.Weaknesses[i]; !c.Found && c.Unknown == "" {
			c.Unknown = "connections got no answer"
		}
	}
}
