package diagnose_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/tracefile"
)

// without a case: what cannot be made on a machine of its own, and what only a network does.
var uncased = []string{
	"no-such-name", "dns", "unreachable", // the network's
}

// The cases are at least 45 causes; the two tests of them demand that each is found.
func TestEnoughCasesAreMade(t *testing.T) {
	var wanted []string
	for _, m := range meetings {
		wanted = append(wanted, m.want)
	}
	for _, e := range encounters {
		wanted = append(wanted, e.want)
	}
	for _, c := range calls {
		wanted = append(wanted, c.want)
	}
	cases := len(wanted)
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	if cases < 45 || len(wanted) < 45 {
		t.Errorf("there are %d cases of %d causes", cases, len(wanted))
	}
	t.Logf("%d cases of %d causes", cases, len(wanted))
	for _, c := range diagnose.Causes() {
		if made, named := slices.Contains(wanted, c.ID), slices.Contains(uncased, c.ID); made == named {
			t.Errorf("%s: it has a case: %v, and is among those without: %v", c.ID, made, named)
		}
		if c.Advice == "" {
			t.Errorf("%s has no advice", c.ID)
		}
	}
}

// A trace and an account in JSON have less than a live connection: what is concluded from them
// may be less sure, and is never surely another cause.
func TestSavedAccountsMisleadNobody(t *testing.T) {
	for _, c := range meetings {
		t.Run(c.name, func(t *testing.T) {
			p := newPKI(t)
			s := ordinary(p)
			c.change(p, s)
			client, server := s.play(t)
			asked := at(c.asked, client, server)
			live := asked.verdict()
			for source, account := range map[string]*explain.Connection{"JSON": throughJSON(t, asked), "a trace": throughTrace(t, asked)} {
				v := diagnose.Account(account, diagnose.Also{})
				if v.Cause != live.Cause && v.Confidence == diagnose.Certain {
					t.Errorf("from %s it is surely %s (%s), live it is %s", source, v.Cause, v.Sentence, live.Cause)
				}
				t.Logf("%s: %s, %s", source, v.Cause, v.Confidence)
			}
		})
	}
}

func throughJSON(t *testing.T, s side) *explain.Connection {
	t.Helper()
	var b bytes.Buffer
	var back explain.Connection
	if err := errors.Join(s.account.JSON(&b), json.Unmarshal(b.Bytes(), &back)); err != nil {
		t.Fatal(err)
	}
	return &back
}

func throughTrace(t *testing.T, s side) *explain.Connection {
	t.Helper()
	var b bytes.Buffer
	if err := s.collector.Save(tracefile.NewWriter(&b, true), explain.About{Err: s.err}); err != nil {
		t.Fatal(err)
	}
	all, err := explain.Load(&b, 0)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d accounts, %v", len(all), err)
	}
	return all[0]
}

// A context that has ended, and a Way without trials, make none.
func TestTrialsAreBounded(t *testing.T) {
	p := newPKI(t)
	for name, c := range map[string]struct {
		trials, most int
		ctx          func() context.Context
	}{
		"none":     {-1, 0, context.Background},
		"three":    {3, 3, context.Background},
		"too many": {99, diagnose.MostTrials, context.Background},
		"an end": {0, 0, func() context.Context {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return ctx
		}},
	} {
		s := newStreet(t)
		scene := ordinary(p)
		address := s.minds(always, closes, scene.server)
		v := visitUnder(t, c.ctx(), scene.client, diagnose.Way{Trials: c.trials}, address)
		if n := s.connections() - 1; n > c.most || len(v.Trials) > c.most {
			t.Errorf("%s: %d connections were made, and %d are the most", name, n, c.most)
		}
	}
}
