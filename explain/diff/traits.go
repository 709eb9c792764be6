package diff

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
)

// trait names one thing by which connections are compared.
type trait struct {
	where, what string
	list        bool
}

// traits are those of a connection, in order.
type traits struct {
	order  []trait
	values map[trait][]string
}

func (t *traits) add(k trait, values ...string) {
	values = slices.DeleteFunc(values, func(v string) bool { return v == "" })
	if len(values) == 0 {
		return
	}
	if _, there := t.values[k]; !there {
		t.order = append(t.order, k)
	}
	t.values[k] = append(t.values[k], values...)
}

// merged are the traits of both, each that only other has behind the one that it follows.
func (t *traits) merged(other *traits) []trait {
	all := slices.Clone(t.order)
	at := 0
	for _, k := range other.order {
		if i := slices.Index(all, k); i >= 0 {
			at = i + 1
			continue
		}
		all = slices.Insert(all, at, k)
		at++
	}
	return all
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// agreed is what a summary says that does not depend on time.
var agreed = []struct {
	what string
	of   func(*explain.Summary) string
}{
	{"complete", func(s *explain.Summary) string { return yes(s.Complete) }},
	{"version", func(s *explain.Summary) string { return s.Version }},
	{"cipher suite", func(s *explain.Summary) string { return s.CipherSuite }},
	{"key exchange", func(s *explain.Summary) string { return s.KeyExchange }},
	{"group", func(s *explain.Summary) string { return s.Group }},
	{"DH bits", func(s *explain.Summary) string { return count(s.DHBits) }},
	{"signature scheme", func(s *explain.Summary) string { return s.SignatureScheme }},
	{"server name", func(s *explain.Summary) string { return s.ServerName }},
	{"ALPN", func(s *explain.Summary) string { return s.ALPN }},
	{"PSK identity", func(s *explain.Summary) string { return s.PSKIdentity }},
	{"resumed by", func(s *explain.Summary) string { return s.Resumed }},
	{"HelloRetryRequest", func(s *explain.Summary) string { return yes(s.HelloRetry) }},
	{"client authentication", func(s *explain.Summary) string { return yes(s.ClientAuth) }},
	{"renegotiations", func(s *explain.Summary) string { return count(s.Renegotiations) }},
	{"compression", func(s *explain.Summary) string { return s.Compression }},
	{"records sent are limited to", func(s *explain.Summary) string { return count(s.SendLimit) }},
	{"records received are limited to", func(s *explain.Summary) string { return count(s.ReceiveLimit) }},
	{"round trips", func(s *explain.Summary) string { return count(s.RoundTrips) }},
	{"closed by the client", func(s *explain.Summary) string { return yes(s.ClosedByClient) }},
	{"closed by the server", func(s *explain.Summary) string { return yes(s.ClosedByServer) }},
}

// traitsOf are those of a connection.
func traitsOf(c *explain.Connection) *traits {
	t := &traits{values: map[trait][]string{}}
	t.add(trait{where: "outcome", what: "failure"}, c.Failure)
	for _, a := range agreed {
		t.add(trait{where: "outcome", what: a.what}, a.of(&c.Summary))
	}
	if c.Verdict != nil {
		t.add(trait{where: "outcome", what: "certificates accepted"}, yes(c.Verdict.Accepted))
		t.add(trait{where: "outcome", what: "rule broken"}, c.Verdict.Rule)
	}
	t.add(trait{"outcome", "warnings", true}, c.Warnings...)
	t.add(trait{"outcome", "what disagrees", true}, c.Checks.Failures...)
	seen := map[string]int{}
	for _, e := range c.Events {
		if e.Message != nil {
			t.message(e.Message, numbered(seen, e.Message.Name))
		}
	}
	seen = map[string]int{}
	for _, e := range c.Events {
		if e.Choice != nil {
			t.choice(e.Choice, numbered(seen, e.Choice.What))
		}
	}
	for _, e := range c.Events {
		switch {
		case e.Alert != nil:
			t.add(trait{"messages", "alerts of the " + e.Alert.From, true}, e.Alert.Code)
		case e.Message != nil:
			t.add(trait{"messages", "of the " + e.Message.From, true}, e.Message.Name)
		}
	}
	return t
}

// numbered is a name, with a number from the second time on.
func numbered(seen map[string]int, name string) string {
	if seen[name]++; seen[name] > 1 {
		return fmt.Sprintf("%s %d", name, seen[name])
	}
	return name
}

func (t *traits) choice(c *explain.Choice, name string) {
	t.add(trait{where: "choices", what: name}, orNothing(c.Picked))
	t.add(trait{where: "choices", what: name + ": why"}, c.Why)
}

func orNothing(picked string) string {
	if picked == "" {
		return "nothing"
	}
	return picked
}

// short is a value as it is shown: of hex, the beginning.
func short(v string) string {
	const most = 64
	if len(v) > most && !strings.Contains(v, " ") {
		return fmt.Sprintf("%s... (%d characters)", v[:most], len(v))
	}
	return v
}
