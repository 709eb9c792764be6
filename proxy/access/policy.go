package access

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/tls"
)

// Bounds of what [Parse] takes.
const (
	MaxRules   = 10_000
	MaxRuleLen = 4096
)

// A Policy is a set of rules. It may be used by several goroutines at once.
type Policy struct {
	rules []rule
	texts []string
	// pins says that all rules name keys: spki or psk.
	pins bool
}

// A rule says under which identity it lets a client in; false for not.
type rule interface {
	meets(c *client) (identity string, ok bool, err error)
}

var kinds = map[string]func(string) (rule, error){
	"cn": parseCN, "ou": parseOU, "dns": parseDNS, "uri": parseURI, "ip": parseIP,
	"psk": parsePSK, "spki": parsePin, "peer": parsePeer, "cel": parseCEL,
}

// Parse reads rules; see the documentation of the package. An error quotes the rule, and
// says what is wrong with it. Without rules there is no policy, which is an error too.
func Parse(rules []string) (*Policy, error) {
	switch {
	case len(rules) == 0:
		return nil, errors.New("there is no rule; \"all\" lets in every client with a verified certificate")
	case len(rules) > MaxRules:
		return nil, fmt.Errorf("there are %d rules; %d are possible, and one with cel: can stand for many", len(rules), MaxRules)
	}
	p := &Policy{texts: rules, pins: true}
	for _, text := range rules {
		r, err := parseRule(text)
		if err != nil {
			return nil, err
		}
		p.rules, p.pins = append(p.rules, r), p.pins && namesKey(r)
	}
	return p, nil
}

// CheckRule reports what is wrong with one rule.
func CheckRule(text string) error {
	_, err := parseRule(text)
	return err
}

func parseRule(text string) (rule, error) {
	if len(text) > MaxRuleLen {
		return nil, fmt.Errorf("the rule %.40q... has %d bytes; %d are possible", text, len(text), MaxRuleLen)
	}
	if text == "all" {
		return all{}, nil
	}
	kind, value, found := strings.Cut(text, ":")
	parse := kinds[kind]
	switch {
	case !found || parse == nil:
		return nil, fmt.Errorf("%q is not a rule; write all, or one of cn:, ou:, dns:, uri:, ip:, psk:, spki:, peer: and cel: with a value", text)
	case value == "":
		return nil, fmt.Errorf("%q has no value behind the colon", text)
	case kind != "cel" && strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }):
		return nil, fmt.Errorf("%q has a character that no name has", text)
	case kind != "cel" && strings.TrimSpace(value) != value:
		return nil, fmt.Errorf("%q has a space at the beginning or the end of its value; leave it out", text)
	}
	r, err := parse(value)
	if err != nil {
		return nil, fmt.Errorf("%.200q: %w", text, err)
	}
	return r, nil
}

// namesKey reports a rule that says by which key a client comes in.
func namesKey(r rule) bool {
	switch r.(type) {
	case pin, identity:
		return true
	}
	return false
}

// PinsOnly reports that every rule names a key (spki or psk), so that a listener needs no
// authorities: it asks for any certificate, whose signature is verified and whose chain is not.
func (p *Policy) PinsOnly() bool { return p.pins }

// Allow decides on a client by what its completed handshake has found out, and by the
// address of the connection. State is [tls.Conn.State]; a zero one stands for a connection
// without TLS. It returns the identity under which the client comes in, as the rule that it
// meets names it, "dns:api.example.com". Else the error says in plain words why not; what is
// the client's is quoted in it.
//
// It is to be called after the handshake: up to TLS 1.2 a pre-shared key is proven by the
// last message only. On a connection that resumes a session package tls has verified
// the chain of that session again.
func (p *Policy) Allow(state tls.State, peer net.Addr) (identity string, err error) {
	c := clientOf(state, peer)
	var failed error
	for i, r := range p.rules {
		if !c.counts(r) {
			continue
		}
		identity, ok, err := r.meets(c)
		switch {
		case err != nil && failed == nil:
			failed = fmt.Errorf("the rule %.200q could not be evaluated (%w)", p.texts[i], err)
		case err == nil && ok:
			return identity, nil
		}
	}
	return "", p.refusal(c, failed)
}

// counts reports whether what is known of the client is enough for a rule to be asked.
func (c *client) counts(r rule) bool {
	switch r.(type) {
	case pin:
		return c.shown != nil
	case peer:
		return c.plain || c.known()
	}
	return c.known()
}

// Refused is why a client does not come in, in plain words; what is the client's is quoted.
type Refused struct{ why, advice string }

func (r *Refused) Error() string { return r.why }

// Advice says what lets such a client in.
func (r *Refused) Advice() string { return r.advice }

// refusal says why no rule has let the client in.
func (p *Policy) refusal(c *client, failed error) error {
	who := ""
	switch {
	case failed != nil:
		return fmt.Errorf("%w, and no other rule lets the client in", failed)
	case c.plain:
		return &Refused{fmt.Sprintf("the client at %s has no identity, as the connection is without TLS, and its address meets no rule", c.peerName()),
			"allow its address by peer: if it is to come in"}
	case c.psk != "":
		who = fmt.Sprintf("the client with the pre-shared key %.100q", c.psk)
	case c.leaf != nil:
		who = "the client with the certificate of " + c.described()
	case c.shown != nil:
		return &Refused{"the client's certificate was not verified, and its key is not pinned by a rule",
			fmt.Sprintf("pin its key by spki:%s in allow if it is to come in", pinOf(c.shown))}
	default:
		return &Refused{"the client showed no certificate and has no pre-shared key; anonymous clients are refused where there are rules", p.forAnonymous()}
	}
	if len(p.rules) == 1 {
		who += " does not meet the rule"
	} else {
		who += fmt.Sprintf(" meets none of the %d rules", len(p.rules))
	}
	return &Refused{who, "add " + quoted(c.best()) + " to allow if it is to come in"}
}

// quoted is an identity in quotation marks, which one that is not printable has already.
func quoted(identity string) string {
	if strings.HasPrefix(identity, `"`) {
		return identity
	}
	return strconv.Quote(identity)
}

// forAnonymous says what an anonymous client needs to meet one of the rules.
func (p *Policy) forAnonymous() string {
	var needs []string
	add := func(what string) {
		if !slices.Contains(needs, what) {
			needs = append(needs, what)
		}
	}
	for _, r := range p.rules {
		switch r.(type) {
		case pin:
			add("a certificate whose key a rule pins")
		case identity:
			add("a pre-shared key of psk-file")
		default:
			add("a certificate of an authority in client-ca")
		}
	}
	return "have it show " + strings.Join(needs, " or ") + "; to let everybody in, leave allow out"
}
