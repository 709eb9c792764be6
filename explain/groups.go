package explain

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/bits"

	"github.com/vitrine-tls/vitrine/wire"
)

// knownPrimes names the primes of Diffie-Hellman groups that many use, by their
// SHA-256. All have the generator 2.
var knownPrimes = map[string]string{
	"b52ba6a3026520a6c49d37e4587601801bee500123b3259b6bf03e7cecc3e63d": "MODP-768 of RFC 2409",
	"3f35a3f5f6c4376a744acad409bb22f8d897f949d2311d885adaa890981b67a0": "MODP-1024 of RFC 2409",
	"64fcc83ec403930bf18393dbc883ccaa1fbb08ac876f77f7aa99748ca945019b": "MODP-1536 of RFC 3526",
	"d66436f79bbd6b2e38c0ffbd079be904d2641415e2e67140e09448be9a60890e": "MODP-2048 of RFC 3526",
	"48cf8b092fbce4359d9871abf74f98e25b6163379eaa15cd9087e800c6d1c55c": "MODP-3072 of RFC 3526",
	"4ee95187682bcb230ad26a95205f6920e84708f6251b3894329b09ec23919e33": "MODP-4096 of RFC 3526",
	"d1bfe6d0925ce7e4da262b62861514a7755e35831e429f343e7b864848657efd": "MODP-6144 of RFC 3526",
	"39ab4feab950a3128fb71accb9fc3965d857012e081998a85996e3ea8b3c3bcf": "MODP-8192 of RFC 3526",
	"9cd3b7f336872f46c09428d1bbc19877a4d440512cda8d1c1cf0cd6e33698966": "ffdhe2048 of RFC 7919",
	"0eaf67db3a839156d5013494a5318a772b5697d270d721f37f092efc69ea5a17": "ffdhe3072 of RFC 7919",
	"4648414224ac881b3d0dc59b466f96d06a558278776807797ecf1f66ff397b3e": "ffdhe4096 of RFC 7919",
	"227ac9066b3ddd9e193670cda2388fa884f65ba0cf98b742d1fe77a6687c79c7": "ffdhe6144 of RFC 7919",
	"770b14efaf6f049929c523113b3fa99a8d11dab1b18af3609590122075d19833": "ffdhe8192 of RFC 7919",
}

// dhBits is the length of a prime, in bits.
func dhBits(p []byte) int {
	p = bytes.TrimLeft(p, "\x00")
	if len(p) == 0 {
		return 0
	}
	return 8*len(p) - bits.LeadingZeros8(p[0])
}

// dhGroup names a group: by its RFC, or as one that somebody has made.
func dhGroup(p, g []byte) string {
	sum := sha256.Sum256(bytes.TrimLeft(p, "\x00"))
	name, known := knownPrimes[hex.EncodeToString(sum[:])]
	if known && bytes.Equal(bytes.TrimLeft(g, "\x00"), []byte{2}) {
		return name
	}
	return fmt.Sprintf("a group of the server's own, %d bits", dhBits(p))
}

// groupOf names the group of a ServerKeyExchange; empty where it has none.
func groupOf(p *wire.ServerKeyExchange) string {
	switch {
	case p.P != nil:
		return dhGroup(p.P, p.G)
	case p.Group != 0:
		return p.Group.String()
	}
	return ""
}
