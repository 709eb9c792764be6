package explain

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// deriver computes the key schedule again, from the values that the engine
// reported as its inputs and from the messages as they were on the wire.
type deriver struct {
	version    wire.Version
	suite      *suite.Suite // nil: not known
	transcript *transcript
	// randoms and nonces are from the messages.
	clientRandom, serverRandom []byte
	nonces                     [][]byte
	previous                   *Connection
	latest                     map[string]*Secret
}

func agree(format string, args ...any) Check { return Check{Agrees, fmt.Sprintf(format, args...)} }
func differ(format string, args ...any) Check {
	return Check{Differs, fmt.Sprintf(format, args...)}
}

// secret checks one secret, fills in its formula, and remembers it.
func (d *deriver) secret(s *Secret) {
	r, known := ruleFor(d.version, s)
	s.Meaning = r.meaning
	if s.Ref == "" {
		s.Ref = r.ref
	}
	switch {
	case !known:
		s.Formula, s.Check = s.How, Check{Given, "this value is not in the key schedule that is known here"}
	case r.fn == fnGiven:
		s.Formula, s.Check = s.How, d.given(s)
	default:
		s.Formula, s.Check = d.derive(s, r)
	}
	d.latest[s.Name] = s
}

// given checks what no key schedule derives: only a resumption says where it is from.
func (d *deriver) given(s *Secret) Check {
	switch {
	case s.How != howResumed:
		return Check{Given, "an input: only the two private keys could confirm it, and they are gone"}
	case d.previous == nil:
		return Check{Given, "an input: it comes from an earlier connection, which was not traced"}
	case s.Name == "psk" && slices.ContainsFunc(d.previous.tickets, s.is):
		return agree("the resumption_psk of the connection before")
	case s.Name == "master_secret" && d.previous.latest[s.Name] != nil && s.is(d.previous.latest[s.Name].Value):
		return agree("the master_secret of the connection before")
	}
	return differ("the connection before had no such value")
}

func (s *Secret) is(value Hex) bool { return bytes.Equal(s.Value, value) }

// derive computes s by its rule and returns the formula and what came of it.
func (d *deriver) derive(s *Secret, r rule) (formula string, c Check) {
	h, err := hashNamed(s.Hash)
	if err != nil {
		return s.How, differ("cannot be re-derived: %v", err)
	}
	size := r.size
	switch size {
	case 0:
		size = h.Size
	case anySize:
		size = len(s.Value)
	}
	in, inputName, bad := d.input(s, r, h)
	formula = r.formula(s, inputName, size)
	switch {
	case bad != "":
		return formula, differ("%s", bad)
	case s.Label != r.label:
		return formula, differ("its label is %q, the RFC says %q", s.Label, r.label)
	case r.from != "" && s.From != r.from:
		return formula, differ("it is made from %q, the RFC says %q", s.From, r.from)
	}
	for _, parent := range []string{s.From, r.salt} {
		if parent != "" && d.latest[parent] == nil {
			return formula, differ("%s, which it is made from, was not reported", parent)
		}
	}
	if value := d.apply(s, r, h, in, size); !s.is(value) {
		return formula, differ("re-derived, it is %s", Hex(value))
	}
	if r.in == inTranscript {
		return formula, agree("re-derived, with H = %s of the messages on the wire", s.Hash)
	}
	return formula, agree("re-derived: the same %d bytes", size)
}

// apply runs the rule's function.
func (d *deriver) apply(s *Secret, r rule, h *suite.Hash, in []byte, size int) []byte {
	secret := d.value(s.From)
	switch r.fn {
	case fnExtract:
		salt := d.value(r.salt)
		if salt == nil {
			salt = make([]byte, h.Size)
		}
		return extract(h, salt, in)
	case fnExpand:
		return expandLabel(h, secret, r.label, in, size)
	case fnHMAC:
		return hmacOf(h, secret, in)
	}
	return prf12(h, secret, r.label, in, size)
}

func (d *deriver) value(name string) []byte {
	if s := d.latest[name]; s != nil {
		return s.Value
	}
	return nil
}

// input computes what the rule says the function's input is, its name in the
// formula, and what is wrong with the input that the engine reported.
func (d *deriver) input(s *Secret, r rule, h *suite.Hash) (in []byte, name, bad string) {
	switch r.in {
	case inNone:
		return nil, `""`, ""
	case inKeyMat:
		if s.From != "" {
			return d.value(s.From), s.From, ""
		}
		if psk := d.latest["psk"]; psk != nil && psk.is(s.Input) {
			return psk.Value, psk.Name, ""
		}
		in, name = make([]byte, h.Size), "0"
		if len(s.Input) == 0 {
			return in, name, "" // the RFC's "0" was not spelled out
		}
	case inEmptyHash:
		in, name = h.New().Sum(nil), `H("")`
	case inRandoms:
		in, name = slices.Concat(d.clientRandom, d.serverRandom), "client_random + server_random"
	case inRandomsRev:
		in, name = slices.Concat(d.serverRandom, d.clientRandom), "server_random + client_random"
	case inNonce:
		in, name = s.Input, "ticket_nonce"
		if !slices.ContainsFunc(d.nonces, func(n []byte) bool { return bytes.Equal(n, s.Input) }) {
			return in, name, "no ticket on the wire has this nonce"
		}
	case inTranscript:
		return d.hashInput(s, r, h)
	}
	if !bytes.Equal(in, s.Input) {
		bad = fmt.Sprintf("its input is not %s, which is %s", name, Hex(in))
	}
	return in, name, bad
}

func (d *deriver) hashInput(s *Secret, r rule, h *suite.Hash) (in []byte, name, bad string) {
	n, seen := r.upTo(d.transcript)
	if !seen { // the handshake ended before the message that bounds it
		if n = d.transcript.match(h, s.Input); n < 0 {
			return s.Input, "H(" + s.InputIs + ")", "no run of the messages on the wire has its transcript hash"
		}
	}
	in, name = d.transcript.hash(h, n), "H("+d.transcript.name(n)+")"
	if !bytes.Equal(in, s.Input) {
		bad = fmt.Sprintf("%s of the messages on the wire is %s", name, Hex(in))
	}
	return in, name, bad
}

// formula writes the derivation as the RFC does.
func (r rule) formula(s *Secret, in string, size int) string {
	switch r.fn {
	case fnExtract:
		salt := r.salt
		if salt == "" {
			salt = "0"
		}
		return fmt.Sprintf("HKDF-Extract(%s, %s)", salt, in)
	case fnExpand:
		return fmt.Sprintf("HKDF-Expand-Label(%s, %q, %s, %d)", s.From, r.label, in, size)
	case fnHMAC:
		return fmt.Sprintf("HMAC(%s, %s)", s.From, in)
	}
	return fmt.Sprintf("PRF(%s, %q, %s)[0..%d]", s.From, r.label, in, size-1)
}
