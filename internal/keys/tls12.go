package keys

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// The labels of the PRF up to TLS 1.2. RFC 5246 §6.3, §7.4.9, §8.1; RFC 7627 §4.
const (
	LabelMasterSecret         = "master secret"
	LabelExtendedMasterSecret = "extended master secret"
	LabelKeyExpansion         = "key expansion"
	LabelClientFinished       = "client finished"
	LabelServerFinished       = "server finished"
)

const (
	// MasterSecretLen is in bytes, in every version up to TLS 1.2. RFC 5246 §8.1.
	MasterSecretLen = 48
	// VerifyDataLen is that of Finished in TLS 1.0 to 1.2. RFC 5246 §7.4.9.
	VerifyDataLen = 12
)

// PRF12 fills out from secret, label and the concatenation of seed. RFC 5246 §5.
func PRF12(h *suite.Hash, out, secret []byte, label string, seed ...[]byte) {
	m := newMAC(h, secret)
	var a [maxSize]byte // A(i)
	feed := func() {
		m.writeString(label)
		for _, s := range seed {
			m.write(s)
		}
	}
	feed()
	n := copy(a[:], m.finish()) // A(1) = HMAC(secret, label + seed)
	for {
		m.start()
		m.write(a[:n])
		feed()
		out = out[copy(out, m.finish()):]
		if len(out) == 0 {
			break
		}
		m.start()
		m.write(a[:n])
		copy(a[:], m.finish()) // A(i+1) = HMAC(secret, A(i))
	}
	clear(a[:])
	m.release()
}

// grow appends n bytes to dst and returns the whole and the new part.
func grow(dst []byte, n int) (whole, part []byte) {
	whole = slices.Grow(dst, n)[:len(dst)+n]
	return whole, whole[len(dst):]
}

// MasterSecret appends the master secret (MasterSecretLen bytes) to dst. RFC 5246 §8.1.
func MasterSecret(h *suite.Hash, dst, premaster, clientRandom, serverRandom []byte) []byte {
	dst, out := grow(dst, MasterSecretLen)
	PRF12(h, out, premaster, LabelMasterSecret, clientRandom, serverRandom)
	return dst
}

// ExtendedMasterSecret appends the master secret (MasterSecretLen bytes) bound
// to the handshake to dst. sessionHash is the transcript's hash up to and with
// ClientKeyExchange. RFC 7627 §4.
func ExtendedMasterSecret(h *suite.Hash, dst, premaster, sessionHash []byte) []byte {
	dst, out := grow(dst, MasterSecretLen)
	PRF12(h, out, premaster, LabelExtendedMasterSecret, sessionHash)
	return dst
}

// Finished12 appends the verify_data (VerifyDataLen bytes) of the Finished that
// role sends to dst. transcriptHash covers every handshake message before it.
// RFC 5246 §7.4.9.
func Finished12(h *suite.Hash, dst, master []byte, role wire.Role, transcriptHash []byte) []byte {
	label := LabelClientFinished
	if role == wire.Server {
		label = LabelServerFinished
	}
	dst, out := grow(dst, VerifyDataLen)
	PRF12(h, out, master, label, transcriptHash)
	return dst
}

// KeyBlock is the partition of RFC 5246 §6.3. The slices share one array; a
// length that the suite does not use is 0.
type KeyBlock struct {
	ClientMAC, ServerMAC []byte
	ClientKey, ServerKey []byte
	ClientIV, ServerIV   []byte
}

// KeyBlockLen is how many bytes of key block the suite takes.
func KeyBlockLen(s *suite.Suite) int {
	n := s.Cipher.KeyLen + s.Cipher.FixedIVLen
	if s.MAC != nil {
		n += s.MAC.Len
	}
	return 2 * n
}

// KeyBlock12 derives the keys of both directions. They are put into dst from
// its start where it has KeyBlockLen bytes of capacity, else into new memory; dst
// may be nil. RFC 5246 §6.3.
func KeyBlock12(s *suite.Suite, dst, master, clientRandom, serverRandom []byte) KeyBlock {
	_, block := grow(dst[:0], KeyBlockLen(s))
	PRF12(s.Hash, block, master, LabelKeyExpansion, serverRandom, clientRandom)
	take := func(n int) []byte {
		part := block[:n:n]
		block = block[n:]
		return part
	}
	var k KeyBlock
	if s.MAC != nil {
		k.ClientMAC, k.ServerMAC = take(s.MAC.Len), take(s.MAC.Len)
	}
	k.ClientKey, k.ServerKey = take(s.Cipher.KeyLen), take(s.Cipher.KeyLen)
	k.ClientIV, k.ServerIV = take(s.Cipher.FixedIVLen), take(s.Cipher.FixedIVLen)
	return k
}

// reservedLabels may not be used by exporters, or an application could export
// the connection's own keys. RFC 5705 §4, and RFC 7627 §4 for the last.
var reservedLabels = []string{
	LabelClientFinished, LabelServerFinished, LabelMasterSecret, LabelKeyExpansion, LabelExtendedMasterSecret,
}

// Exporter12 fills out with keying material for an application. A nil context
// means none, which differs from an empty one. It errs for a label that the
// protocol uses itself and for a context above 65,535 bytes. RFC 5705 §4.
func Exporter12(h *suite.Hash, out, master []byte, label string, clientRandom, serverRandom, context []byte) error {
	if slices.Contains(reservedLabels, label) {
		return fmt.Errorf("exporter label %q is reserved for the protocol itself", label)
	}
	if context == nil {
		PRF12(h, out, master, label, clientRandom, serverRandom)
		return nil
	}
	if len(context) > 0xffff {
		return errors.New("exporter context is longer than 65535 bytes")
	}
	var length [2]byte
	binary.BigEndian.PutUint16(length[:], uint16(len(context)))
	PRF12(h, out, master, label, clientRandom, serverRandom, length[:], context)
	return nil
}
