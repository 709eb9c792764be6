package recompute

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Keys are the keys of one direction, or how long they are.
type Keys struct {
	Key, IV, MAC []byte
}

// Equal reports that both have the same bytes.
func (k Keys) Equal(other Keys) bool {
	return bytes.Equal(k.Key, other.Key) && bytes.Equal(k.IV, other.IV) && bytes.Equal(k.MAC, other.MAC)
}

// TrafficKeys makes keys of a traffic secret. RFC 8446 §7.3.
func TrafficKeys(s *suite.Suite, secret []byte) Keys {
	return Keys{
		Key: expandLabel(s.Hash, secret, "key", nil, s.Cipher.KeyLen),
		IV:  expandLabel(s.Hash, secret, "iv", nil, s.Cipher.FixedIVLen),
	}
}

// KeyBlock makes the key block of a master secret. RFC 5246 §6.3, RFC 6101 §6.2.2.
func KeyBlock(v wire.Version, s *suite.Suite, master, clientRandom, serverRandom []byte) []byte {
	n := 2 * (MACLen(s) + s.Cipher.KeyLen + IVLen(v, s))
	return prf(v, s.Hash, master, "key expansion", RandomsOf(RandomsReversed, clientRandom, serverRandom), n)
}

// CutKeyBlock takes the keys of one side out of the block: client before
// server, MAC keys before keys before IVs. RFC 5246 §6.3.
func CutKeyBlock(v wire.Version, s *suite.Suite, block []byte, side wire.Role) Keys {
	take := func(n int) (part []byte) {
		client, server := block[:n:n], block[n:2*n:2*n]
		block = block[2*n:]
		if side == wire.Client {
			return client
		}
		return server
	}
	mac := take(MACLen(s))
	key := take(s.Cipher.KeyLen)
	return Keys{key, take(IVLen(v, s)), mac}
}

// MACLen is how long a suite's MAC key is: as its MAC.
func MACLen(s *suite.Suite) int {
	if s.MAC == nil {
		return 0
	}
	return s.MAC.Len
}

// IVLen is how much of an IV comes with the keys: a block of CBC while records
// have none of their own.
func IVLen(v wire.Version, s *suite.Suite) int {
	if chains(v) {
		return s.Cipher.BlockLen
	}
	return s.Cipher.FixedIVLen
}

// KeysRef is where the RFC of a version makes keys of its secrets.
func KeysRef(v wire.Version) string {
	if v >= wire.TLS13 {
		return "RFC 8446 §7.3"
	}
	return refsOf[v].keys
}

// chains: up to TLS 1.0 the IV of a record is the end of the one before.
// RFC 2246 §6.2.3.2.
func chains(v wire.Version) bool { return v < wire.TLS11 }
