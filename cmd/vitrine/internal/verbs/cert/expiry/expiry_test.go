package expiry

import (
	"testing"
	"time"
)

func TestPeriod(t *testing.T) {
	for s, want := range map[string]time.Duration{"30d": 30 * day, "2w": 14 * day, "12h": 12 * time.Hour, "0d": 0, "36500d": longest} {
		var p period
		if err := p.Set(s); err != nil || p.Duration != want {
			t.Errorf("%s: %v, %v", s, p.Duration, err)
		}
	}
	for _, s := range []string{"", "d", "30", "-1d", "-1h", "99999999999d", "36501d", "5300w", "soon"} {
		if p := (period{day}); p.Set(s) == nil {
			t.Errorf("%q was read as %v", s, p)
		}
	}
}

func TestDaysInWords(t *testing.T) {
	for n, want := range map[int]string{-3: "2 days ago", -2: "1 day ago", -1: "less than a day ago", 0: "within a day", 1: "in 1 day", 30: "in 30 days"} {
		if got := inDays(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
