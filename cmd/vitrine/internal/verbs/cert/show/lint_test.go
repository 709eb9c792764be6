package show

import (
	"strings"
	"testing"
)

// zlint may panic on what it was not written for: that is a finding, and not the end.
func TestZlintThatPanics(t *testing.T) {
	got := guarded(func() []Finding { panic("index out of range") })
	if len(got) != 1 || !got[0].isError() || !strings.Contains(got[0].String(), "gave up") || !strings.Contains(got[0].String(), "index out of range") {
		t.Errorf("%+v", got)
	}
	want := Finding{Rule: "a"}
	if got := guarded(func() []Finding { return []Finding{want} }); len(got) != 1 || got[0] != want {
		t.Errorf("without a panic: %+v", got)
	}
}
