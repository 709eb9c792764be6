package terminal

import (
	"strings"
	"testing"
)

func TestStatus(t *testing.T) {
	var quiet strings.Builder
	s := NewStatus(&quiet)
	s.Say("asking")
	s.End()
	if quiet.Len() > 0 {
		t.Errorf("%q was written to what is no terminal", quiet.String())
	}
	var seen strings.Builder
	s = &Status{w: &seen, width: 12}
	s.Say("asking")
	s.Say("asking for more")
	s.Say("a\x1b[K")
	s.End()
	if got, want := seen.String(), "\r\x1b[Kasking\r\x1b[Kasking for…\r\x1b[K\"a\\x1b[K\"\r\x1b[K"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
