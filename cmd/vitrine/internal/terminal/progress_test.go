package terminal

import (
	"strings"
	"testing"
)

func TestProgress(t *testing.T) {
	var quiet strings.Builder
	p := NewProgress(&quiet, 2, "asked")
	p.Step()
	p.End()
	if quiet.Len() > 0 {
		t.Errorf("%q was written to what is no terminal", quiet.String())
	}
	var seen strings.Builder
	p = &Progress{w: &seen, total: 2, what: "asked"}
	p.Step()
	p.Reach(1) // where it is already
	p.Reach(2)
	p.End()
	if got, want := seen.String(), "\r\x1b[K1 of 2 asked\r\x1b[K2 of 2 asked\r\x1b[K"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
