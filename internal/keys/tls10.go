package keys

import (
	"crypto"
	"crypto/md5"
	"crypto/sha1"
	"errors"
	"hash"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

// MD5SHA1 is MD5 and SHA-1 side by side, 36 bytes: the hash of transcript and
// PRF, and what RSA signs, in TLS 1.0, 1.1 and SSL 3.0. RFC 2246 §5, §7.4.3,
// §7.4.9. It is a hash for this package's schedules, no suite's.
var MD5SHA1 = &suite.Hash{Name: "MD5+SHA-1", Size: md5.Size + sha1.Size, BlockSize: md5.BlockSize, New: newPair, Crypto: crypto.MD5SHA1}

// pair is what MD5SHA1.New makes.
type pair struct{ md5, sha1 digest }

func newPair() hash.Hash { return &pair{md5.New().(digest), sha1.New().(digest)} }

func (p *pair) Write(b []byte) (int, error) {
	p.md5.Write(b) // a hash never errs
	return p.sha1.Write(b)
}

func (p *pair) Sum(b []byte) []byte { return p.sha1.Sum(p.md5.Sum(b)) }

func (p *pair) Reset() {
	p.md5.Reset()
	p.sha1.Reset()
}

func (p *pair) Size() int      { return MD5SHA1.Size }
func (p *pair) BlockSize() int { return MD5SHA1.BlockSize }

// Clone implements hash.Cloner.
func (p *pair) Clone() (hash.Cloner, error) {
	c := newPair().(*pair)
	return c, errors.Join(copyState(c.md5, p.md5), copyState(c.sha1, p.sha1))
}

func copyState(dst, src digest) error {
	state, _ := src.AppendBinary(nil) // dst takes no other than a whole one
	return dst.UnmarshalBinary(state)
}

// certificateVerify10 is Schedule.CertificateVerify of TLS 1.0 and 1.1.
// RFC 2246 §7.4.8.
func certificateVerify10(dst, _ []byte, transcript hash.Hash) []byte { return transcript.Sum(dst) }
