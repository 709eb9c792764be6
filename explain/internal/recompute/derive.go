package recompute

import (
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Operands are what the function of a rule is applied to.
type Operands struct {
	// Secret and Salt are the values that the rule's From and Salt name; Salt is
	// nil where it names none.
	Secret, Salt []byte
	// Input is what the rule's Input says.
	Input []byte
	// Messages are the ones under Input, where that is a transcript's hash. SSL 3.0
	// hashes them together with the secret.
	Messages []byte
	// Size is how many bytes are wanted.
	Size int
}

// Apply computes the value of a rule, with a hash. The version decides between
// the PRFs.
func (r Rule) Apply(v wire.Version, h *suite.Hash, o Operands) []byte {
	switch r.Function {
	case Extract:
		salt := o.Salt
		if salt == nil {
			salt = make([]byte, h.Size)
		}
		return extract(h, salt, o.Input)
	case ExpandLabel:
		return expandLabel(h, o.Secret, r.Label, o.Input, o.Size)
	case HMAC:
		return hmacOf(h, o.Secret, o.Input)
	case Nested:
		return finished30(o.Secret, o.Messages, r.Sender)
	case Join:
		return join16(o.Salt, o.Secret)
	case Zeros:
		return make([]byte, o.Size)
	}
	return prf(v, h, o.Secret, r.Label, o.Input, o.Size)
}

// RandomsOf is the input of that kind, made of the randoms of both hellos.
func RandomsOf(in Input, client, server []byte) []byte {
	if in == RandomsReversed {
		return slices.Concat(server, client)
	}
	return slices.Concat(client, server)
}
