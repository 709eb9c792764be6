package scan

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A server that once answers otherwise is not one that tells premasters apart: what differs
// must come twice.
func TestOneOddAnswerIsNotROBOT(t *testing.T) {
	whims := new(atomic.Int32)
	whims.Store(1)
	x := &audit{p: &Prober{}, at: (&broken{whims: whims}).serve(t), r: &Report{answers: map[string]*Answer{}}, suites: map[wire.Version][]wire.CipherSuite{}}
	x.parallel(t.Context(), x.versions()...)
	x.gatherVersions()
	found, unknown := x.robot(t.Context())
	if whims.Load() >= 0 {
		t.Fatal("no wrong premaster came")
	}
	if found || unknown != "" || slices.ContainsFunc(x.r.Findings, func(f Finding) bool { return f.ID == "robot" }) {
		t.Errorf("%v, %q: %+v", found, unknown, x.r.Findings)
	}
}
