package keys

import (
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
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

// PRF fills out, which may not overlap what goes in, from secret, label and the
// concatenation of seed: with MD5SHA1 that of TLS 1.0 and 1.1, with any other
// hash that of TLS 1.2. RFC 2246 §5, RFC 5246 §5.
func PRF(h *suite.Hash, out, secret []byte, label string, seed ...[]byte) {
	clear(out)
	if h != MD5SHA1 {
		xorExpand(h, out, secret, label, seed)
		return
	}
	half := (len(secret) + 1) / 2 // the halves share the middle byte of an odd length
	xorExpand(suite.MD5, out, secret[:half], label, seed)
	xorExpand(suite.SHA1, out, secret[len(secret)-half:], label, seed)
}

// xorExpand is P_hash, XORed into out. RFC 5246 §5.
func xorExpand(h *suite.Hash, out, secret []byte, label string, seed [][]byte) {
	m := keyMAC(h, secret)
	m.used = true // the key serves two HMACs at least: its states are kept from the first on
	m.start()
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
		out = out[subtle.XORBytes(out, out, m.finish()):]
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

// masterTLS is Schedule.Master from TLS 1.0 on. RFC 5246 §8.1.
func masterTLS(h *suite.Hash, dst, premaster, clientRandom, serverRandom []byte) []byte {
	dst, out := grow(dst, MasterSecretLen)
	PRF(h, out, premaster, LabelMasterSecret, clientRandom, serverRandom)
	return dst
}

// extendedMasterTLS is Schedule.ExtendedMaster from TLS 1.0 on. RFC 7627 §4.
func extendedMasterTLS(h *suite.Hash, dst, premaster, sessionHash []byte) []byte {
	dst, out := grow(dst, MasterSecretLen)
	PRF(h, out, premaster, LabelExtendedMasterSecret, sessionHash)
	return dst
}

// finishedTLS is Schedule.Finished from TLS 1.0 on. RFC 5246 §7.4.9.
func finishedTLS(h *suite.Hash, dst, master []byte, role wire.Role, transcript hash.Hash) []byte {
	label := LabelClientFinished
	if role == wire.Server {
		label = LabelServerFinished
	}
	// The digest stands behind the result: what has room for both is not allocated.
	whole, out := grow(dst, VerifyDataLen+h.Size)
	out, digest := out[:VerifyDataLen], transcript.Sum(out[VerifyDataLen:VerifyDataLen])
	PRF(h, out, master, label, digest)
	return whole[:len(dst)+VerifyDataLen]
}

// keyBlockTLS fills block from TLS 1.0 on. RFC 5246 §6.3.
func keyBlockTLS(h *suite.Hash, block, master, clientRandom, serverRandom []byte) {
	PRF(h, block, master, LabelKeyExpansion, serverRandom, clientRandom)
}

// reservedLabels may not be used by exporters, or an application could export
// the connection's own keys. RFC 5705 §4, and RFC 7627 §4 for the last.
var reservedLabels = []string{
	LabelClientFinished, LabelServerFinished, LabelMasterSecret, LabelKeyExpansion, LabelExtendedMasterSecret,
}

// exporterTLS is Schedule.Exporter from TLS 1.0 on. RFC 5705 §4.
func exporterTLS(h *suite.Hash, out, master []byte, label string, clientRandom, serverRandom, context []byte) error {
	if slices.Contains(reservedLabels, label) {
		return fmt.Errorf("exporter label %q is reserved for the protocol itself", label)
	}
	if context == nil {
		PRF(h, out, master, label, clientRandom, serverRandom)
		return nil
	}
	if len(context) > 0xffff {
		return errors.New("exporter context is longer than 65535 bytes")
	}
	var length [2]byte
	binary.BigEndian.PutUint16(length[:], uint16(len(context)))
	PRF(h, out, master, label, clientRandom, serverRandom, length[:], context)
	return nil
}
