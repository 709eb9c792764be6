package proxy

import "testing"

// Room runs short once three quarters of it are taken, however little there is.
func TestCrowded(t *testing.T) {
	for most, least := range []int64{1: 1, 2: 2, 3: 3, 4: 3, 5: 4, 6: 5, 7: 6, 8: 6} {
		m := new(limits)
		m.most.Store(int64(most))
		for open := range int64(most) {
			m.open.Store(open + 1)
			if got := m.crowded(); got != (open+1 >= least) {
				t.Errorf("%d of %d: %v", open+1, most, got)
			}
		}
	}
}
