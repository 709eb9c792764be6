package diagnose_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
)

// evidence is what one case leaves for the rules.
type evidence struct {
	name    string
	account *explain.Connection
	also    diagnose.Also
}

// alone are the calls that an account tells by itself, and no meeting or encounter has: they are
// made here without trials.
var alone = []string{"silence", "reset-midway", "name-unknown", "legacy-renegotiation", "no-extended-master-secret",
	"psk-identity", "broken-rule", "truncated", "no-close-notify", "client-certificate-missing", "client-certificate-refused"}

// allEvidence plays the cases.
func allEvidence(t *testing.T) (all []evidence) {
	for _, m := range meetings {
		p := newPKI(t)
		s := ordinary(p)
		m.change(p, s)
		client, server := s.play(t)
		asked := at(m.asked, client, server)
		all = append(all, evidence{m.name, asked.account, diagnose.Also{Err: asked.err}})
	}
	for _, e := range encounters {
		p := newPKI(t)
		s := ordinary(p)
		us := e.play(t, p, s)
		all = append(all, evidence{e.name, us.account, diagnose.Also{Err: us.err, Now: now(s.client)}})
	}
	for _, n := range networkErrors {
		all = append(all, evidence{n.err.Error(), nil, diagnose.Also{Err: n.err}})
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for _, c := range calls {
		if !slices.Contains(alone, c.want) {
			continue
		}
		p := newPKI(t)
		s := ordinary(p)
		var way diagnose.Way
		address := c.build(newStreet(t), p, s.client, s.server, &way)
		wait.Go(func() {
			account, also := reach(s.client, &way, address)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, evidence{c.name, account, also})
		})
	}
	wait.Wait()
	return all
}

// Each rule is needed: without it some case gets another verdict. What every case leaves is judged
// again by the table without one of its rows.
func TestEachRuleIsNeeded(t *testing.T) {
	all := allEvidence(t)
	whole := make([]string, len(all))
	for i, e := range all {
		whole[i] = diagnose.Account(e.account, e.also).Cause
	}
	for row, id := range diagnose.Rules() {
		by := ""
		for i, e := range all {
			if v := diagnose.AccountWithout(row, e.account, e.also); v.Cause != whole[i] {
				by = e.name
				if v.Confidence == diagnose.Certain {
					t.Logf("without %s, %q would surely be %s", id, e.name, v.Cause)
				}
			}
		}
		if by == "" {
			t.Errorf("without the rule %s (row %d) no case gets another verdict", id, row)
		}
	}
	if len(all) < 80 || len(diagnose.Rules()) < 50 {
		t.Errorf("%d cases, %d rules", len(all), len(diagnose.Rules()))
	}
}
