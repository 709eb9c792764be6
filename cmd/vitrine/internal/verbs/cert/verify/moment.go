package verify

import (
	"errors"
	"time"
)

// moment is the flag --at.
type moment struct{ time.Time }

// layouts are how a moment may be written; without a zone it is in UTC.
var layouts = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, "2006-01-02 15:04", time.DateOnly}

func (m *moment) Set(s string) error {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			m.Time = t
			return nil
		}
	}
	return errors.New("give a moment like 2027-01-31 or 2027-01-31T12:00:00Z")
}

func (m *moment) String() string { return "" }

func (m *moment) Type() string { return "time" }
