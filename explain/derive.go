package explain

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

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
	s.Meaning = r.meaning
	if r.ref != "" {
		s.Ref = r.ref
	}
	switch {
	case !known:
		s.Formula, s.Check = s.How, Check{Given, "this value is not in the key schedule that is known here"}
	case r.fn == fnGiven:
		s.Formula, s.Check = s.How, hs.given(s)
	default:
		s.Formula, s.Check = hs.derive(s, r)
	}
	hs.latest[s.Name] = s
	if s.Name == "resumption_psk" || s.Name == "master_secret" {
		hs.account.kept = append(hs.account.kept, s.Value)
	}
}

// given checks what no key schedule derives: only a resumption says where it is from.
func (hs *handshake) given(s *Secret) Check {
	previous := hs.account.previous
	switch {
	case s.How != howResumed && s.Name == "psk":
		return Check{Given, "an input: both sides had it before the connection"}
	case s.How != howResumed && hs.exchange.Encrypted():
		return Check{Given, "an input: " + hs.encrypted(s.Value)}
	case s.How != howResumed:
		return Check{Given, "an input: only the two private keys could confirm it, and they are gone"}
	case previous == nil || previous.misses(ofHandshake) && !slices.ContainsFunc(previous.kept, s.is):
		return Check{Given, "an input: it comes from an earlier connection, of which there is no trace, or not a whole one"}
	case slices.ContainsFunc(previous.kept, s.is):
		return agree("the %s of the connection before", strings.Replace(s.Name, "psk", "resumption_psk", 1))
	}
	return differ("the connection before had no such value")
}

// encrypted says what a premaster is that the client made up: it starts with the
// version of its hello, so that nobody could lower that. RFC 5246 §7.4.7.1.
func (hs *handshake) encrypted(premaster []byte) string {
	const made = "the client made it up, and only the server's RSA key could confirm it"
	if hs.hello == nil || len(premaster) != 48 {
		return made
	}
	v := hs.hello.LegacyVersion
	if premaster[0] != byte(v>>8) || premaster[1] != byte(v) {
		return made + "; its first two bytes are not the version of its hello, as they should be"
	}
	return made + fmt.Sprintf("; its first two bytes are the version of its hello, %v, as they must be", v)
}

func (s *Secret) is(value Hex) bool { return bytes.Equal(s.Value, value) }

// derive computes s by its rule and returns the formula and what came of it.
func (hs *handshake) derive(s *Secret, r rule) (formula string, c Check) {
	h, err := hs.hashFor(s, r)
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
	in := hs.input(s, r, h)
	formula = r.formula(s, in.name, size)
	switch {
	case in.absent && hs.account.misses(ofHandshake):
		return formula, Check{Given, "not re-derived: the message that it is made from was not kept"}
	case in.bad != "":
		return formula, differ("%s", in.bad)
	case s.Label != r.label:
		return formula, differ("its label is %q, the RFC says %q", s.Label, r.label)
	case r.from != "" && s.From != r.from:
		return formula, differ("it is made from %q, the RFC says %q", s.From, r.from)
	}
	for _, parent := range []string{s.From, r.salt} {
		if parent != "" && hs.known(parent) == nil {
			return formula, differ("%s, which it is made from, was not reported", parent)
		}
	}
	value := hs.apply(s, r, h, in, size)
	switch {
	case !s.is(value):
		return formula, differ("re-derived, it is %s", Hex(value))
	case r.in == inTranscript:
		return formula, agree("re-derived, with H = %s of the messages on the wire", s.Hash)
	}
	return formula, agree("re-derived: the same %d bytes", len(value))
}

// hashFor is the hash that s was made with; until TLS 1.2 the version and the
// suite leave no choice.
func (hs *handshake) hashFor(s *Secret, r rule) (*suite.Hash, error) {
	if r.fn == fnJoin || r.fn == fnZeros {
		return bothHashes, nil // needs none
	}
	h, err := hashNamed(s.Hash)
	if err == nil && hs.version < wire.TLS13 && hs.suite != nil && h != hs.hash() {
		err = fmt.Errorf("its hash is %s, and %v with this suite has %s", h.Name, hs.version, hs.hash().Name)
	}
	return h, err
}

// hash is that of the key schedule and the transcript.
func (hs *handshake) hash() *suite.Hash {
	if hs.version < wire.TLS12 {
		return bothHashes
	}
	return hs.suite.Hash
}

// apply runs the rule's function.
func (hs *handshake) apply(s *Secret, r rule, h *suite.Hash, in material, size int) []byte {
	secret := hs.value(s.From)
	switch r.fn {
	case fnExtract:
		salt := hs.value(r.salt)
		if salt == nil {
			salt = make([]byte, h.Size)
		}
		return extract(h, salt, in.bytes)
	case fnExpand:
		return expandLabel(h, secret, r.label, in.bytes, size)
	case fnHMAC:
		return hmacOf(h, secret, in.bytes)
	case fnNested:
		return finished30(secret, hs.transcript.bytes(in.messages), sender30(s))
	case fnJoin:
		return join16(hs.value(r.salt), secret)
	case fnZeros:
		return make([]byte, len(hs.value("psk")))
	}
	return prf(hs.version, h, secret, r.label, in.bytes, size)
}

// sender30 is what a Finished of SSL 3.0 has for a label. RFC 6101 §5.6.9.
func sender30(s *Secret) string {
	if strings.HasPrefix(s.Name, "client") {
		return "CLNT"
	}
	return "SRVR"
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
func (hs *handshake) input(s *Secret, r rule, h *suite.Hash) (in material) {
	client, server := hs.randoms()
	switch r.in {
	case inNone:
		return material{name: `""`}
	case inKeyMat:
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
	case inEmptyHash:
		in.bytes, in.name = h.New().Sum(nil), `H("")`
	case inRandoms:
		in.bytes, in.name = slices.Concat(client, server), "client_random + server_random"
	case inRandomsRev:
		in.bytes, in.name = slices.Concat(server, client), "server_random + client_random"
	case inNonce:
		in.bytes, in.name = s.Input, "ticket_nonce"
		if !slices.ContainsFunc(hs.account.nonces, func(n []byte) bool { return bytes.Equal(n, s.Input) }) {
			in.bad, in.absent = "no ticket on the wire has this nonce", true
		}
	case inTranscript:
		return hs.hashInput(s, r, h)
	}
	if in.bad == "" && !bytes.Equal(in.bytes, s.Input) {
		in.bad = fmt.Sprintf("its input is not %s, which is %s", in.name, Hex(in.bytes))
	}
	return in
}

func (hs *handshake) hashInput(s *Secret, r rule, h *suite.Hash) (in material) {
	n, seen := r.upTo(hs.transcript)
	if !seen { // the handshake ended before the message that bounds it
		if n = hs.transcript.match(h, s.Input); n < 0 {
			return material{bytes: s.Input, name: "H(" + s.InputIs + ")", absent: true, bad: "no run of the messages on the wire has its transcript hash"}
		}
	}
	in = material{bytes: hs.transcript.hash(h, n), name: "H(" + hs.transcript.name(n) + ")", messages: n}
	if !bytes.Equal(in.bytes, s.Input) {
		in.bad = fmt.Sprintf("%s of the messages on the wire is %s", in.name, Hex(in.bytes))
	}
	return in
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
	case fnMix:
		return fmt.Sprintf(`MD5(%s + SHA("A" + %[1]s + %s)) + the same with "BB", "CCC" and so on, [0..%d]`, s.From, in, size-1)
	case fnNested:
		return fmt.Sprintf(`MD5(%s + pad_2 + MD5(messages + %q + %[1]s + pad_1)) + the same with SHA; the messages are those of %[3]s`, s.From, sender30(s), in)
	case fnJoin:
		return fmt.Sprintf("length of %s (2 bytes) + %[1]s + length of %s (2 bytes) + %[2]s", r.salt, s.From)
	case fnZeros:
		return "zeros, as many as psk has bytes"
	}
	return fmt.Sprintf("PRF(%s, %q, %s)[0..%d]", s.From, r.label, in, size-1)
}
