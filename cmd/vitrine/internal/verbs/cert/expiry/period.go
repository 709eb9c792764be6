package expiry

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// period is the flag --within: days, weeks, or what time.ParseDuration reads.
type period struct{ time.Duration }

const day = 24 * time.Hour

var units = map[byte]time.Duration{'d': day, 'w': 7 * day}

// longest keeps far from an overflow.
const longest = 100 * 365 * day

// Set is pflag's.
func (p *period) Set(s string) error {
	wrong := errors.New("give a time like 30d, 2w or 12h")
	if s == "" {
		return wrong
	}
	d, err := time.ParseDuration(s)
	if unit, ok := units[s[len(s)-1]]; ok {
		var n int64
		if n, err = strconv.ParseInt(s[:len(s)-1], 10, 32); err == nil && n <= int64(longest/unit) {
			d = time.Duration(n) * unit
		} else {
			return wrong
		}
	}
	if err != nil || d < 0 || d > longest {
		return wrong
	}
	p.Duration = d
	return nil
}

func (p *period) String() string {
	if p.Duration%day == 0 {
		return fmt.Sprintf("%dd", p.Duration/day)
	}
	return p.Duration.String()
}

// Type is pflag's.
func (p *period) Type() string { return "time" }
