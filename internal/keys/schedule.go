package keys

import (
	"hash"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Schedule is how a version up to TLS 1.2 derives its secrets. The values below
// are shared: never change them.
//
// The functions append what they derive to dst, which may be nil. h is what the
// schedule's Hash returns for the suite. transcript is the running hash of the
// handshake's messages, made by h.New; it is left as it was. No argument may
// overlap dst's spare room.
type Schedule struct {
	hash    *suite.Hash // nil where the suite decides
	chained bool        // the first IV of CBC comes from the key block
	// unlabelled: one function without labels makes all secrets.
	unlabelled bool

	// Master derives the master secret, MasterSecretLen bytes.
	Master func(h *suite.Hash, dst, premaster, clientRandom, serverRandom []byte) []byte
	// ExtendedMaster derives the master secret bound to the handshake, from the
	// transcript's hash up to and with ClientKeyExchange. It is nil in SSL 3.0,
	// which has no extensions to agree on it with. RFC 7627 §4.
	ExtendedMaster func(h *suite.Hash, dst, premaster, sessionHash []byte) []byte
	// fill fills the key block.
	fill func(h *suite.Hash, block, master, clientRandom, serverRandom []byte)
	// Finished derives the content of role's Finished, FinishedLen bytes, from
	// a transcript of every message before it. With room for h.Size bytes
	// more in dst TLS allocates nothing.
	Finished func(h *suite.Hash, dst, master []byte, role wire.Role, transcript hash.Hash) []byte
	// FinishedLen is VerifyDataLen, or FinishedLen30 in SSL 3.0.
	FinishedLen int
	// CertificateVerify derives the 36 bytes that a client's CertificateVerify
	// signs: RSA all of them, DSA and ECDSA the last 20, which are SHA-1's. It is
	// nil in TLS 1.2, whose signature schemes name a hash of their own.
	CertificateVerify func(dst, master []byte, transcript hash.Hash) []byte
	// Exporter fills out with keying material for an application. A nil context
	// means none, which differs from an empty one. It errs for a label that the
	// protocol uses itself, for a context above 65,535 bytes, and always in
	// SSL 3.0, for which nobody has defined it. RFC 5705 §4.
	Exporter func(h *suite.Hash, out, master []byte, label string, clientRandom, serverRandom, context []byte) error
}

// The schedules. TLS 1.1 differs from TLS 1.0 in nothing but that each record
// brings its own IV: RFC 4346 §6.2.3.2.
var (
	SSL30 = &Schedule{hash: MD5SHA1, chained: true, unlabelled: true,
		Master: master30, fill: keyBlock30, Finished: finished30, FinishedLen: FinishedLen30,
		CertificateVerify: certificateVerify30, Exporter: noExporter}
	TLS10 = &Schedule{hash: MD5SHA1, chained: true,
		Master: masterTLS, ExtendedMaster: extendedMasterTLS, fill: keyBlockTLS, Finished: finishedTLS, FinishedLen: VerifyDataLen,
		CertificateVerify: certificateVerify10, Exporter: exporterTLS}
	TLS11 = &Schedule{hash: MD5SHA1,
		Master: masterTLS, ExtendedMaster: extendedMasterTLS, fill: keyBlockTLS, Finished: finishedTLS, FinishedLen: VerifyDataLen,
		CertificateVerify: certificateVerify10, Exporter: exporterTLS}
	TLS12 = &Schedule{
		Master: masterTLS, ExtendedMaster: extendedMasterTLS, fill: keyBlockTLS, Finished: finishedTLS, FinishedLen: VerifyDataLen,
		Exporter: exporterTLS}
)

// Hash is that of the transcript and of the other functions: the suite's in
// TLS 1.2, before that MD5SHA1 whatever the suite.
func (x *Schedule) Hash(s *suite.Suite) *suite.Hash {
	if x.hash != nil {
		return x.hash
	}
	return s.Hash
}

// Label is what the schedule's function takes of label: nothing in SSL 3.0, which
// has no labels.
func (x *Schedule) Label(label string) string {
	if x.unlabelled {
		return ""
	}
	return label
}

// KeyBlock is the partition of RFC 5246 §6.3. The slices share one array; a
// length that the suite does not use is 0.
type KeyBlock struct {
	ClientMAC, ServerMAC []byte
	ClientKey, ServerKey []byte
	ClientIV, ServerIV   []byte
}

// lengths are those of one direction.
func (x *Schedule) lengths(s *suite.Suite) (mac, key, iv int) {
	if s.MAC != nil {
		mac = s.MAC.Len
	}
	iv = s.Cipher.FixedIVLen
	if x.chained {
		iv = s.Cipher.BlockLen // these versions have no AEAD; a stream cipher has 0
	}
	return mac, s.Cipher.KeyLen, iv
}

// KeyBlockLen is how many bytes of key block the suite takes.
func (x *Schedule) KeyBlockLen(s *suite.Suite) int {
	mac, key, iv := x.lengths(s)
	return 2 * (mac + key + iv)
}

// KeyBlock derives the keys of both directions. They are put into dst from its
// start where it has KeyBlockLen bytes of capacity, else into new memory; dst may
// be nil. RFC 5246 §6.3, RFC 6101 §6.2.2.
func (x *Schedule) KeyBlock(s *suite.Suite, dst, master, clientRandom, serverRandom []byte) KeyBlock {
	mac, key, iv := x.lengths(s)
	_, block := grow(dst[:0], x.KeyBlockLen(s))
	x.fill(x.Hash(s), block, master, clientRandom, serverRandom)
	take := func(n int) []byte {
		part := block[:n:n]
		block = block[n:]
		return part
	}
	return KeyBlock{
		ClientMAC: take(mac), ServerMAC: take(mac),
		ClientKey: take(key), ServerKey: take(key),
		ClientIV: take(iv), ServerIV: take(iv),
	}
}
