package explain

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// keySet are the keys of one direction.
type keySet struct {
	key, iv, mac []byte
}

// keys checks the keys of one direction against the secret they come from.
func (hs *handshake) keys(k *Keys) {
	s := suite.ByID(k.raw.Suite)
	parent := hs.known(k.Secret)
	var derived keySet
	switch {
	case s == nil:
		k.Check = differ("cannot be re-derived: cipher suite %v is not known here", k.raw.Suite)
		return
	case parent == nil:
		k.Check = differ("%q, which they are made from, was not reported", k.Secret)
		return
	case k.raw.Version >= wire.TLS13:
		derived = trafficKeys(s, parent.Value)
		k.Ref = "RFC 8446 §7.3"
		k.Formula = fmt.Sprintf(`key = HKDF-Expand-Label(%s, "key", "", %d); iv = HKDF-Expand-Label(%[1]s, "iv", "", %d)`,
			k.Secret, s.Cipher.KeyLen, s.Cipher.FixedIVLen)
	default:
		block, err := hs.keyBlock(s)
		if err != nil {
			k.Check = differ("cannot be re-derived: %v", err)
			return
		}
		derived = cutKeyBlock(s, hs.version, block, k.from)
		k.Ref = refsOf[hs.version].keys
		k.Formula = "cut from key_block, as " + cutOrder(s, hs.version, k.from)
	}
	k.derived = &derived
	if !bytes.Equal(derived.key, k.Key) || !bytes.Equal(derived.iv, k.IV) || !bytes.Equal(derived.mac, k.MAC) {
		k.Check = differ("re-derived, they are key %s iv %s mac %s", Hex(derived.key), Hex(derived.iv), Hex(derived.mac))
		return
	}
	k.Check = agree("re-derived: the same keys")
}

func trafficKeys(s *suite.Suite, secret []byte) keySet {
	return keySet{
		key: expandLabel(s.Hash, secret, "key", nil, s.Cipher.KeyLen),
		iv:  expandLabel(s.Hash, secret, "iv", nil, s.Cipher.FixedIVLen),
	}
}

// keyBlock computes the key block again, from the master secret.
func (hs *handshake) keyBlock(s *suite.Suite) ([]byte, error) {
	master := hs.known("master_secret")
	if master == nil {
		return nil, errors.New("master_secret was not reported")
	}
	client, server := hs.randoms()
	n := 2 * (macLen(s) + s.Cipher.KeyLen + ivLen(s, hs.version))
	return prf(hs.version, s.Hash, master.Value, "key expansion", slices.Concat(server, client), n), nil
}

func macLen(s *suite.Suite) int {
	if s.MAC == nil {
		return 0
	}
	return s.MAC.Len
}

// ivLen is how much of an IV comes with the keys: a block of CBC while records
// have none of their own.
func ivLen(s *suite.Suite, v wire.Version) int {
	if chains(v) {
		return s.Cipher.BlockLen
	}
	return s.Cipher.FixedIVLen
}

// cutKeyBlock takes the keys of one side out of the block: client before
// server, MAC keys before keys before IVs. RFC 5246 §6.3.
func cutKeyBlock(s *suite.Suite, v wire.Version, block []byte, side wire.Role) keySet {
	take := func(n int) (part []byte) {
		client, server := block[:n:n], block[n:2*n:2*n]
		block = block[2*n:]
		if side == wire.Client {
			return client
		}
		return server
	}
	mac := take(macLen(s))
	key := take(s.Cipher.KeyLen)
	return keySet{key, take(ivLen(s, v)), mac}
}

func cutOrder(s *suite.Suite, v wire.Version, side wire.Role) string {
	var parts []string
	for _, x := range []struct {
		name string
		n    int
	}{{"write_MAC_key", macLen(s)}, {"write_key", s.Cipher.KeyLen}, {"write_IV", ivLen(s, v)}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%v_%s[%d]", side, x.name, x.n))
		}
	}
	return strings.Join(parts, ", ")
}
