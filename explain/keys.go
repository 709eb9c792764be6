package explain

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// keys checks the keys of one direction against the secret they come from.
func (hs *handshake) keys(k *Keys) {
	s := suite.ByID(k.raw.Suite)
	parent := hs.known(k.Secret)
	var derived recompute.Keys
	switch {
	case s == nil:
		k.Check = differ("cannot be re-derived: cipher suite %v is not known here", k.raw.Suite)
		return
	case parent == nil:
		k.Check = differ("%q, which they are made from, was not reported", k.Secret)
		return
	case k.raw.Version >= wire.TLS13:
		derived = recompute.TrafficKeys(s, parent.Value)
		k.Formula = fmt.Sprintf(`key = HKDF-Expand-Label(%s, "key", "", %d); iv = HKDF-Expand-Label(%[1]s, "iv", "", %d)`,
			k.Secret, s.Cipher.KeyLen, s.Cipher.FixedIVLen)
	default:
		master := hs.known("master_secret")
		if master == nil {
			k.Check = differ("cannot be re-derived: master_secret was not reported")
			return
		}
		client, server := hs.randoms()
		block := recompute.KeyBlock(hs.version, s, master.Value, client, server)
		derived = recompute.CutKeyBlock(hs.version, s, block, k.from)
		k.Formula = "cut from key_block, as " + cutOrder(s, hs.version, k.from)
	}
	k.Ref = recompute.KeysRef(k.raw.Version)
	if k.withheld() {
		k.Check = Check{Given, "not re-derived: " + k.lack}
		return
	}
	k.derived = &derived
	if !derived.Equal(recompute.Keys{Key: k.Key, IV: k.IV, MAC: k.MAC}) {
		k.Check = differ("re-derived, they are key %s iv %s mac %s", Hex(derived.Key), Hex(derived.IV), Hex(derived.MAC))
		return
	}
	k.Check = agree("re-derived: the same keys")
}

func cutOrder(s *suite.Suite, v wire.Version, side wire.Role) string {
	var parts []string
	for _, x := range []struct {
		name string
		n    int
	}{{"write_MAC_key", recompute.MACLen(s)}, {"write_key", s.Cipher.KeyLen}, {"write_IV", recompute.IVLen(v, s)}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%v_%s[%d]", side, x.name, x.n))
		}
	}
	return strings.Join(parts, ", ")
}
