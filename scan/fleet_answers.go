package scan

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/wire"
)

// A fleetQuestion is put to each server. The answer is empty where nothing is known.
type fleetQuestion struct {
	what  string
	probe Probe
	value func(a *Answer) string
	// also are further questions that the same connection answers.
	also map[string]func(a *Answer) string
}

// fleetQuestions are a hello of today with a request, and each version by itself.
func (x *audit) fleetQuestions() []fleetQuestion {
	today := x.modern()
	if x.speaksHTTP() {
		today.ALPN = []string{"http/1.1"}
	}
	both := x.modern()
	both.ALPN = []string{"h2", "http/1.1"}
	all := []fleetQuestion{
		{what: "certificate", probe: Probe{Name: "a member of the fleet", Hello: today, Until: Complete, Then: []Step{
			SendRecord{Type: wire.ContentApplicationData, Content: x.request()},
			Await{For: patience, Done: func(a *Answer) bool { return len(a.Data()) > maxHead || bytes.Contains(a.Data(), []byte("\r\n\r\n")) }},
			CloseNotify{}}},
			value: certificateOf, also: map[string]func(*Answer) string{"HSTS": hstsOf}},
		{what: "protocol (ALPN)", probe: Probe{Name: "a member of the fleet with ALPN", Hello: both, Until: Flight},
			value: func(a *Answer) string {
				if a.End != Reached {
					return answerOf(a)
				}
				if a.ALPN == "" {
					return "none"
				}
				return a.ALPN
			}},
	}
	for _, v := range versions {
		suites := x.suites[v]
		if len(suites) == 0 {
			suites = spoken(v)
		}
		if len(suites) == 0 {
			continue
		}
		all = append(all, fleetQuestion{what: v.String(), probe: Probe{Name: "a member of the fleet with " + v.String(), Hello: x.offer(v, suites...), idle: !x.speaks(v)},
			value: func(a *Answer) string { return pickOf(a, v) }})
	}
	return all
}

func certificateOf(a *Answer) string {
	if len(a.Certificates) == 0 {
		return ""
	}
	return fmt.Sprintf("%x", sha256.Sum256(a.Certificates[0]))
}

func hstsOf(a *Answer) string {
	head := readHead(a.Data())
	switch {
	case head == nil:
		return ""
	case head.HSTS == "":
		return "none"
	}
	return head.HSTS
}

// pickOf is what a server picks of a version, or that it refuses: how it does that is of no account.
func pickOf(a *Answer, v wire.Version) string {
	switch {
	case a.Server != nil && a.Version == v:
		return SuiteName(a.Suite)
	case a.Retry != nil && a.Version == v:
		return SuiteName(a.Suite)
	}
	return "no"
}

// fleetGiven is what was answered so far.
type fleetGiven struct {
	mu       sync.Mutex
	answers  map[string]map[string]*FleetAnswer
	evidence map[string]*Answer
	// silent is how many connections got no answer, and void, by address, how many got one that says nothing of the
	// question.
	silent map[string]int
	void   map[string]map[string]int
}

// note notes the answer to a question; a nil one is none.
func (g *fleetGiven) note(what, address string, a *Answer, value func(*Answer) string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a == nil {
		g.silent[what]++
		return
	}
	says := value(a)
	if says == "" {
		if g.void[what] == nil {
			g.void[what] = map[string]int{}
		}
		g.void[what][address]++
		return
	}
	if g.answers[what] == nil {
		g.answers[what] = map[string]*FleetAnswer{}
	}
	one := g.answers[what][says]
	if one == nil {
		one = &FleetAnswer{Value: short(says)}
		g.answers[what][says], g.evidence[what] = one, a
	}
	if one.Times++; !slices.Contains(one.Addresses, address) {
		one.Addresses = append(one.Addresses, address)
	}
}

// fleetAnswers puts all questions to each address again and again, and notes what differs.
func (x *audit) fleetAnswers(ctx context.Context, r *FleetReport) {
	questions := x.fleetQuestions()
	rounds := max(x.o.Fleet/4, MinFleet, len(r.Addresses))
	given := &fleetGiven{answers: map[string]map[string]*FleetAnswer{}, evidence: map[string]*Answer{}, silent: map[string]int{}, void: map[string]map[string]int{}}
	// One question after the other: a balancer that takes its servers in turn would else give the
	// same question to the same one each time.
	for _, q := range questions {
		var wait sync.WaitGroup
		for i := range rounds {
			address := r.Addresses[i%len(r.Addresses)]
			wait.Go(func() {
				a := x.elsewhere(ctx, address, q.probe)
				given.note(q.what, address, a, q.value)
				for what, value := range q.also {
					given.note(what, address, a, value)
				}
			})
		}
		wait.Wait()
	}
	if ctx.Err() != nil {
		return
	}
	for _, what := range fleetOrder(questions) {
		if len(given.answers[what]) == 0 {
			continue // nobody says anything of it
		}
		row := fleetRow(what, given.answers[what])
		row.Unanswered = given.silent[what]
		for address, n := range given.void[what] { // others say something of it
			row.Unanswered += n
			x.lacks("the fleet at " + address + ": " + what)
		}
		r.Answers = append(r.Answers, row)
		x.judgeAnswers(row, given.evidence[what])
	}
}

// fleetRow has the most frequent answer first.
func fleetRow(what string, given map[string]*FleetAnswer) FleetAnswers {
	row := FleetAnswers{What: what}
	for _, one := range given {
		slices.Sort(one.Addresses)
		row.Answers = append(row.Answers, *one)
	}
	slices.SortFunc(row.Answers, func(a, b FleetAnswer) int {
		return cmp.Or(b.Times-a.Times, strings.Compare(a.Value, b.Value))
	})
	return row
}

// fleetOrder is that of the report.
func fleetOrder(questions []fleetQuestion) (order []string) {
	for _, q := range questions {
		order = append(order, q.what)
		for what := range q.also {
			order = append(order, what)
		}
	}
	return order
}

// judgeAnswers finds servers that do not answer alike. Certificates may differ for good reasons.
func (x *audit) judgeAnswers(row FleetAnswers, a *Answer) {
	if len(row.Answers) < 2 {
		return
	}
	id := "members-differ"
	if row.What == "certificate" {
		id = "certificates-differ"
	}
	var parts []string
	for _, one := range row.Answers[:min(len(row.Answers), 4)] {
		parts = append(parts, fmt.Sprintf("%s (%d times, at %s)", one.Value, one.Times, strings.Join(one.Addresses[:min(len(one.Addresses), 4)], ", ")))
	}
	x.found(id, a, row.What+": "+strings.Join(parts, "; "))
}
