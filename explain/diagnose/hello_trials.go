package diagnose

import (
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/wire"
)

// helloTrials find out what in a hello the server, or something on the way, does not take. The
// same hello comes first: what does not fail again is no matter of the hello.
func (t *trialist) helloTrials() *Verdict {
	if !t.may(1) {
		return nil
	}
	size := t.recordSize()
	const same = "the same hello again"
	a := t.again(same, size)
	if a.agreed {
		return t.intermittent("hello", a, func() answer { return t.again(same, size) })
	}
	t.failed = a
	if v := t.notTLS(a); v != nil {
		return v
	}
	if v := t.addresses(&a); v != nil {
		return v
	}
	steps := []func() *Verdict{t.sessionTrial, t.splitTrial, t.hopeless, t.nameTrial, t.sizeTrial, t.greaseTrial, t.extensionTrial, t.versionTrial, t.widerTrial, t.otherVersions}
	if a.end == scan.Alerted {
		steps = []func() *Verdict{t.sessionTrial, t.splitTrial, t.nameTrial, t.widerTrial, t.otherVersions, t.sizeTrial, t.greaseTrial, t.extensionTrial, t.versionTrial}
	}
	for _, step := range steps {
		if v := step(); v != nil {
			return v
		}
	}
	return nil
}

// again sends the hello that failed once more: byte for byte where it is to resume a session,
// whose proof is over those bytes, and else with a random of its own.
func (t *trialist) again(asks string, size int) answer {
	if t.facts.hello.resumes() != "" {
		return t.probe(asks, scan.Probe{Raw: inRecords(t.c.Events[t.helloAt].Message.Raw, size)}, "")
	}
	return t.try(asks, t.facts.hello.copyOf(), "", size)
}

// recordSize is that of the records in which the hello was sent; 0 for one record.
func (t *trialist) recordSize() int {
	if t.helloAt < 0 {
		return 0
	}
	if pieces := t.c.Events[t.helloAt].Message.Pieces; len(pieces) > 1 {
		return pieces[0].Length
	}
	return 0
}

// with tries a change to the hello.
func (t *trialist) with(asks string, h *hello) answer { return t.try(asks, h, "", t.recordSize()) }

// sure is how sure it is who minds something: only an alert is surely the server's.
func (t *trialist) sure() Confidence {
	if t.failed.end == scan.Alerted {
		return Certain
	}
	return Likely
}

// minds makes the verdict where one change has helped.
func (t *trialist) minds(id, what string, a answer, further ...Evidence) *Verdict {
	who, fault := "the server", Server
	if !t.failed.spoke() && t.failed.end != scan.Closed {
		who, fault = "the server, or something on the way,", Somebody
	}
	v := t.concludes(id, t.sure(), who+" "+what, append([]Evidence{t.failed.evidence("the same hello fails again: " + t.failed.text), a.evidence("with that one change: " + a.text)}, further...)...)
	if v.AtFault == Server {
		v.AtFault = fault
	}
	return v
}

// intermittent is for what fails now and then: it was well this time, and is made again.
func (t *trialist) intermittent(what string, well answer, again func() answer) *Verdict {
	failed, made := 1, 2
	for range 3 {
		if !t.may(1) {
			break
		}
		made++
		if !again().agreed {
			failed++
		}
	}
	return t.concludes("intermittent", Likely, fmt.Sprintf("the same %s fails %d of %d times: several servers answer for this address, and not all are well; or one is overloaded", what, failed, made),
		well.evidence("the same "+what+", and now it is well: "+well.text))
}

// notTLS is for an answer that is none.
func (t *trialist) notTLS(a answer) *Verdict {
	if a.end != scan.NotTLS {
		return nil
	}
	for _, r := range []struct {
		id, sentence string
		is           func([]byte) bool
	}{
		{"tls-on-plain-port", "the server speaks HTTP in the clear on this port, and the client speaks TLS", isHTTPAnswer},
		{"starttls-forgotten", "the server greets in the clear, as before STARTTLS, and the client begins with TLS", isGreeting},
	} {
		if r.is(a.got.Begin) {
			return t.concludes(r.id, Certain, r.sentence, a.evidence("it says "+beginning(a.got.Begin)))
		}
	}
	return t.concludes("not-tls", Likely, "the server "+spoken(a.got.Begin)+beginning(a.got.Begin), a.evidence(a.text))
}

// hopeless tries the least hello there is, with the name and without. Where that fails in the
// same way, no change to a hello helps: it is asked what else speaks there.
func (t *trialist) hopeless() *Verdict {
	if !t.may(4) {
		return nil
	}
	least := t.facts.hello.copyOf().withoutGREASE()
	least.without(least.optional()...)
	if least.offers12() {
		least.onlyUpTo12()
	} else {
		least.withoutGroups(hybrid)
	}
	if a := t.with("the shortest hello", least); !a.like(t.failed) {
		return nil
	}
	if least.name != "" {
		if a := t.with("the shortest hello, without the name", least.without(wire.ExtServerName)); !a.like(t.failed) {
			return nil
		}
	}
	if v := t.sniff(); v != nil {
		return v
	}
	if t.failed.end == scan.TimedOut {
		return t.concludes("silence", Likely, "the server takes the connection and says nothing, whatever it is asked", t.failed.evidence("no hello gets an answer"))
	}
	t.left = 0
	return nil
}

// nameTrial leaves the name out, or puts it in.
func (t *trialist) nameTrial() *Verdict {
	h := t.facts.hello.copyOf()
	switch {
	case h.name != "" && t.may(1):
		a := t.with("without server_name", h.without(wire.ExtServerName))
		switch {
		case !a.agreed:
			return nil
		case t.failed.spoke() || t.failed.end == scan.Closed:
			return t.concludes("name-unknown", Likely, fmt.Sprintf("the server does not take a hello with the name %q, and takes one without", t.facts.hello.name),
				t.failed.evidence("with the name: "+t.failed.text), a.evidence("without: "+a.text))
		}
		return t.concludes("name-blocked", Likely, fmt.Sprintf("something on the way ends connections that ask for the name %q: without the name the server answers", t.facts.hello.name),
			t.failed.evidence("with the name: "+t.failed.text), a.evidence("without: "+a.text))
	case h.name == "" && t.name() != "" && t.may(1):
		a := t.with(fmt.Sprintf("with the name %q", t.name()), h.set(wire.ExtServerName, wire.AppendServerName(nil, t.name())))
		if a.agreed {
			return t.concludes("name-missing", Certain, fmt.Sprintf("the server answers only a client that asks by a name: with %q it does", t.name()),
				t.failed.evidence("without a name: "+t.failed.text), a.evidence("with the name: "+a.text))
		}
	}
	return nil
}

// splitTrial sends the hello in one record, where it was in several.
func (t *trialist) splitTrial() *Verdict {
	if t.recordSize() == 0 || !t.may(1) {
		return nil
	}
	a := t.try("the hello in one record", t.facts.hello.copyOf(), "", 0)
	if !a.agreed {
		return nil
	}
	return t.minds("split-intolerant", "does not take a hello that is divided over several records", a)
}

// sizeTrial leaves hybrid key shares out, and then sends as many bytes without them.
func (t *trialist) sizeTrial() *Verdict {
	h := t.facts.hello.copyOf()
	if !slices.ContainsFunc(h.groups, hybrid) || !t.may(2) {
		return nil
	}
	length := len(h.message())
	a := t.with("without hybrid groups", h.withoutGroups(hybrid))
	if !a.agreed {
		return nil
	}
	return t.lengthOr(a, length, h, func(padded answer) *Verdict {
		return t.minds("hybrid-intolerant", "does not take hybrid key exchange: a hello of the same length without it is taken", a, padded.evidence("as long, by padding: "+padded.text))
	})
}

// lengthOr finds out whether it is the length of a hello that matters, where a shorter one was
// taken; else is for what was left out.
func (t *trialist) lengthOr(short answer, length int, h *hello, other func(answer) *Verdict) *Verdict {
	if !t.may(1) {
		return nil
	}
	shorter := h.copyOf()
	padded := t.with(fmt.Sprintf("as before, padded to %d bytes", length), h.padTo(length))
	if padded.agreed {
		return other(padded)
	}
	if v := t.segmentTrial(shorter, short, padded); v != nil {
		return v
	}
	v := t.minds("large-hello", fmt.Sprintf("does not take a hello of %d bytes: shorter ones are taken", length), short, padded.evidence("as long, by padding alone: "+padded.text))
	if !t.failed.spoke() && t.failed.end != scan.Closed {
		v.AtFault = Middle
		v.Sentence = fmt.Sprintf("something on the way drops a hello of %d bytes, which fills more than one packet or a buffer: shorter ones are answered", length)
	}
	return v
}

func (t *trialist) greaseTrial() *Verdict {
	h := t.facts.hello.copyOf()
	if !h.greased() || !t.may(1) {
		return nil
	}
	if a := t.with("without GREASE", h.withoutGREASE()); a.agreed {
		return t.minds("grease-intolerant", "does not take values that it does not know (GREASE, RFC 8701)", a)
	}
	return nil
}

func (t *trialist) versionTrial() *Verdict {
	h := t.facts.hello.copyOf()
	if !h.offers13() || !h.offers12() || !t.may(1) {
		return nil
	}
	if a := t.with("without TLS 1.3", h.onlyUpTo12()); a.agreed {
		return t.minds("version-intolerant", "fails on a hello that offers TLS 1.3, in place of answering with an older version", a)
	}
	return nil
}

// otherVersions offers each version that the client does not, by a hello of its own.
func (t *trialist) otherVersions() *Verdict {
	for _, v := range []wire.Version{wire.TLS13, wire.TLS12, wire.TLS11, wire.TLS10} {
		if slices.Contains(t.facts.hello.versions, v) || !t.may(1) {
			continue
		}
		a := t.offerVersion(v)
		if !a.agreed {
			continue
		}
		verdict := t.concludes("no-common-version", Likely, "the server speaks "+v.String()+", and none of the versions that the client offers",
			t.failed.evidence("the client's own offer: "+t.failed.text), a.evidence("with another version: "+a.text))
		if len(verdict.Offers) == 1 && verdict.Offers[0].Server == nil {
			verdict.Offers[0].Server = []string{v.String()}
		}
		return verdict
	}
	return nil
}

// widerTrial offers all there is, and then each kind of it alone. A server that picks TLS 1.3 and then
// has nothing for it may have something up to TLS 1.2, so that is offered as well.
func (t *trialist) widerTrial() *Verdict {
	kinds := []string{aboutGroup, aboutSuite, aboutScheme} // suites without a group would hide that it is one
	if !t.may(1) {
		return nil
	}
	base := func() *hello { return t.facts.hello.copyOf() }
	upTo := ""
	all := t.with("with every suite, group and scheme", base().widest())
	if h := base(); !all.agreed && h.offers13() && h.offers12() && t.may(2) {
		base = func() *hello { return t.facts.hello.copyOf().onlyUpTo12() }
		upTo = ", up to TLS 1.2"
		all = t.with("with every suite, group and scheme"+upTo, base().widest())
		if all.agreed && t.with("the same hello"+upTo, base()).agreed {
			return nil // it is the version
		}
	}
	if !all.agreed {
		return t.pskTrial()
	}
	for _, about := range kinds {
		if !t.may(1) {
			break
		}
		if a := t.with("with every "+about+upTo, base().wider(about)); a.agreed {
			return t.lacks(about, a)
		}
	}
	return t.lacks(aboutSuite, all)
}

// widest is wider in all.
func (h *hello) widest() *hello {
	return h.wider(aboutSuite).wider(aboutGroup).wider(aboutScheme)
}

// pskTrial offers suites of pre-shared keys, beside all else: the server picks one before it sees
// a key. TLS 1.3 has no such suites, and a server that picks it sees none, so it is left out then.
func (t *trialist) pskTrial() *Verdict {
	h := t.facts.hello.copyOf()
	if !h.offers12() || slices.ContainsFunc(t.facts.hello.CipherSuites, preShared) || !t.may(1) {
		return nil
	}
	asks := "with suites of pre-shared keys"
	if h.offers13() {
		h.onlyUpTo12()
		asks += ", up to TLS 1.2"
	}
	h.widest()
	for _, s := range suite.All() {
		if preShared(s.ID) && slices.ContainsFunc(h.versions, s.Allows) {
			h.CipherSuites = append(h.CipherSuites, s.ID)
		}
	}
	a := t.with(asks, h)
	if !a.agreed || !preShared(a.got.Suite) {
		return nil
	}
	return t.concludes("psk-missing", Likely, "the server takes suites of pre-shared keys alone, and the client has no such key: it takes "+a.got.Suite.String(),
		t.failed.evidence("the client's own offer: "+t.failed.text), a.evidence("with suites of pre-shared keys: "+a.text))
}

// preShared reports a suite whose secret, or a part of it, is a pre-shared key.
func preShared(id wire.CipherSuite) bool {
	s := suite.ByID(id)
	return s != nil && s.KeyExchange.PSK()
}

// lacks is the verdict where a wider offer of one thing has helped.
func (t *trialist) lacks(about string, a answer) *Verdict {
	t.wide = a
	id := map[string]string{aboutSuite: "no-common-suite", aboutGroup: "no-common-group", aboutScheme: "no-common-scheme"}[about]
	picked := scan.SuiteName(a.got.Suite)
	switch about {
	case aboutGroup:
		if picked = ""; a.got.Group != 0 { // up to TLS 1.2 the ServerHello does not name it
			picked = scan.GroupName(a.got.Group)
		}
	case aboutScheme:
		picked = ""
	}
	sentence := "the server accepts no " + about + " that the client offers"
	if picked != "" && a.got.Server != nil || about == aboutGroup && a.got.Retry != nil {
		sentence += ": it takes " + picked
	}
	ours := slices.DeleteFunc(slices.Clone(t.facts.hello.CipherSuites), func(id wire.CipherSuite) bool { return suite.ByID(id) == nil })
	certified := slices.ContainsFunc(ours, func(id wire.CipherSuite) bool { return !uncertified(id) })
	if about == aboutSuite && len(ours) > 0 && !certified {
		sentence = "the server has none of the client's suites, which are all of pre-shared keys or without a certificate: it takes " + picked
	}
	if s := suite.ByID(a.got.Suite); about == aboutSuite && s != nil && certified && t.otherKeys(s.Auth) {
		id, sentence = "key-unfit", fmt.Sprintf("the key of the server's certificate fits no cipher suite that the client offers: it takes %s, for a key of the kind %v", picked, s.Auth)
	}
	v := t.concludes(id, Likely, sentence, t.failed.evidence("the client's own offer: "+t.failed.text), a.evidence("with a wider one: "+a.text))
	if len(v.Offers) == 1 && picked != "" && v.Offers[0].Server == nil {
		v.Offers[0].Server = []string{picked}
	}
	return v
}

// otherKeys reports that the client's suites are for another kind of key throughout, while the
// cipher and all else are on offer.
func (t *trialist) otherKeys(auth suite.Auth) bool {
	some := false
	for _, id := range t.facts.hello.CipherSuites {
		s := suite.ByID(id)
		switch {
		case s == nil:
		case s.Auth == auth || s.Auth == suite.AuthAny:
			return false
		default:
			some = true
		}
	}
	return some
}
