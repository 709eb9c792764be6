package interop

import (
	"encoding/asn1"
	"fmt"
	"math/big"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// dhPrime is a prime of a well-known group of generator 2, made as its RFC
// makes it, so that it is not copied from the table under test:
// 2^bits - 2^(bits-64) + 2^64 * ([2^(bits-130) * constant] + plus) - 1.
type dhPrime struct {
	bits     uint
	constant func(bits uint) *big.Int
	plus     int64
}

// ownPrimes are RFC 2409's and RFC 3526's, whose constant is pi: parameters
// that a server has of its own, since they are not among RFC 7919's.
var ownPrimes = map[int]dhPrime{
	1024: {1024, pi, 129093},
	2048: {2048, pi, 124476},
	3072: {3072, pi, 1690314},
}

// groupPrimes are RFC 7919's, whose constant is e.
var groupPrimes = map[wire.NamedGroup]dhPrime{
	wire.GroupFFDHE2048: {2048, e, 560316},
	wire.GroupFFDHE3072: {3072, e, 2625351},
	wire.GroupFFDHE4096: {4096, e, 5736041},
}

func (d dhPrime) prime() *big.Int {
	one := big.NewInt(1)
	p := new(big.Int).Add(d.constant(d.bits-130), big.NewInt(d.plus))
	p.Lsh(p, 64)
	p.Add(p, new(big.Int).Lsh(one, d.bits))
	p.Sub(p, new(big.Int).Lsh(one, d.bits-64))
	return p.Sub(p, one)
}

// guard are bits that make up for the rounding of the terms of a series.
const guard = 64

// e is [2^bits * e], the sum of 1/k!.
func e(bits uint) *big.Int {
	sum, term := new(big.Int), new(big.Int).Lsh(big.NewInt(1), bits+guard)
	for k := int64(1); term.Sign() > 0; k++ {
		sum.Add(sum, term)
		term.Div(term, big.NewInt(k))
	}
	return sum.Rsh(sum, guard)
}

// pi is [2^bits * pi], as 16 arctan(1/5) - 4 arctan(1/239).
func pi(bits uint) *big.Int {
	arctan := func(times, x int64) *big.Int {
		sum, power := new(big.Int), new(big.Int).Lsh(big.NewInt(times), bits+guard)
		power.Div(power, big.NewInt(x))
		for k := int64(1); power.Sign() != 0; k += 2 {
			sum.Add(sum, new(big.Int).Quo(power, big.NewInt(k)))
			power.Quo(power, big.NewInt(-x*x))
		}
		return sum
	}
	sum := new(big.Int).Sub(arctan(16, 5), arctan(4, 239))
	return sum.Rsh(sum, guard)
}

func TestPrimes(t *testing.T) {
	check := func(d dhPrime) {
		p := d.prime()
		if p.BitLen() != int(d.bits) || !p.ProbablyPrime(1) || !new(big.Int).Rsh(p, 1).ProbablyPrime(1) {
			t.Errorf("%d bits, plus %d: not a safe prime", d.bits, d.plus)
		}
	}
	for _, d := range ownPrimes {
		check(d)
	}
	for _, d := range groupPrimes {
		check(d)
	}
}

// dhFile is the file with the parameters of a cell, for a peer's server.
func (p *pki) dhFile(c cell) string { return p.file(fmt.Sprintf("dh-%s-%d.pem", c.Group, c.DH)) }

// writeDH writes all parameters as PKCS #3 has them.
func (p *pki) writeDH() error {
	write := func(c cell, d dhPrime) error {
		der, err := asn1.Marshal(struct{ P, G *big.Int }{d.prime(), big.NewInt(2)})
		if err != nil {
			return err
		}
		return writePEM(p.dhFile(c), "DH PARAMETERS", der)
	}
	for bits, d := range ownPrimes {
		if err := write(cell{DH: bits}, d); err != nil {
			return err
		}
	}
	for group, d := range groupPrimes {
		if err := write(cell{Group: group}, d); err != nil {
			return err
		}
	}
	return nil
}
