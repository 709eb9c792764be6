package rogue

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha1" // signatures up to TLS 1.1
	"hash"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// What proves that both sides have seen the same handshake is made anew over what
// the victim has seen, so that nothing is wrong with it.

var schedules = map[wire.Version]*keys.Schedule{wire.SSL30: keys.SSL30, wire.TLS10: keys.TLS10, wire.TLS11: keys.TLS11, wire.TLS12: keys.TLS12}

// mend returns the message that f's peer would have sent to the side in its place;
// most are what they were.
func (s *side) mend(f *Flow, key crypto.Signer, msg []byte) []byte {
	if len(msg) == 0 || wire.MessageLen(msg) != len(msg) {
		return msg
	}
	switch wire.HandshakeType(msg[0]) {
	case wire.TypeFinished:
		return withBody(wire.TypeFinished, s.verifyData(f))
	case wire.TypeCertificateVerify:
		if signed := s.verify(f, key, msg); signed != nil {
			return signed
		}
	}
	return msg
}

func withBody(typ wire.HandshakeType, body []byte) []byte {
	n := len(body)
	return append([]byte{byte(typ), byte(n >> 16), byte(n >> 8), byte(n)}, body...)
}

// seen is what the side has of the handshake under way, as it is hashed.
func (s *side) seen(h *suite.Hash) []byte {
	msgs := s.transcript[s.begin:]
	first := wire.MessageLen(msgs)
	if s.version < wire.TLS13 || len(msgs) <= first || !bytes.HasPrefix(msgs[first:], []byte{byte(wire.TypeServerHello)}) || !bytes.Contains(msgs[first:], wire.HelloRetryRandom[:]) {
		return msgs
	}
	x := h.New() // the first ClientHello became a message_hash: RFC 8446 §4.4.1
	x.Write(msgs[:first])
	return append(withBody(wire.TypeMessageHash, x.Sum(nil)), msgs[first:]...)
}

// verifyData is what the side expects in its peer's Finished now. Before it has
// secrets it is what would follow from none, or from the last handshake's.
func (s *side) verifyData(f *Flow) []byte {
	row, from := suite.ByID(f.Suite), s.role.Peer()
	if f.Version == wire.TLS13 {
		x := row.Hash.New()
		x.Write(s.seen(row.Hash))
		return keys.Finished13(row.Hash, nil, s.traffic[from], x.Sum(nil))
	}
	schedule := schedules[f.Version]
	h := schedule.Hash(row)
	x := h.New()
	x.Write(s.seen(h))
	return schedule.Finished(h, nil, slices.Concat(s.master, make([]byte, keys.MasterSecretLen-len(s.master))), from, x)
}

// verify signs what the side has seen; nil where the key has no such signature.
func (s *side) verify(f *Flow, key crypto.Signer, msg []byte) []byte {
	c := wire.Context{Version: f.Version, KeyExchange: suite.ByID(f.Suite).KeyExchange, From: s.role.Peer()}
	m, err := wire.DecodeMessage(msg, c, nil)
	if err != nil || key == nil {
		return nil
	}
	v, ok := m.(*wire.CertificateVerify)
	if _, known := hashes[v.Scheme]; !ok || !known && f.Version >= wire.TLS12 {
		return nil
	}
	digest, opts := s.digest(f, v.Scheme, key)
	if v.Signature, err = key.Sign(rand.Reader, digest, opts); err != nil {
		return nil
	}
	return wire.AppendMessage(nil, v, c)
}

// hashes of the signature schemes that the flows sign with.
var hashes = map[wire.SignatureScheme]crypto.Hash{
	wire.ECDSAP256SHA256: crypto.SHA256, wire.RSAPSSRSAESHA256: crypto.SHA256, wire.RSAPKCS1SHA256: crypto.SHA256,
}

func (s *side) digest(f *Flow, scheme wire.SignatureScheme, key crypto.Signer) ([]byte, crypto.SignerOpts) {
	row := suite.ByID(f.Suite)
	if schedule := schedules[f.Version]; schedule != nil && schedule.CertificateVerify != nil {
		x := schedule.Hash(row).New()
		x.Write(s.transcript[s.begin:])
		pair := schedule.CertificateVerify(nil, s.master, x)
		if _, ok := key.(*ecdsa.PrivateKey); ok {
			return pair[len(pair)-crypto.SHA1.Size():], crypto.SHA1
		}
		return pair, crypto.MD5SHA1
	}
	var x hash.Hash = hashes[scheme].New()
	if f.Version == wire.TLS13 {
		h := row.Hash.New()
		h.Write(s.seen(row.Hash))
		x.Write(bytes.Repeat([]byte{' '}, 64))
		x.Write([]byte("TLS 1.3, " + s.role.Peer().String() + " CertificateVerify\x00"))
		x.Write(h.Sum(nil))
	} else {
		x.Write(s.transcript[s.begin:])
	}
	if scheme == wire.RSAPSSRSAESHA256 {
		return x.Sum(nil), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hashes[scheme]}
	}
	return x.Sum(nil), hashes[scheme]
}
