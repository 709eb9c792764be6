package explain

import (
	"bytes"
	"fmt"

	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// opener opens the records of one epoch of one direction again.
type opener struct {
	*recompute.Opener
	keys  *Keys
	limit limit
}

// newOpener returns the opener for the keys that hs has agreed on.
func newOpener(k *Keys, hs *handshake) *opener {
	p := recompute.Params{Version: k.raw.Version, Suite: suite.ByID(k.raw.Suite), EncryptThenMAC: k.EncryptThenMAC, Deflate: hs.compressed()}
	if k.derived != nil {
		p.Keys = *k.derived
	}
	return &opener{recompute.NewOpener(p), k, hs.limits[k.from]}
}

// skip goes on after records that were not kept.
func (o *opener) skip() {
	if o != nil {
		o.Skip()
	}
}

// early reports that the keys are those of early data, which only a listener sees: the
// engine sends and takes none.
func (o *opener) early() bool { return o != nil && o.keys.Secret == "client_early_traffic_secret" }

// pass goes on after a record that a listener could not open.
func (o *opener) pass(r *Record) {
	if o != nil {
		o.Pass(r.Wire)
	}
}

// nonceWords say how the nonce of a record was made.
func (o *opener) nonceWords(x recompute.Opened, seq uint64) string {
	switch x.NonceIs {
	case recompute.IVAndRecord:
		return fmt.Sprintf("iv + the record's first %d bytes", o.Suite.Cipher.ExplicitNonceLen)
	case recompute.IVXorSequence:
		return fmt.Sprintf("iv XOR sequence number %d", seq)
	case recompute.RecordStart:
		return fmt.Sprintf("the record's first %d bytes", len(x.Nonce))
	case recompute.KeyBlockIV:
		return "the iv of the key block"
	case recompute.RecordBefore:
		return "the last block of the record before"
	}
	return ""
}

// reopen opens a record again and compares; a record in the clear must be its
// content itself. partial: there may have been keys that were not kept.
func (r *Record) reopen(o *opener, expectSeq uint64, partial bool) {
	r.Check = r.compare(o, expectSeq, partial)
	if r.Refused != "" {
		r.Refusal = r.refusal()
	}
}

func (r *Record) compare(o *opener, expectSeq uint64, partial bool) Check {
	switch {
	case r.Unopened != "":
		if o != nil {
			r.Protection = protectionName(o.keys)
		}
		return Check{Given, "not opened: " + r.Unopened}
	case r.Epoch > 0 && o == nil && partial:
		return Check{Given, "not opened again: its keys were not kept"}
	case r.Epoch > 0 && o != nil && o.keys.withheld():
		r.Protection = protectionName(o.keys)
		return Check{Given, "not opened again: " + o.keys.lack}
	case r.Epoch > 0 && o != nil && o.Lost():
		r.Protection = protectionName(o.keys)
		return Check{Given, "not opened again: it carries on from records that were not kept"}
	case r.Refused != "":
		return r.reopenRefused(o)
	case r.Epoch == 0 && !bytes.HasSuffix(r.Wire, r.Plain):
		return differ("its content is not what was on the wire")
	case r.Epoch == 0:
		return Check{Given, "in the clear"}
	case o == nil:
		return differ("no keys were reported for epoch %d of the %s", r.Epoch, r.From)
	default:
		r.Protection = protectionName(o.keys)
		r.bare = o.Suite != nil && o.Suite.Cipher.KeyLen == 0
		x, err := o.Open(r.Wire, r.Seq)
		r.protected(o, x)
		switch {
		case err != nil:
			return differ("with the re-derived keys it does not open: %v", err)
		case x.Type != r.typ || !bytes.Equal(x.Content, r.Plain) || x.Padding != r.Padding:
			return differ("opened again, it holds %d bytes of %v with %d of padding, not what was reported", len(x.Content), x.Type, x.Padding)
		case o.limit.broken(x):
			return differ("it holds %s, and the receiver takes no more than %s (%s)", words.Size(len(x.Content)), words.Thousands(o.limit.bytes), o.limit.by)
		case r.Seq != expectSeq && !r.unsure:
			return differ("its sequence number is %d, and %d was due", r.Seq, expectSeq)
		default:
			return agree("opened again with the re-derived keys: the same %d bytes", len(x.Content))
		}
	}
}

// protectionName names the cipher and the MAC, in the order of their use.
func protectionName(k *Keys) string {
	s := suite.ByID(k.raw.Suite)
	switch {
	case s == nil:
		return k.CipherSuite
	case s.MAC == nil:
		return s.Cipher.Name
	}
	mac := s.MAC.Name
	if k.raw.Version == wire.SSL30 {
		mac = "SSL 3.0's MAC with " + s.MAC.Hash.Name
	}
	switch {
	case s.Cipher.KeyLen == 0:
		return mac + " alone: nothing is encrypted"
	case k.EncryptThenMAC:
		return s.Cipher.Name + " then " + mac
	}
	return mac + " then " + s.Cipher.Name
}
