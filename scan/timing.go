package scan

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// Two samples of times differ where the rank test of Mann and Whitney says so as a whole, and
// in each half too, in the same direction. Samples of one kind must not differ so: where they
// do, the way there or the server is too restless to be measured.
const (
	differWhole = 5 // standard deviations
	differHalf  = 3
	restless    = 3
)

// timed adds what timing finds, unless it was not asked for. Nothing else of the scan runs
// beside it.
func (x *audit) timed(ctx context.Context) {
	if x.o.Timing == 0 {
		return
	}
	found, unknown := x.timing(ctx)
	x.r.Weaknesses = append(x.r.Weaknesses, Check{ID: "bleichenbacher-timing", Name: "Bleichenbacher's timing", Found: found, Unknown: unknown})
}

// timing measures how long the server takes to refuse premasters that are padded rightly and
// wrongly, one after the other, as often as Options.Timing says. A server that needs longer
// for one of them tells by its time what those with ROBOT tell by their alerts.
func (x *audit) timing(ctx context.Context) (bool, string) {
	v := x.best12()
	suites := x.rsaSuites(v)
	if len(suites) == 0 {
		return false, ""
	}
	const right, wrong = 0, 1 // of premasters
	var times [2][]time.Duration
	var last *Answer
	for range min(x.o.Timing, MaxTiming) {
		for _, which := range []int{right, wrong} {
			a := x.do(ctx, Probe{Name: "the time for a premaster with " + premasters[which].name, Hello: Offer(v, suites...), Until: Flight,
				Then: []Step{sendPremaster{which, true}, Await{For: patience, Done: func(*Answer) bool { return false }}}})
			if a == nil || a.End != Reached {
				return false, "the probe ended early"
			}
			took, ok := tookToAnswer(a)
			if !ok {
				return false, "the server hangs up without an answer to be timed"
			}
			times[which], last = append(times[which], took), a
		}
	}
	z := rankTest(times[right], times[wrong])
	half := len(times[right]) / 2
	first, second := rankTest(times[right][:half], times[wrong][:half]), rankTest(times[right][half:], times[wrong][half:])
	if math.Abs(z) < differWhole || math.Abs(first) < differHalf || math.Abs(second) < differHalf || first*second < 0 {
		return false, ""
	}
	if math.Abs(rankTest(times[right][:half], times[right][half:])) > restless {
		return false, "the times change too much by themselves"
	}
	x.found("bleichenbacher-timing", last, fmt.Sprintf("%d premasters each, padded rightly and wrongly: refused after %v and %v in the median, %.1f standard deviations apart",
		len(times[right]), median(times[right]), median(times[wrong]), math.Abs(z)))
	return true, ""
}

// MaxTiming is how many premasters of a kind a server gets at most, MinTiming how many it
// takes to tell.
const (
	MaxTiming = 10_000
	MinTiming = 24
)

// tookToAnswer is the time from our last bytes to the next of the server.
func tookToAnswer(a *Answer) (time.Duration, bool) {
	for i := len(a.wire) - 1; i > 0; i-- {
		if a.wire[i].from == wire.Server && a.wire[i-1].from == wire.Client {
			return a.wire[i].at.Sub(a.wire[i-1].at), true
		}
		if a.wire[i].from == wire.Client {
			break
		}
	}
	return 0, false
}

// rankTest says by how many standard deviations the ranks of two samples differ; negative
// where the first are smaller. H. Mann, D. Whitney, 1947.
func rankTest(a, b []time.Duration) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	u := 0.0
	for _, x := range a {
		for _, y := range b {
			switch {
			case x > y:
				u++
			case x == y:
				u += 0.5
			}
		}
	}
	n, m := float64(len(a)), float64(len(b))
	return (u - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2].Round(time.Microsecond)
}
