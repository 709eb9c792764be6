package lab

import (
	"slices"
	"strings"
	"testing"
)

// What each experiment claims is what its runs did.
func TestShelf(t *testing.T) {
	for _, x := range Shelf {
		t.Run(x.Name, func(t *testing.T) {
			p, err := x.Play(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range p.Claims {
				if !c.Holds {
					t.Errorf("does not hold: %s", c.Text)
				}
			}
			if t.Failed() {
				for i, r := range p.Runs {
					t.Logf("%d. %s: %s: %s", i, r.Title, r.Result.Words, r.Result.Finding.Text)
				}
				t.Log(p.Facts)
			}
			if len(p.Runs) == 0 || len(p.Claims) < 2 || len(x.Story) < 2 || x.Look == "" || x.Answer == "" || len(x.Refs) == 0 {
				t.Error("the experiment lacks something")
			}
		})
	}
}

// A name is one experiment's, and there is none that nobody has made.
func TestExperimentOf(t *testing.T) {
	var names []string
	for _, x := range Shelf {
		if got, ok := ExperimentOf(x.Name); !ok || got != x || slices.Contains(names, x.Name) || strings.ToLower(x.Name) != x.Name {
			t.Errorf("%q", x.Name)
		}
		names = append(names, x.Name)
	}
	if _, ok := ExperimentOf("heartbleed"); ok {
		t.Error("there is an experiment that nobody has made")
	}
}
