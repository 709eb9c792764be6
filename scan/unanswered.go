package scan

import (
	"context"
	"maps"
	"slices"
)

// fewUnanswered is how many connections may get no answer before a report says so: networks
// lose some, and servers are silent at what they do not know.
const fewUnanswered = 3

// notAnswered is said of what was not found out because no answer came.
const notAnswered = "not known: no answer came"

// unanswered reports that nothing came, or that there was no connection.
func unanswered(a *Answer) bool {
	return !a.End.Connected() || a.End == TimedOut && len(a.Records) == 0
}

// mute reports that an answer was due and did not come, or not to its end.
func mute(a *Answer) bool {
	return !a.Probe.idle && (!a.End.Connected() || a.End == TimedOut)
}

// cutShort reports that the connection ended before a byte came.
func cutShort(a *Answer) bool {
	return !a.Probe.idle && (a.End == Closed || a.End == Reset) && len(a.Received()) == 0
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
	if a != nil && cutShort(a) {
		x.cut.Add(1)
	}
	if a != nil && mute(a) {
		x.lacks(a.Probe.Name)
	}
	if x.o.Progress != nil {
		x.o.Progress(int(n))
	}
}

// lacks notes what got no answer where one was due.
func (x *audit) lacks(what string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.mutes == nil {
		x.mutes = map[string]bool{}
	}
	x.mutes[what] = true
}

// doubt looks whether so many connections got no answer that something on the way, or the
// server, may have turned us away: then nothing is said to be absent. Where some were closed or
// reset at once, what was answered at first is asked again: servers hang up at what they do not
// know, and a firewall at everything.
func (x *audit) doubt(ctx context.Context) {
	n, silent := x.unheard.Load(), x.silent.Load()
	if cut := x.cut.Load(); cut > fewUnanswered && x.turnedAway(ctx) {
		n, silent = n+cut, silent+cut
	}
	x.r.NotAnswered = slices.Sorted(maps.Keys(x.mutes))
	x.r.NotAsked = x.notAsked()
	if n <= fewUnanswered && (n == 0 || len(x.chains) > 0) {
		return
	}
	x.r.Unanswered = int(silent)
	for i := range x.r.Weaknesses {
		if c := &x.r.Weaknesses[i]; !c.Found && c.Unknown == "" {
			c.Unknown = "connections got no answer"
		}
	}
}

// turnedAway asks what the server has answered before, and reports that it does not any more.
func (x *audit) turnedAway(ctx context.Context) bool {
	a := x.do(ctx, Probe{Name: "the same as at first", Hello: x.modern(), Until: Greeting})
	return a != nil && a.End != Reached
}

// byProbes are findings that only probes for weaknesses make, or what follows them.
var byProbes = []string{"heartbleed", "ccs-injection", "ticketbleed", "robot", "poodle-tls", "zombie-poodle", "goldendoodle", "early-data-replay",
	"starttls-injection", "alpaca", "ticket-open", "ticket-guess", "ticket-past-client-auth", "ticket-across-hosts"}

// notAsked are the findings for which the Options do not let the scan look.
func (x *audit) notAsked() (ids []string) {
	if x.o.ConfigurationOnly {
		ids = append(ids, byProbes...)
	}
	for id, asked := range map[string]bool{
		"bleichenbacher-timing": x.o.Timing > 0 && !x.o.ConfigurationOnly,
		"ticket-not-shared":     x.o.Addresses != nil && !x.o.ConfigurationOnly || x.o.Fleet > 0,
		"session-not-shared":    x.o.Fleet > 0,
		"members-differ":        x.o.Fleet > 0,
		"certificates-differ":   x.o.Fleet > 0,
		"no-redirect":           x.o.Plain != nil,
		"revoked":               x.o.Revocation != nil,
		"no-ct":                 x.o.Roots == nil,
	} {
		if !asked {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
