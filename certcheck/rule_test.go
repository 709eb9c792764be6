package certcheck

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

// attempt is one way to break a rule, in a chain that is otherwise good under every
// profile.
type attempt struct {
	rule   string
	name   string
	change func(*forge.Chain)
	option func(*Options)
	breach string   // part of what is said
	with   []string // other rules that are broken by the same change; "*" for any
}

// everyBreach is the whole of the rules' cases, a file for each topic.
var everyBreach = slices.Concat(strengthBreaches, authorityBreaches, identityBreaches, timeBreaches, usageBreaches, extensionBreaches, nameBreaches, formBreaches, policyBreaches, pinBreaches)

// reached are rules with a test of their own, which no chain of three can break.
var reached = map[string]string{"depth": "TestVerifyDepth", "root-condition": "TestConditionsAreAskedEachTime"}

// judged verifies a chain as a peer would send it.
func judged(t *testing.T, c *forge.Chain, change func(*Options)) *Verdict {
	t.Helper()
	leafDER, intermediateDER, rootDER := c.DER()
	certs, err := Parse([][]byte{leafDER, intermediateDER})
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(rootDER)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(root)
	o := Options{Roots: pool, Name: "example.com", Time: now, Profile: WebPKI}
	if change != nil {
		change(&o)
	}
	v := Judge(t.Context(), certs, o)
	if len(v.Paths) == 0 {
		t.Fatalf("no path was found: %v", v.Refused)
	}
	return v
}

func TestGoodChainBreaksNothing(t *testing.T) {
	v := judged(t, forge.NewChain(now), nil)
	if v.Refused != nil || v.Taken != 0 {
		t.Fatalf("refused: %v", v.Refused)
	}
	for _, c := range v.Paths[0].Checks {
		if c.Breach != "" {
			t.Errorf("%s: %s", c.Rule.Name, c.Breach)
		}
	}
}

func TestEveryRuleIsBroken(t *testing.T) {
	seen := map[string]bool{}
	for _, tc := range everyBreach {
		seen[tc.rule] = true
		t.Run(tc.rule+"/"+tc.name, func(t *testing.T) {
			chain := forge.NewChain(now)
			tc.change(chain)
			v := judged(t, chain, tc.option)
			var found []string
			for _, c := range v.Paths[0].Checks {
				if c.Breach == "" || c.Rule.Name != tc.rule && (slices.Contains(tc.with, "*") || slices.Contains(tc.with, c.Rule.Name)) {
					continue
				}
				found = append(found, fmt.Sprintf("%s: %s", c.Rule.Name, c.Breach))
				if c.Rule.Name != tc.rule || !strings.Contains(c.Breach, tc.breach) {
					t.Errorf("%s: %s; want %s: ...%s...", c.Rule.Name, c.Breach, tc.rule, tc.breach)
				}
			}
			if len(found) == 0 {
				t.Fatal("nobody noticed")
			}
			if v.Refused == nil || v.Paths[0].Refused == nil {
				t.Error("accepted under the strictest profile")
			}
		})
	}
	for _, r := range Rules() {
		if !seen[r.Name] && reached[r.Name] == "" {
			t.Errorf("no case breaks the rule %s", r.Name)
		}
	}
}

// A rule refuses from its profile on, and is a warning before.
func TestProfilesRefuse(t *testing.T) {
	for _, tc := range everyBreach {
		for profile := Interoperable; profile <= WebPKI; profile++ {
			chain := forge.NewChain(now)
			tc.change(chain)
			v := judged(t, chain, func(o *Options) {
				o.Profile = profile
				if tc.option != nil {
					tc.option(o)
				}
			})
			path := v.Paths[0]
			refusals, warnings := path.Breaches(profile)
			if len(refusals)+len(warnings) == 0 || (len(refusals) > 0) != (path.Refused != nil) || path.Refused != nil && v.Refused == nil {
				t.Errorf("%s/%s under %v: refused %v with %d refusals, %d warnings", tc.rule, tc.name, profile, v.Refused, len(refusals), len(warnings))
			}
			for _, c := range refusals {
				if c.Rule.Profile > profile {
					t.Errorf("%s refuses under %v", c.Rule.Name, profile)
				}
			}
		}
	}
}

func TestRulesAreDocumented(t *testing.T) {
	names := map[string]bool{}
	for _, r := range Rules() {
		if r.Name == "" || r.Demands == "" || r.Source == "" || r.Hint == "" || r.Alert == 0 || r.on == 0 || r.check == nil {
			t.Errorf("rule %q lacks a field", r.Name)
		}
		if names[r.Name] {
			t.Errorf("two rules are called %s", r.Name)
		}
		names[r.Name] = true
	}
}
