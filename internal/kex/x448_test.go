package kex

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"
)

// prime448 is 2^448 - 2^224 - 1.
var prime448 = func() *big.Int {
	p := new(big.Int).Lsh(big.NewInt(1), 448)
	p.Sub(p, new(big.Int).Lsh(big.NewInt(1), 224))
	return p.Sub(p, big.NewInt(1))
}()

// little448 is v as 56 bytes, the lowest first.
func little448(v *big.Int) []byte {
	b := v.FillBytes(make([]byte, 56))
	slices.Reverse(b)
	return b
}

// lowOrder448 are the points that give the all-zero secret, in every encoding: 0, 1
// and p-1, and what is the same modulo p.
func lowOrder448() (points [][]byte) {
	for _, v := range []*big.Int{big.NewInt(0), big.NewInt(1), new(big.Int).Sub(prime448, big.NewInt(1)), prime448, new(big.Int).Add(prime448, big.NewInt(1))} {
		points = append(points, little448(v))
	}
	return points
}

// bigMult448 is the ladder of RFC 7748 §5, by its letter.
func bigMult448(scalar, point []byte) []byte {
	mod := func(v *big.Int) *big.Int { return v.Mod(v, prime448) }
	mul := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Mul(a, b)) }
	add := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Add(a, b)) }
	sub := func(a, b *big.Int) *big.Int { return mod(new(big.Int).Sub(a, b)) }
	number := func(b []byte) *big.Int {
		b = bytes.Clone(b)
		slices.Reverse(b)
		return new(big.Int).SetBytes(b)
	}
	k := number(scalar)
	k.SetBit(k.SetBit(k.SetBit(k, 0, 0), 1, 0), 447, 1)
	x1 := mod(number(point))
	x2, z2, x3, z3 := big.NewInt(1), big.NewInt(0), x1, big.NewInt(1)
	for t := 447; t >= 0; t-- {
		one := k.Bit(t) == 1
		if one {
			x2, x3, z2, z3 = x3, x2, z3, z2
		}
		a, b, c, d := add(x2, z2), sub(x2, z2), add(x3, z3), sub(x3, z3)
		aa, bb, da, cb := mul(a, a), mul(b, b), mul(d, a), mul(c, b)
		e := sub(aa, bb)
		x3 = mul(add(da, cb), add(da, cb))
		z3 = mul(x1, mul(sub(da, cb), sub(da, cb)))
		x2, z2 = mul(aa, bb), mul(e, add(aa, mul(big.NewInt(39081), e)))
		if one {
			x2, x3, z2, z3 = x3, x2, z3, z2
		}
	}
	return little448(mul(x2, new(big.Int).Exp(z2, new(big.Int).Sub(prime448, big.NewInt(2)), prime448)))
}

// bigX448 is a key of a peer that has math/big alone.
func bigX448() (share []byte, finish func(peer []byte) []byte) {
	scalar := make([]byte, 56)
	rand.Read(scalar)
	return bigMult448(scalar, little448(big.NewInt(5))), func(peer []byte) []byte { return bigMult448(scalar, peer) }
}

// mult448 is our product; all zeros where it is refused.
func mult448(scalar, point []byte) []byte {
	secret, err := (*x448Key)(scalar).finish(nil, point)
	if err != nil {
		return make([]byte, 56)
	}
	return secret
}

func TestX448OfRFC7748(t *testing.T) {
	for _, v := range []struct{ scalar, point, want string }{ // §5.2
		{"3d262fddf9ec8e88495266fea19a34d28882acef045104d0d1aae121700a779c984c24f8cdd78fbff44943eba368f54b29259a4f1c600ad3",
			"06fce640fa3487bfda5f6cf2d5263f8aad88334cbd07437f020f08f9814dc031ddbdc38c19c6da2583fa5429db94ada18aa7a7fb4ef8a086",
			"ce3e4ff95a60dc6697da1db1d85e6afbdf79b50a2412d7546d5f239fe14fbaadeb445fc66a01b0779d98223961111e21766282f73dd96b6f"},
		{"203d494428b8399352665ddca42f9de8fef600908e0d461cb021f8c538345dd77c3e4806e25f46d3315c44e0a5b4371282dd2c8d5be3095f",
			"0fbcc2f993cd56d3305b0b7d9e55d4c1a8fb5dbb52f8e9a1e9b6201b165d015894e56c4d3570bee52fe205e28a78b91cdfbde71ce8d157db",
			"884a02576239ff7a2f2f63b2db6a9ff37047ac13568e1e30fe63c4a7ad1b3ee3a5700df34321d62077e63633c575c1c954514e99da7c179d"},
	} {
		if got := hex.EncodeToString(mult448(unhex(v.scalar), unhex(v.point))); got != v.want {
			t.Errorf("%s times %s is %s, want %s", v.scalar, v.point, got, v.want)
		}
	}
	k, u := little448(big.NewInt(5)), little448(big.NewInt(5)) // §5.2, iterated
	for i := 1; i <= 1000; i++ {
		k, u = mult448(k, u), k
		want := map[int]string{
			1:    "3f482c8a9f19b01e6c46ee9711d9dc14fd4bf67af30765c2ae2b846a4d23a8cd0db897086239492caf350b51f833868b9bc2b3bca9cf4113",
			1000: "aa3b4749d55b9daf1e5b00288826c467274ce3ebbdd5c17b975e09d4af6c67cf10d087202db88286e2b79fceea3ec353ef54faa26e219f38",
		}[i]
		if want != "" && hex.EncodeToString(k) != want {
			t.Errorf("after %d iterations %x, want %s", i, k, want)
		}
	}
	const ( // §6.2
		alice       = "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b"
		alicePublic = "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0"
		bob         = "1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d6927c120bb5ee8972b0d3e21374c9c921b09d1b0366f10b65173992d"
		bobPublic   = "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609"
		shared      = "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c24403085d59a449a5037514a879d"
	)
	base := little448(big.NewInt(5))
	for _, c := range []struct{ name, scalar, point, want string }{
		{"Alice's public key", alice, hex.EncodeToString(base), alicePublic},
		{"Bob's public key", bob, hex.EncodeToString(base), bobPublic},
		{"Alice's secret", alice, bobPublic, shared},
		{"Bob's secret", bob, alicePublic, shared},
	} {
		if got := hex.EncodeToString(mult448(unhex(c.scalar), unhex(c.point))); got != c.want {
			t.Errorf("%s is %s, want %s", c.name, got, c.want)
		}
	}
}

// Ours and the ladder of the RFC agree on any scalar and point, also on points that
// are on the twist or not canonical.
func TestX448AgreesWithTheLadder(t *testing.T) {
	points := append(lowOrder448(), bytes.Repeat([]byte{0xff}, 56))
	for range 10 {
		p := make([]byte, 56)
		rand.Read(p)
		points = append(points, p)
	}
	for _, p := range points {
		scalar := make([]byte, 56)
		rand.Read(scalar)
		if got, want := mult448(scalar, p), bigMult448(scalar, p); !bytes.Equal(got, want) {
			t.Errorf("%x times %x is %x, want %x", scalar, p, got, want)
		}
	}
}
