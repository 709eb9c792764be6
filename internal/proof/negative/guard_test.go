package negative

import "testing"

// What TestWhatCounts breaks.
const guard = true

func TestGuarded(t *testing.T) {
	if !guard {
		t.Error("the guard is gone")
	}
}

func TestAround(t *testing.T) {
	if !guard {
		t.Error("the guard is gone")
	}
}
