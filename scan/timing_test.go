package scan

import (
	"math"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// A server that takes longer for a wrong padding is found, when it is asked for, and one that
// does not is not.
func TestTimingOfPremasters(t *testing.T) {
	for _, slow := range []time.Duration{0, 50 * time.Millisecond} {
		at := (&broken{slow: slow}).serve(t)
		for _, times := range []int{0, MinTiming} {
			var x *audit
			for range 5 { // a busy machine changes the times too much now and then
				x = &audit{p: &Prober{}, at: at, o: Options{Timing: times}, r: &Report{answers: map[string]*Answer{}}, suites: map[wire.Version][]wire.CipherSuite{}}
				x.parallel(t.Context(), x.versions()...)
				x.gatherVersions()
				x.timed(t.Context())
				if times == 0 || len(x.r.Weaknesses) > 0 && x.r.Weaknesses[0].Unknown == "" {
					break
				}
			}
			if measured := len(x.r.Weaknesses) > 0; measured != (times > 0) {
				t.Fatalf("asked for %d times: %+v", times, x.r.Weaknesses)
			}
			if times > 0 && x.r.Weaknesses[0].Unknown != "" {
				t.Error(x.r.Weaknesses[0].Unknown)
			}
			if x.r.has("bleichenbacher-timing") != (times > 0 && slow > 0) {
				t.Errorf("slower by %v: %+v", slow, x.r.Weaknesses)
			}
		}
	}
}

// Ranks that do not overlap, that do, and that are the same.
func TestRankTest(t *testing.T) {
	a, b := []time.Duration{1, 2, 3, 4, 5, 6}, []time.Duration{7, 8, 9, 10, 11, 12}
	// U is 0 of 36, its mean 18 and its deviation the root of 39.
	if z := rankTest(a, b); math.Abs(z+18/math.Sqrt(39)) > 1e-9 || rankTest(b, a) != -z {
		t.Errorf("%v", z)
	}
	if z := rankTest(a, a); z != 0 {
		t.Errorf("%v", z)
	}
}
