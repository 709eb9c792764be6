package explain

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

func agree(format string, args ...any) Check { return Check{Agrees, fmt.Sprintf(format, args...)} }
func differ(format string, args ...any) Check {
	return Check{Differs, fmt.Sprintf(format, args...)}
}

// secret checks one secret, fills in its formula, and remembers it.
func (hs *handshake) secret(s *Secret) {
	r, known := hs.ruleFor(s)
	s.Meaning = hs.secretMeaning(s.Name, r)
	if s.How == howExternal {
		s.Meaning = secretMeanings["psk/old"]
	}
	if r.Ref != "" {
		s.Ref = r.Ref
	}
	switch {
	case !known:
		s.Formula, s.Check = s.How, Check{Given, "vitrine's key schedule does not have this value"}
	case r.Function == recompute.Given:
		s.Formula, s.Check = s.How, hs.given(s)
	default:
		s.Formula, s.Check = hs.derive(s, r)
	}
	hs.latest[s.Name] = s
	if !s.withheld() && (s.Name == "resumption_psk" || s.Name == "master_secret") {
		hs.account.kept = append(hs.account.kept, s.Value)
	}
}

// given checks what no key schedule derives: only a resumption says where it is from.
func (hs *handshake) given(s *Secret) Check {
	previous := hs.account.previous
	switch {
	case s.withheld():
		return Check{Given, "an input: " + s.lack}
	case s.How == howLogged:
		return Check{Given, "an input: the key log gives it, and what opens with it confirms it"}
	case s.How == howShared:
		return Check{Given, "an input: it follows from the pre-shared key alone, and what opens with it confirms it"}
	case s.How != howResumed && strings.HasPrefix(s.Name, "psk"), strings.HasPrefix(s.Name, "external_psk"):
		return Check{Given, "an input: both sides had it before the connection"}
	case s.How != howResumed && hs.exchange.Encrypted():
		return Check{Given, "an input: " + hs.encrypted(s.Value)}
	case s.How != howResumed:
		return Check{Given, "an input: only the two private keys could confirm it, and they are gone"}
	case previous == nil || previous.misses(ofHandshake) && !slices.ContainsFunc(previous.kept, s.is):
		return Check{Given, "an input: it comes from an earlier connection, whose trace is missing or incomplete"}
	case slices.ContainsFunc(previous.kept, s.is):
		return agree("the %s of the connection before", strings.Replace(s.Name, "psk", "resumption_psk", 1))
	}
	return differ("the connection before had no such value")
}

// encrypted says what a premaster is that the client made up: it starts with the
// version of its hello, so that nobody could lower that. RFC 5246 §7.4.7.1.
func (hs *handshake) encrypted(premaster []byte) string {
	const made = "the client invented it, and only the server's RSA key could confirm it"
	if hs.hello == nil || len(premaster) != 48 {
		return made
	}
	v := hs.hello.LegacyVersion
	if premaster[0] != byte(v>>8) || premaster[1] != byte(v) {
		return made + "; its first two bytes should be the version of its hello, and are not"
	}
	return made + fmt.Sprintf("; its first two bytes are the version of its hello, %v, as they must be", v)
}

// numbered is the name of what belongs to the nth pre-shared key on offer, and unnumbered
// that without its number.
func numbered(name string, nth int) string {
	if nth == 0 {
		return name
	}
	return fmt.Sprintf("%s_%d", name, nth)
}

func unnumbered(name string) string {
	for _, base := range []string{"external_psk", "import_secret", "psk", "early_secret", "binder_key"} {
		if rest, ok := strings.CutPrefix(name, base+"_"); ok && strings.Trim(rest, "0123456789") == "" {
			return base
		}
	}
	return name
}

func (s *Secret) is(value Hex) bool { return bytes.Equal(s.Value, value) }

// ruleFor finds the rule for a value. What a resumption starts from is given; the
// Finished of a client that is authenticated late comes from the traffic secret
// in use, whose number the RFC calls N. RFC 8446 §4.4.
func (hs *handshake) ruleFor(s *Secret) (recompute.Rule, bool) {
	r, known := recompute.RuleFor(hs.version, hs.exchange, s.Name, s.Label)
	switch {
	case s.How == howLogged, s.How == howShared, s.How == howResumed && hs.version < wire.TLS13:
		r.Function, r.Input = recompute.Given, recompute.NoInput
	case s.Name == "handshake_secret" && s.From == "" && hs.answer != nil && !hs.answer.Extensions.Has(wire.ExtKeyShare):
		r.From = "" // psk_ke: zeros stand for the key exchange. RFC 8446 §7.1
	case hs.late && s.Name == "client_finished_key":
		r.From = hs.current(wire.Client)
		if s.From == "client_application_traffic_secret_N" {
			s.From = r.From
		}
	}
	return r, known
}

// howResumed marks a value that comes from an earlier connection.
const howResumed = "resumed"

// howExternal marks a pre-shared key of TLS 1.3 that is used as it is.
const howExternal = "external"

// howShared marks a secret that follows from a pre-shared key alone, without a key
// exchange (psk_ke), which the engine does not speak.
const howShared = "pre-shared key"

// howLogged marks a value that a key log gives.
const howLogged = "key log"

// derive computes s by its rule and returns the formula and what came of it.
func (hs *handshake) derive(s *Secret, r recompute.Rule) (formula string, c Check) {
	h, err := hs.hashFor(s, r)
	if err != nil {
		return s.How, differ("cannot be re-derived: %v", err)
	}
	size := hs.size(s, r, h)
	in := hs.input(s, r, h)
	formula = formulaOf(s, r, in.name, size)
	switch {
	case s.withheld():
		return formula, Check{Given, "not re-derived: " + s.lack}
	case in.absent && hs.account.misses(ofHandshake):
		return formula, Check{Given, "not re-derived: the message that it is made from was not kept"}
	case in.bad != "":
		return formula, differ("%s", in.bad)
	case s.Label != r.Label:
		return formula, differ("its label is %q, the RFC says %q", s.Label, r.Label)
	case r.From != "" && s.From != r.From:
		return formula, differ("it is made from %q, the RFC says %q", s.From, r.From)
	}
	for _, parent := range []string{s.From, r.Salt} {
		if parent != "" && hs.known(parent) == nil {
			return formula, differ("%s, which it is made from, was not reported", parent)
		}
	}
	value := r.Apply(hs.version, h, recompute.Operands{
		Secret: hs.value(s.From), Salt: hs.value(r.Salt), Input: in.bytes, Messages: hs.transcript.Bytes(in.messages), Size: size,
	})
	switch {
	case !s.is(value):
		return formula, differ("re-derived, it is %s", Hex(value))
	case r.Input == recompute.TranscriptHash:
		return formula, agree("re-derived, with H = %s of the messages on the wire", s.Hash)
	}
	return formula, agree("re-derived: the same %d bytes", len(value))
}

// size is how long s is by its rule.
func (hs *handshake) size(s *Secret, r recompute.Rule, h *suite.Hash) int {
	switch {
	case r.Function == recompute.Zeros:
		return len(hs.value("psk"))
	case r.Size == recompute.AnySize:
		return len(s.Value)
	case r.Size == 0:
		return h.Size
	}
	return r.Size
}

// hashFor is the hash that s was made with; up to TLS 1.2 the version and the
// suite leave no choice.
func (hs *handshake) hashFor(s *Secret, r recompute.Rule) (*suite.Hash, error) {
	if r.Function == recompute.Join || r.Function == recompute.Zeros {
		return recompute.MD5SHA1, nil // needs none
	}
	h, err := recompute.HashNamed(s.Hash)
	if err != nil || hs.version >= wire.TLS13 || hs.suite == nil {
		return h, err
	}
	if want := recompute.ScheduleHash(hs.version, hs.suite); h != want {
		return nil, fmt.Errorf("its hash is %s, and %v with this suite has %s", h.Name, hs.version, want.Name)
	}
	return h, nil
}

// material is what a function is applied to: its name in the formula, and what
// is wrong with the one that the engine reported.
type material struct {
	bytes    []byte
	name     string
	bad      string
	absent   bool // what is wrong is that a message is not there
	messages int  // how many it covers, if it is a transcript
}

// input computes what the rule says the function's input is.
func (hs *handshake) input(s *Secret, r recompute.Rule, h *suite.Hash) (in material) {
	client, server := hs.randoms()
	switch r.Input {
	case recompute.NoInput:
		return material{name: `""`}
	case recompute.KeyMaterial:
		if s.From != "" {
			return material{bytes: hs.value(s.From), name: s.From}
		}
		if psk := hs.known("psk"); psk != nil && psk.is(s.Input) {
			return material{bytes: psk.Value, name: psk.Name}
		}
		in.bytes, in.name = make([]byte, h.Size), "0"
		if len(s.Input) == 0 {
			return in // the RFC's "0" was not spelled out
		}
	case recompute.EmptyHash:
		in.bytes, in.name = h.New().Sum(nil), `H("")`
	case recompute.Randoms:
		in.bytes, in.name = recompute.RandomsOf(r.Input, client, server), "client_random + server_random"
	case recompute.RandomsReversed:
		in.bytes, in.name = recompute.RandomsOf(r.Input, client, server), "server_random + client_random"
	case recompute.ImportedIdentity:
		in.bytes, in.name = s.Input, "H(ImportedIdentity)"
		if !hs.offersIdentity(h, s.Input) {
			in.bad, in.absent = "no identity in the ClientHello has this hash", true
		}
	case recompute.TicketNonce:
		in.bytes, in.name = s.Input, "ticket_nonce"
		if !slices.ContainsFunc(hs.account.nonces, func(n []byte) bool { return bytes.Equal(n, s.Input) }) {
			in.bad, in.absent = "no ticket on the wire has this nonce", true
		}
	case recompute.InnerRandom:
		in.name = "ClientHelloInner.random"
		for _, m := range hs.transcript.msgs {
			if p, ok := m.counting().parsed.(*wire.ClientHello); ok && (m.Inner == nil || m.InnerCounts) {
				in.bytes = p.Random
			} else if m.Inner != nil && m.typ == wire.TypeClientHello && len(m.Inner.Raw) >= wire.HeaderLen+34 {
				in.bytes = m.Inner.Raw[wire.HeaderLen+2:][:32]
			}
		}
	case recompute.ConfirmedHash:
		return hs.confirmed(s, h)
	case recompute.TranscriptHash:
		return hs.hashInput(s, r, h)
	}
	if in.bad == "" && !bytes.Equal(in.bytes, s.Input) {
		in.bad = fmt.Sprintf("its input is not %s, which is %s", in.name, Hex(in.bytes))
	}
	return in
}

func (hs *handshake) hashInput(s *Secret, r recompute.Rule, h *suite.Hash) (in material) {
	n, seen := hs.transcript.Covers(r.UpTo)
	if !seen { // the handshake ended before the message that bounds it
		if n = hs.transcript.Match(h, s.Input); n < 0 {
			return material{bytes: s.Input, name: "H(" + s.InputIs + ")", absent: true, bad: "no run of the messages on the wire has its transcript hash"}
		}
	}
	in = material{bytes: hs.transcript.Hash(h, n), name: "H(" + hs.transcript.name(n) + ")", messages: n}
	if !bytes.Equal(in.bytes, s.Input) {
		in.bad = fmt.Sprintf("%s of the messages on the wire is %s", in.name, Hex(in.bytes))
	}
	return in
}

// formulaOf writes the derivation as the RFC does.
func formulaOf(s *Secret, r recompute.Rule, in string, size int) string {
	switch r.Function {
	case recompute.Extract:
		salt := r.Salt
		if salt == "" {
			salt = "0"
		}
		return fmt.Sprintf("HKDF-Extract(%s, %s)", salt, in)
	case recompute.ExpandLabel:
		return fmt.Sprintf("HKDF-Expand-Label(%s, %q, %s, %d)", s.From, r.Label, in, size)
	case recompute.HMAC:
		return fmt.Sprintf("HMAC(%s, %s)", s.From, in)
	case recompute.Mix:
		return fmt.Sprintf(`MD5(%s + SHA("A" + %[1]s + %s)) + the same with "BB", "CCC" and so on, [0..%d]`, s.From, in, size-1)
	case recompute.Nested:
		return fmt.Sprintf(`MD5(%s + pad_2 + MD5(messages + %q + %[1]s + pad_1)) + the same with SHA; the messages are those of %[3]s`, s.From, r.Sender, in)
	case recompute.Join:
		return fmt.Sprintf("length of %s (2 bytes) + %[1]s + length of %s (2 bytes) + %[2]s", r.Salt, s.From)
	case recompute.Zeros:
		return "zeros, as many as psk has bytes"
	}
	return fmt.Sprintf("PRF(%s, %q, %s)[0..%d]", s.From, r.Label, in, size-1)
}
