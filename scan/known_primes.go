package scan

import (
	"encoding/hex"
	"math/big"
	"sync"
)

// knownPrimes are moduli that many servers share, by their hexadecimal digits: those of
// RFC 2409 and RFC 3526, which are made by one formula of pi.
var knownPrimes = sync.OnceValue(func() map[string]string {
	named := map[string]string{}
	for _, row := range []struct {
		name string
		bits uint
		add  int64
	}{
		{"RFC 2409 group 1", 768, 149686}, {"RFC 2409 group 2", 1024, 129093}, {"RFC 3526 group 5", 1536, 741804},
		{"RFC 3526 group 14", 2048, 124476}, {"RFC 3526 group 15", 3072, 1690314}, {"RFC 3526 group 16", 4096, 240904},
		{"RFC 3526 group 17", 6144, 929484}, {"RFC 3526 group 18", 8192, 4743158},
	} {
		named[hex.EncodeToString(piPrime(row.bits, row.add).Bytes())] = row.name
	}
	return named
})

// piPrime is 2^n - 2^(n-64) - 1 + 2^64 * ([2^(n-130) pi] + add). RFC 3526 §2.
func piPrime(n uint, add int64) *big.Int {
	one := big.NewInt(1)
	pow := func(e uint) *big.Int { return new(big.Int).Lsh(one, e) }
	middle := new(big.Int).Add(scaledPi(n-130), big.NewInt(add))
	p := pow(n)
	p.Sub(p, pow(n-64)).Sub(p, one)
	return p.Add(p, middle.Lsh(middle, 64))
}

// scaledPi is the whole part of 2^bits pi, by Machin's formula: pi/4 = 4 arctan(1/5) -
// arctan(1/239).
func scaledPi(bits uint) *big.Int {
	const guard = 64
	unit := new(big.Int).Lsh(big.NewInt(1), bits+guard)
	arctan := func(x int64) *big.Int {
		sum, term, square := new(big.Int), new(big.Int).Div(unit, big.NewInt(x)), big.NewInt(x*x)
		for k := int64(1); term.Sign() != 0; k += 2 {
			part := new(big.Int).Div(term, big.NewInt(k))
			if k%4 == 1 {
				sum.Add(sum, part)
			} else {
				sum.Sub(sum, part)
			}
			term.Div(term, square)
		}
		return sum
	}
	pi := new(big.Int).Mul(arctan(5), big.NewInt(4))
	pi.Sub(pi, arctan(239)).Mul(pi, big.NewInt(4))
	return pi.Rsh(pi, guard)
}
