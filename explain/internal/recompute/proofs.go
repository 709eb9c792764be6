package recompute

import (
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Binder is what proves that the ClientHello which is message i has a pre-shared
// key: a MAC over the transcript and the hello, up to its binders.
// RFC 8446 §4.2.11.2.
//
//	struct {
//	    PskIdentity identities<7..2^16-1>;
//	    PskBinderEntry binders<33..2^16-1>;   // the last bindersLen bytes of the hello
//	} OfferedPsks;
func (t *Transcript) Binder(h *suite.Hash, binderKey []byte, i, bindersLen int) []byte {
	sum := h.New()
	if i > 0 { // after a HelloRetryRequest
		sum.Write(t.messageHash(h))
		for _, earlier := range t.Messages[1:i] {
			sum.Write(earlier.Raw)
		}
	}
	hello := t.Messages[i].Raw
	sum.Write(hello[:len(hello)-bindersLen])
	return hmacOf(h, expandLabel(h, binderKey, "finished", nil, h.Size), sum.Sum(nil))
}

// RenegotiationInfo is what a side's hello has to repeat of the handshake before,
// given the contents of its two Finished. RFC 5746 §3.2.
func RenegotiationInfo(from wire.Role, client, server []byte) []byte {
	if from == wire.Client {
		return client
	}
	return slices.Concat(client, server)
}
