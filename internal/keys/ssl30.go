package keys

import (
	"crypto/md5"
	"crypto/sha1"
	"errors"
	"hash"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// FinishedLen30 is the length of a Finished in SSL 3.0, in bytes. RFC 6101 §5.6.9.
const FinishedLen30 = md5.Size + sha1.Size

// The senders that enter a Finished. RFC 6101 §5.6.9.
const (
	senderClient = "CLNT"
	senderServer = "SRVR"
)

// nests are the two hashes of a Finished, and how often each repeats the bytes
// of its padding: up to 48 and 40, which fill a block together with a MAC's key.
// RFC 6101 §5.2.3.1.
var nests = [...]struct {
	hash *suite.Hash
	pad  int
	of   func(*pair) digest
}{
	{suite.MD5, 48, func(p *pair) digest { return p.md5 }},
	{suite.SHA1, 40, func(p *pair) digest { return p.sha1 }},
}

// nested appends, for both hashes,
// hash(master + pad2 + hash(transcript + sender + master + pad1)). RFC 6101 §5.6.9.
func nested(dst, master []byte, sender string, transcript hash.Hash) []byte {
	for _, n := range &nests {
		m := newHash(n.hash)
		state, _ := n.of(transcript.(*pair)).AppendBinary(m.saved[0][:0]) // a hash never errs
		m.reset(state)
		clear(state)
		m.writeString(sender)
		m.write(master)
		m.repeat(ipad, n.pad)
		inner := m.sumUp()
		m.write(master)
		m.repeat(opad, n.pad)
		m.write(inner)
		dst = append(dst, m.sumUp()...)
		m.release()
	}
	return dst
}

func (m *mac) repeat(b byte, n int) {
	for range n {
		m.writeByte(b)
	}
}

// finished30 is Schedule.Finished of SSL 3.0.
func finished30(_ *suite.Hash, dst, master []byte, role wire.Role, transcript hash.Hash) []byte {
	sender := senderClient
	if role == wire.Server {
		sender = senderServer
	}
	return nested(dst, master, sender, transcript)
}

// certificateVerify30 is Schedule.CertificateVerify of SSL 3.0: a Finished
// without a sender. RFC 6101 §5.6.8.
func certificateVerify30(dst, master []byte, transcript hash.Hash) []byte {
	return nested(dst, master, "", transcript)
}

// expand30 fills out with MD5(secret + SHA-1(letters + secret + random1 +
// random2)), where the letters are "A", "BB", "CCC" and so on. RFC 6101 §6.1, §6.2.2.
func expand30(out, secret, random1, random2 []byte) {
	inner, outer := newHash(suite.SHA1), newHash(suite.MD5)
	for i := 1; len(out) > 0; i++ {
		inner.repeat('A'+byte(i-1), i)
		inner.write(secret)
		inner.write(random1)
		inner.write(random2)
		outer.write(secret)
		outer.write(inner.sumUp())
		out = out[copy(out, outer.sumUp()):]
	}
	inner.release()
	outer.release()
}

// master30 is Schedule.Master of SSL 3.0. RFC 6101 §6.1.
func master30(_ *suite.Hash, dst, premaster, clientRandom, serverRandom []byte) []byte {
	dst, out := grow(dst, MasterSecretLen)
	expand30(out, premaster, clientRandom, serverRandom)
	return dst
}

// keyBlock30 fills block in SSL 3.0. RFC 6101 §6.2.2.
func keyBlock30(_ *suite.Hash, block, master, clientRandom, serverRandom []byte) {
	expand30(block, master, serverRandom, clientRandom)
}

func noExporter(*suite.Hash, []byte, []byte, string, []byte, []byte, []byte) error {
	return errors.New("SSL 3.0 has no keying material exporters")
}
