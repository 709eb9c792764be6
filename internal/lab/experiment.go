package lab

import (
	"context"
	"fmt"
)

// An Experiment is a story with real runs, and claims that these runs must bear out.
type Experiment struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Story is what it is about, a paragraph each; Look is what to look at in the runs, and
	// Answer which defence there is.
	Story  []string `json:"story"`
	Look   string   `json:"look"`
	Answer string   `json:"answer"`
	// Refs are where to read on.
	Refs []string `json:"refs"`

	cases  []Case
	claims []claim
	// measure does what is no single run, and notes what came of it.
	measure func(context.Context, *Played) error
}

// A Case is one run of an experiment.
type Case struct {
	Title     string     `json:"title"`
	Setup     Setup      `json:"setup"`
	Deviation *Deviation `json:"deviation,omitempty"`
}

// A claim is a sentence that the runs must bear out.
type claim struct {
	text  string
	holds func(*Played) bool
}

// Played is what came of an experiment.
type Played struct {
	*Experiment
	Runs   []PlayedCase `json:"runs"`
	Facts  []Fact       `json:"facts,omitempty"`
	Claims []Claim      `json:"claims"`

	facts map[string]int
}

// PlayedCase is a run with its title.
type PlayedCase struct {
	Title  string  `json:"title"`
	Result *Result `json:"result"`
}

// A Fact is something that was measured.
type Fact struct {
	What  string `json:"what"`
	Value int    `json:"value"`
}

// A Claim is what is said of the runs, and whether they bear it out.
type Claim struct {
	Text  string `json:"text"`
	Holds bool   `json:"holds"`
}

// ExperimentOf is the one of that name.
func ExperimentOf(name string) (*Experiment, bool) {
	for _, x := range Shelf {
		if x.Name == name {
			return x, true
		}
	}
	return nil, false
}

// Play does all runs of an experiment, and looks whether they bear its claims out.
func (x *Experiment) Play(ctx context.Context) (*Played, error) {
	p := &Played{Experiment: x, facts: map[string]int{}}
	for _, c := range x.cases {
		r, err := Run(ctx, c.Setup, c.Deviation)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Title, err)
		}
		p.Runs = append(p.Runs, PlayedCase{c.Title, r})
	}
	if x.measure != nil {
		if err := x.measure(ctx, p); err != nil {
			return nil, err
		}
	}
	for _, c := range x.claims {
		p.Claims = append(p.Claims, Claim{c.text, c.holds(p)})
	}
	return p, nil
}

// fact notes what was measured.
func (p *Played) fact(name, what string, value int) {
	p.facts[name] = value
	p.Facts = append(p.Facts, Fact{what, value})
}

// add does one more run, which a measurement has put together.
func (p *Played) add(ctx context.Context, title string, s Setup, d *Deviation) (*Result, error) {
	r, err := Run(ctx, s, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", title, err)
	}
	p.Runs = append(p.Runs, PlayedCase{title, r})
	return r, nil
}

// finding is that of the n-th run.
func (p *Played) finding(n int) *Finding { return &p.Runs[n].Result.Finding }

// came reports the outcome of the n-th run, with that side and alert where they are given.
func came(n int, outcome, by, alert string) func(*Played) bool {
	return func(p *Played) bool {
		f := p.finding(n)
		return f.Outcome == outcome && (by == "" || f.By == by) && (alert == "" || f.Alert == alert)
	}
}
