package record

import (
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// ciphers are the objects that protect one epoch of one direction. They are built either
// to seal or to open, and some can do only that.
type ciphers interface {
	// seal appends a record to dst, which has the room. hdr.Length is not set.
	seal(dst []byte, hdr Header, seq uint64, content []byte, padding int) ([]byte, error)
	// open opens rec, whose length was checked, in place or into dst.
	open(dst, rec []byte, seq uint64) (opened, error)
}

// sealsOnly and opensOnly are the other half of ciphers that can do but one thing.
type (
	sealsOnly struct{}
	opensOnly struct{}
)

func (sealsOnly) open(_, _ []byte, _ uint64) (opened, error) { return opened{}, errUnknown }
func (opensOnly) seal(dst []byte, _ Header, _ uint64, _ []byte, _ int) ([]byte, error) {
	return dst, errUnknown
}

// Ciphers that can clear what they made of the keys are a wiper. From then on they may serve
// another Half: the one that they leave must have let go of them.
type wiper interface{ wipe() }

// opened is what was in a record.
type opened struct {
	typ     wire.ContentType
	content []byte
	padding int
	into    bool // content is in dst, not in rec
}

// protection is one way to protect records.
type protection struct {
	maxFragment int    // bytes after the header, on receipt
	records     uint64 // after which the keys are due for an update
	rules
	overhead  func(*suite.Suite) int // most bytes added, without the header
	newSealer func(*Half) (ciphers, error)
	newOpener func(*Half) (ciphers, error)
}

// rules are what the versions do differently with the same construction.
type rules struct {
	mac   *macRule
	unpad unpadding
	// chained: the IV of a record is the last block of the one before, and that of
	// the first comes with the keys. Else each record carries its own.
	chained bool
	// inner counts the bytes of plaintext that are neither content nor padding.
	inner int
}

var (
	ssl30 = rules{mac: macSSL30, unpad: unpadSSL30, chained: true}
	tls10 = rules{mac: macTLS, unpad: unpadTLS, chained: true}
	tls11 = rules{mac: macTLS, unpad: unpadTLS}
	tls13 = rules{inner: 1} // the content type
	noMAC = rules{}
)

// construction is how a suite's parts protect a record together.
type construction uint8

const (
	unknown construction = iota
	aead
	stream
	null
	macThenEncrypt
	encryptThenMAC
)

func constructionOf(p Params) construction {
	switch {
	case p.Suite == nil || p.Suite.Cipher == nil:
		return unknown
	case p.Suite.Cipher.AEAD != nil:
		return aead
	case p.Suite.MAC == nil:
		return unknown // NULL with NULL protects nothing
	case p.Suite.Cipher.Stream != nil:
		return stream
	case p.Suite.Cipher.Block == nil:
		return null
	case p.EncryptThenMAC:
		return encryptThenMAC
	}
	return macThenEncrypt
}

type profile struct {
	version wire.Version
	how     construction
}

var protections = map[profile]*protection{
	{wire.SSL30, null}:           {MaxCiphertext12, noLimit, ssl30, overheadMAC, sealNull, openNull},
	{wire.SSL30, stream}:         {MaxCiphertext12, noLimit, ssl30, overheadMAC, sealStream, openStream},
	{wire.SSL30, macThenEncrypt}: {MaxCiphertext12, noLimit, ssl30, overheadCBC, sealCBC, openCBC},

	{wire.TLS10, null}:           {MaxCiphertext12, noLimit, tls10, overheadMAC, sealNull, openNull},
	{wire.TLS10, stream}:         {MaxCiphertext12, noLimit, tls10, overheadMAC, sealStream, openStream},
	{wire.TLS10, macThenEncrypt}: {MaxCiphertext12, noLimit, tls10, overheadCBC, sealCBC, openCBC},
	{wire.TLS10, encryptThenMAC}: {MaxCiphertext12, noLimit, tls10, overheadCBC, sealEtM, openEtM},

	{wire.TLS11, null}:           {MaxCiphertext12, noLimit, tls11, overheadMAC, sealNull, openNull},
	{wire.TLS11, stream}:         {MaxCiphertext12, noLimit, tls11, overheadMAC, sealStream, openStream},
	{wire.TLS11, macThenEncrypt}: {MaxCiphertext12, noLimit, tls11, overheadCBC, sealCBC, openCBC},
	{wire.TLS11, encryptThenMAC}: {MaxCiphertext12, noLimit, tls11, overheadCBC, sealEtM, openEtM},

	{wire.TLS12, null}:           {MaxCiphertext12, noLimit, tls11, overheadMAC, sealNull, openNull},
	{wire.TLS12, stream}:         {MaxCiphertext12, noLimit, tls11, overheadMAC, sealStream, openStream},
	{wire.TLS12, macThenEncrypt}: {MaxCiphertext12, noLimit, tls11, overheadCBC, sealCBC, openCBC},
	{wire.TLS12, encryptThenMAC}: {MaxCiphertext12, noLimit, tls11, overheadCBC, sealEtM, openEtM},
	{wire.TLS12, aead}:           {MaxCiphertext12, noLimit, noMAC, overheadAEAD12, sealAEAD12, openAEAD12},

	{wire.TLS13, aead}: {MaxCiphertext13, limit13, tls13, overheadAEAD13, sealAEAD13, openAEAD13},
}

var (
	clearRow   = protection{MaxPlaintext, noLimit, noMAC, noOverhead, sealClear, openClear}
	unknownRow = protection{MaxCiphertext12, noLimit, noMAC, noOverhead, sealUnknown, openUnknown}
)

// protectionFor picks the row for p, and unknownRow if none fits.
func protectionFor(p Params) *protection {
	row, ok := protections[profile{p.Version, constructionOf(p)}]
	if !ok || !p.lengthsFit(row.ivLen(p.Suite.Cipher)) {
		return &unknownRow
	}
	return row
}

// ivLen is the length of Params.IV: a block where IVs are chained, 0 with a
// stream cipher or none, else what the suite says.
func (r *rules) ivLen(c *suite.Cipher) int {
	if r.chained {
		return c.BlockLen
	}
	return c.FixedIVLen
}

// lengthsFit reports that p's secrets are as long as the suite says, and the IV as
// long as given, and that a Half has room for them.
func (p Params) lengthsFit(iv int) bool {
	mac := 0
	if p.Suite.MAC != nil {
		mac = p.Suite.MAC.Len
	}
	c := p.Suite.Cipher
	return len(p.Key) == c.KeyLen && len(p.IV) == iv && len(p.MAC) == mac &&
		c.KeyLen <= maxKey && max(iv, c.BlockLen) <= maxIV && mac <= maxMAC
}

func sealUnknown(*Half) (ciphers, error) { return nil, errUnknown }
func openUnknown(*Half) (ciphers, error) { return nil, errUnknown }
