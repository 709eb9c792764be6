package main

import (
	"strings"
	"testing"
	"time"
)

// The section replay in small.
func TestReplays(t *testing.T) {
	for _, servers := range []int{1, 3} {
		var log strings.Builder
		r := &report{section: "replay", log: &log, began: time.Now()}
		if err := r.err(replayTo(t.Context(), r, servers, 3*copies)); err != nil {
			t.Errorf("%v\n%s", err, &log)
		}
		t.Log(log.String())
	}
}
