package record

import (
	"math"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// A sealer holds the cipher objects that protect one epoch of one direction.
type sealer interface {
	// seal appends a record to dst, which has the room. hdr.Length is not set.
	seal(dst []byte, hdr Header, seq uint64, content []byte, padding int) ([]byte, error)
}

// An opener is the receiving side of a sealer.
type opener interface {
	// open opens rec, whose length was checked, in place or into dst.
	open(dst, rec []byte, seq uint64) (opened, error)
}

// opened is what was in a record.
type opened struct {
	typ     wire.ContentType
	content []byte
	padding int
	into    bool // content is in dst, not in rec
}

// protection is one way to protect records.
type protection struct {
	maxFragment int                    // bytes after the header, on receipt
	records     uint64                 // safe number of records for one key
	overhead    func(*suite.Suite) int // most bytes added, without the header
	newSealer   func(*Half) (sealer, error)
	newOpener   func(*Half) (opener, error)
}

// construction is how a suite's parts protect a record together.
type construction uint8

const (
	unknown construction = iota
	aead
	macThenEncrypt
	encryptThenMAC
)

func constructionOf(p Params) construction {
	switch {
	case p.Suite == nil || p.Suite.Cipher == nil:
		return unknown
	case p.Suite.Cipher.AEAD != nil:
		return aead
	case p.Suite.Cipher.Block == nil || p.Suite.MAC == nil:
		return unknown
	case p.EncryptThenMAC:
		return encryptThenMAC
	}
	return macThenEncrypt
}

// noLimit is for constructions whose sequence numbers end first, or which have
// no way to update a key.
const noLimit = math.MaxUint64

// limit13 is below the 2^24.5 records that AES-GCM is good for. RFC 8446 §5.5.
const limit13 = 1 << 24

type profile struct {
	version wire.Version
	how     construction
}

var protections = map[profile]*protection{
	{wire.TLS12, aead}:           {MaxCiphertext12, noLimit, overheadAEAD12, sealAEAD12, openAEAD12},
	{wire.TLS12, macThenEncrypt}: {MaxCiphertext12, noLimit, overheadCBC, sealCBC, openCBC},
	{wire.TLS12, encryptThenMAC}: {MaxCiphertext12, noLimit, overheadCBC, sealEtM, openEtM},
	{wire.TLS13, aead}:           {MaxCiphertext13, limit13, overheadAEAD13, sealAEAD13, openAEAD13},
}

var (
	clearRow   = protection{MaxPlaintext, noLimit, noOverhead, sealClear, openClear}
	unknownRow = protection{MaxCiphertext12, noLimit, noOverhead, sealUnknown, openUnknown}
)

// protectionFor picks the row for p, and unknownRow if none fits.
func protectionFor(p Params) *protection {
	row, ok := protections[profile{p.Version, constructionOf(p)}]
	if !ok || !p.lengthsFit() {
		return &unknownRow
	}
	return row
}

// lengthsFit reports that p's secrets are as long as the suite says, and that a
// Half has room for them.
func (p Params) lengthsFit() bool {
	mac := 0
	if p.Suite.MAC != nil {
		mac = p.Suite.MAC.Len
	}
	c := p.Suite.Cipher
	return len(p.Key) == c.KeyLen && len(p.IV) == c.FixedIVLen && len(p.MAC) == mac &&
		c.KeyLen <= maxKey && c.FixedIVLen <= maxIV && mac <= maxMAC
}

func sealUnknown(*Half) (sealer, error) { return nil, errUnknown }
func openUnknown(*Half) (opener, error) { return nil, errUnknown }
