package keys

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

// The labels of TLS 1.3, without the prefix "tls13 ". RFC 8446 §7.1, §4.4.4,
// §4.6.1, §7.2, §7.3, §7.5.
const (
	LabelExternalBinder         = "ext binder"
	LabelResumptionBinder       = "res binder"
	LabelImportedBinder         = "imp binder"  // RFC 9258 §5.2
	LabelImportedPSK            = "derived psk" // RFC 9258 §5.1
	LabelClientEarlyTraffic     = "c e traffic"
	LabelEarlyExporter          = "e exp master"
	LabelDerived                = "derived"
	LabelClientHandshakeTraffic = "c hs traffic"
	LabelServerHandshakeTraffic = "s hs traffic"
	LabelClientTraffic          = "c ap traffic"
	LabelServerTraffic          = "s ap traffic"
	LabelExporter               = "exp master"
	LabelResumptionMaster       = "res master"
	LabelFinished               = "finished"
	LabelKey                    = "key"
	LabelIV                     = "iv"
	LabelTrafficUpdate          = "traffic upd"
	LabelResumption             = "resumption"
	LabelExport                 = "exporter"
)

const labelPrefix = "tls13 "

// Extract appends HKDF-Extract(salt, ikm), a secret of the hash's length, to
// dst. A nil salt or ikm stands for the RFC's "0", as many zero bytes as the
// hash is long. RFC 8446 §7.1, RFC 5869 §2.2.
func Extract(h *suite.Hash, dst, salt, ikm []byte) []byte {
	if ikm == nil {
		var zeros [maxSize]byte
		ikm = zeros[:h.Size]
	}
	return HMAC(h, dst, salt, ikm) // a short HMAC key is padded with zeros anyway
}

// ExpandLabel fills out with HKDF-Expand-Label(secret, label, context, len(out)).
// The label is given without "tls13 ". At most 249 bytes of label, 255 of
// context and 255 hashes of output exist; more is a mistake of the programmer,
// and panics. RFC 8446 §7.1.
func ExpandLabel(h *suite.Hash, out, secret []byte, label string, context []byte) {
	if len(labelPrefix)+len(label) > 255 || len(context) > 255 || len(out) > 255*h.Size {
		panic("keys: HKDF-Expand-Label out of bounds: " + label)
	}
	m := newMAC(h, secret)
	length := len(out)
	var last [maxSize]byte // T(i), RFC 5869 §2.3
	for i, n := byte(1), 0; ; i++ {
		m.write(last[:n])
		m.writeByte(byte(length >> 8))
		m.writeByte(byte(length))
		m.writeByte(byte(len(labelPrefix) + len(label)))
		m.writeString(labelPrefix)
		m.writeString(label)
		m.writeByte(byte(len(context)))
		m.write(context)
		m.writeByte(i)
		n = copy(last[:], m.finish())
		out = out[copy(out, last[:n]):]
		if len(out) == 0 {
			break
		}
		m.start()
	}
	clear(last[:])
	m.release()
}

// expand appends ExpandLabel of the hash's own length.
func expand(h *suite.Hash, dst, secret []byte, label string, context []byte) []byte {
	dst, out := grow(dst, h.Size)
	ExpandLabel(h, out, secret, label, context)
	return dst
}

// DeriveSecret appends Derive-Secret(secret, label, messages) to dst, where
// transcriptHash is the hash of the messages; EmptyHash(h) for none. RFC 8446 §7.1.
func DeriveSecret(h *suite.Hash, dst, secret []byte, label string, transcriptHash []byte) []byte {
	return expand(h, dst, secret, label, transcriptHash)
}

// BinderKey appends the key that a PSK's binder is computed with to dst, to be
// given to Finished13. external tells a PSK agreed out of band from one of a
// ticket. RFC 8446 §4.2.11.2.
func BinderKey(h *suite.Hash, dst, earlySecret []byte, external bool) []byte {
	label := LabelResumptionBinder
	if external {
		label = LabelExternalBinder
	}
	return DeriveSecret(h, dst, earlySecret, label, EmptyHash(h))
}

// ImportedPSK fills out, which has the length of the target's hash, with the PSK that an
// external one becomes under an ImportedIdentity. secret is Extract(nil, external PSK),
// and h the hash that goes with that. RFC 9258 §5.1.
func ImportedPSK(h *suite.Hash, out, secret, identity []byte) {
	var digest [maxSize]byte
	ExpandLabel(h, out, secret, LabelImportedPSK, hashOf(h, digest[:0], identity))
}

// TrafficKeys fills key and iv, which have the suite's KeyLen and FixedIVLen,
// from a traffic secret. RFC 8446 §7.3.
func TrafficKeys(s *suite.Suite, secret, key, iv []byte) {
	ExpandLabel(s.Hash, key, secret, LabelKey, nil)
	ExpandLabel(s.Hash, iv, secret, LabelIV, nil)
}

// Finished13 appends the verify_data of a Finished, or a PSK binder, to dst.
// baseKey is the sender's handshake traffic secret or the binder key. RFC 8446 §4.4.4.
func Finished13(h *suite.Hash, dst, baseKey, transcriptHash []byte) []byte {
	var scratch [maxSize]byte
	key := expand(h, scratch[:0], baseKey, LabelFinished, nil)
	dst = HMAC(h, dst, key, transcriptHash)
	clear(scratch[:])
	return dst
}

// NextTrafficSecret appends the traffic secret after a KeyUpdate to dst, which
// may be secret[:0] to replace the old one in its place. RFC 8446 §7.2.
func NextTrafficSecret(h *suite.Hash, dst, secret []byte) []byte {
	return expand(h, dst, secret, LabelTrafficUpdate, nil)
}

// ResumptionPSK appends the PSK of the ticket with that nonce to dst. RFC 8446 §4.6.1.
func ResumptionPSK(h *suite.Hash, dst, resumptionMaster, nonce []byte) []byte {
	return expand(h, dst, resumptionMaster, LabelResumption, nonce)
}

// Exporter13 fills out with keying material for an application, from the
// exporter or early exporter master secret. An absent context is the empty one.
// It errs for a label above 249 bytes or more output than HKDF has. RFC 8446 §7.5.
func Exporter13(h *suite.Hash, out, exporterMaster []byte, label string, context []byte) error {
	if most := 255 - len(labelPrefix); len(label) > most {
		return fmt.Errorf("exporter label is longer than %d bytes", most)
	}
	if most := 255 * h.Size; len(out) > most {
		return fmt.Errorf("exporter cannot yield more than %d bytes", most)
	}
	var secret, sum [maxSize]byte
	s := DeriveSecret(h, secret[:0], exporterMaster, label, EmptyHash(h))
	ExpandLabel(h, out, s, LabelExport, hashOf(h, sum[:0], context))
	clear(secret[:])
	return nil
}
