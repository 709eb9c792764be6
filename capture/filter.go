package capture

import (
	"cmp"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// Filter picks connections. Its language:
//
//	sni = *.example.com and failed
//	version < tls1.2 or suite = *RC4*
//	not (port = 443 or port = 8443) and address = 192.0.2.0/24
//
// A condition is a word (failed, resumed, decrypted, complete, midway, damaged) or a field, an
// operator and a value. The fields are:
//
//	sni, name          the server name
//	version            the version, like tls1.2 or ssl3.0, which has an order
//	suite, alpn        their names
//	port               the port of either side, which has an order; client.port, server.port
//	address            the address of either side, or a range like 192.0.2.0/24; client, server
//	outcome, began     the words of the list
//	ja3, ja4           fingerprints
//	number             the connection's number, which has an order
//
// The operators are = and !=, and < <= > >= where there is an order. In the values of
// texts, * stands for anything and ? for one character, and case does not count. A value
// with blanks or parentheses stands in double quotes. not binds closest, then and, then or.
type Filter struct {
	matches func(*Connection) bool
}

// Match reports whether the filter picks c. A nil filter picks everything.
func (f *Filter) Match(c *Connection) bool { return f == nil || f.matches(c) }

// A FilterError says what is wrong with a filter, and where.
type FilterError struct {
	Offset int // in bytes
	What   string
}

func (e *FilterError) Error() string { return e.What }

// maxFilterDepth is how deep parentheses and nots may be nested.
const maxFilterDepth = 100

// ParseFilter reads a filter. The error is a *FilterError.
func ParseFilter(text string) (*Filter, error) {
	p := &filterParser{text: text}
	p.next()
	matches := p.or()
	if p.err == nil && p.token != "" {
		p.fail(fmt.Sprintf("%q is too much: and, or, or the end is expected", p.token))
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Filter{matches}, nil
}

type predicate = func(*Connection) bool

// filterParser descends through a filter.
type filterParser struct {
	text   string
	at     int    // behind the token
	begin  int    // of the token
	token  string // "" at the end
	quoted bool
	depth  int
	err    *FilterError
}

func (p *filterParser) fail(what string) predicate {
	if p.err == nil {
		p.err = &FilterError{p.begin, what}
	}
	return func(*Connection) bool { return false }
}

const operatorBytes = "=<>!"

// next reads a token: a parenthesis, an operator, a word or a text in quotes.
func (p *filterParser) next() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
	rest := p.text[p.at:]
	p.begin, p.quoted = p.at, false
	n := 0
	switch {
	case rest == "":
	case rest[0] == '(' || rest[0] == ')':
		n = 1
	case rest[0] == '"':
		end := strings.IndexByte(rest[1:], '"')
		if end < 0 {
			p.fail("the quotes are not closed")
			end = len(rest) - 2
		}
		p.token, p.quoted, p.at = rest[1:][:max(end, 0)], true, min(p.at+end+2, len(p.text))
		return
	case strings.IndexByte(operatorBytes, rest[0]) >= 0:
		for n < min(len(rest), 2) && strings.IndexByte(operatorBytes, rest[n]) >= 0 {
			n++
		}
	default:
		n = strings.IndexAny(rest, " ()\""+operatorBytes)
		if n < 0 {
			n = len(rest)
		}
	}
	p.token, p.at = rest[:n], p.at+n
}

func (p *filterParser) is(word string) bool { return !p.quoted && strings.EqualFold(p.token, word) }

func (p *filterParser) or() predicate {
	left := p.and()
	for p.err == nil && p.is("or") {
		p.next()
		l, r := left, p.and()
		left = func(c *Connection) bool { return l(c) || r(c) }
	}
	return left
}

func (p *filterParser) and() predicate {
	left := p.not()
	for p.err == nil && p.is("and") {
		p.next()
		l, r := left, p.not()
		left = func(c *Connection) bool { return l(c) && r(c) }
	}
	return left
}

func (p *filterParser) not() predicate {
	if p.depth++; p.depth > maxFilterDepth {
		return p.fail("it is nested too deeply")
	}
	defer func() { p.depth-- }()
	switch {
	case p.is("not"):
		p.next()
		of := p.not()
		return func(c *Connection) bool { return !of(c) }
	case p.is("("):
		p.next()
		in := p.or()
		if p.err == nil && !p.is(")") {
			return p.fail("a closing parenthesis is missing")
		}
		p.next()
		return in
	}
	return p.condition()
}

// words are the conditions without a value.
var words = map[string]predicate{
	"failed":    func(c *Connection) bool { return c.Failed },
	"resumed":   func(c *Connection) bool { return c.Resumed != "" },
	"decrypted": func(c *Connection) bool { return c.Readable },
	"complete":  func(c *Connection) bool { return c.Complete },
	"midway":    func(c *Connection) bool { return c.Midway },
	"damaged":   func(c *Connection) bool { return c.Gaps > 0 || c.Conflicts > 0 || c.Crowded },
}

// texts are the fields that are compared as texts.
var texts = map[string]func(*Connection) string{
	"sni":     func(c *Connection) string { return c.Name },
	"name":    func(c *Connection) string { return c.Name },
	"suite":   func(c *Connection) string { return suiteName(c.Suite) },
	"alpn":    func(c *Connection) string { return c.ALPN },
	"outcome": func(c *Connection) string { return c.Outcome },
	"began":   func(c *Connection) string { return c.Began },
	"ja3":     func(c *Connection) string { return c.JA3 },
	"ja4":     func(c *Connection) string { return c.JA4 },
}

func suiteName(s wire.CipherSuite) string {
	if s == 0 {
		return ""
	}
	return s.String()
}

// orders are the fields that have an order; each condition holds if it does for one value.
var orders = map[string]func(*Connection) []int{
	"port":        func(c *Connection) []int { return []int{int(c.Client.Port()), int(c.Server.Port())} },
	"client.port": func(c *Connection) []int { return []int{int(c.Client.Port())} },
	"server.port": func(c *Connection) []int { return []int{int(c.Server.Port())} },
	"number":      func(c *Connection) []int { return []int{c.Number} },
}

// addresses are the fields that are addresses.
var addresses = map[string]func(*Connection) []netip.Addr{
	"address": func(c *Connection) []netip.Addr { return []netip.Addr{c.Client.Addr(), c.Server.Addr()} },
	"client":  func(c *Connection) []netip.Addr { return []netip.Addr{c.Client.Addr()} },
	"server":  func(c *Connection) []netip.Addr { return []netip.Addr{c.Server.Addr()} },
}

var filterVersions = map[string]wire.Version{
	"ssl2.0": wire.SSL20, "ssl3.0": wire.SSL30, "tls1.0": wire.TLS10, "tls1.1": wire.TLS11, "tls1.2": wire.TLS12, "tls1.3": wire.TLS13,
}

// condition reads a word, or a field with operator and value.
func (p *filterParser) condition() predicate {
	field := strings.ToLower(p.token)
	if word, ok := words[field]; ok && !p.quoted {
		p.next()
		return word
	}
	text, isText := texts[field]
	order, isOrder := orders[field]
	address, isAddress := addresses[field]
	switch {
	case field == "" && !p.quoted:
		return p.fail("a condition is missing, like failed or sni=example.com")
	case p.quoted || !isText && !isOrder && !isAddress && field != "version":
		return p.fail(fmt.Sprintf("%q is not a condition; there are %s, and with a value %s", p.token, list(words), list(texts, orders, addresses, filterVersion)))
	}
	p.next()
	operator := p.token
	if !slices.Contains([]string{"=", "==", "!=", "<", "<=", ">", ">="}, operator) || p.quoted {
		return p.fail(fmt.Sprintf("behind %s an operator is missing, like =", field))
	}
	p.next()
	if p.token == "" && !p.quoted {
		return p.fail(fmt.Sprintf("behind %s%s a value is missing", field, operator))
	}
	ordered := isOrder || field == "version"
	if !ordered && operator != "=" && operator != "==" && operator != "!=" {
		return p.fail(fmt.Sprintf("%s has no order: = and != are its operators", field))
	}
	var found predicate
	switch {
	case isText:
		found = p.textIs(text)
	case isAddress:
		found = p.addressIs(address)
	case isOrder:
		found = p.numberIs(order, operator)
	default:
		found = p.versionIs(operator)
	}
	p.next()
	if operator == "!=" {
		return func(c *Connection) bool { return !found(c) }
	}
	return found
}

// filterVersion makes list name the field.
var filterVersion = map[string]struct{}{"version": {}}

// list names the keys of maps, in order.
func list(maps ...any) string {
	var names []string
	for _, m := range maps {
		switch m := m.(type) {
		case map[string]predicate:
			names = appendKeys(names, m)
		case map[string]func(*Connection) string:
			names = appendKeys(names, m)
		case map[string]func(*Connection) []int:
			names = appendKeys(names, m)
		case map[string]func(*Connection) []netip.Addr:
			names = appendKeys(names, m)
		case map[string]struct{}:
			names = appendKeys(names, m)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func appendKeys[V any](names []string, m map[string]V) []string {
	for name := range m {
		names = append(names, name)
	}
	return names
}

func (p *filterParser) textIs(of func(*Connection) string) predicate {
	pattern := strings.ToLower(strings.NewReplacer(`\`, `\\`, "[", `\[`, "/", "\x00").Replace(p.token))
	if _, err := path.Match(pattern, ""); err != nil {
		return p.fail(fmt.Sprintf("%q is not a pattern", p.token))
	}
	return func(c *Connection) bool {
		is, _ := path.Match(pattern, strings.ToLower(strings.ReplaceAll(of(c), "/", "\x00"))) // the pattern is well-formed
		return is
	}
}

func (p *filterParser) addressIs(of func(*Connection) []netip.Addr) predicate {
	prefix, err := netip.ParsePrefix(p.token)
	if err != nil {
		addr, err := netip.ParseAddr(p.token)
		if err != nil {
			return p.fail(fmt.Sprintf("%q is not an address; one is like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32", p.token))
		}
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	}
	return func(c *Connection) bool { return slices.ContainsFunc(of(c), prefix.Contains) }
}

func (p *filterParser) numberIs(of func(*Connection) []int, operator string) predicate {
	want, err := strconv.Atoi(p.token)
	if err != nil {
		return p.fail(fmt.Sprintf("%q is not a number", p.token))
	}
	return func(c *Connection) bool {
		return slices.ContainsFunc(of(c), func(n int) bool { return holds(n, operator, want) })
	}
}

func (p *filterParser) versionIs(operator string) predicate {
	want, ok := filterVersions[strings.ToLower(strings.ReplaceAll(p.token, " ", ""))]
	if !ok {
		return p.fail(fmt.Sprintf("%q is not a version; there are ssl3.0, tls1.0, tls1.1, tls1.2 and tls1.3", p.token))
	}
	return func(c *Connection) bool { return c.Version != 0 && holds(int(c.Version), operator, int(want)) }
}

// holds reports whether a stands to b as the operator says; != is = here.
func holds(a int, operator string, b int) bool {
	order := cmp.Compare(a, b)
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	return order == 0
}
