package kex

import (
	"bytes"
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 DHE_DSS suites have no other key
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"strconv"
	"testing"
	"time"
)

type dssVector struct {
	name               string
	pkcs8, plain       []byte
	public             *dsa.PublicKey
	sha1Sig, sha256Sig []byte
}

// dssVectors are OpenSSL's, see testdata/dss.sh.
func dssVectors(t testing.TB) (all []dssVector) {
	for _, f := range fields(t, "dss.txt") {
		key, err := x509.ParsePKIXPublicKey(unhex(f[4]))
		if err != nil {
			t.Fatal(err)
		}
		v := dssVector{f[0] + "/" + f[1], unhex(f[2]), unhex(f[3]), key.(*dsa.PublicKey), unhex(f[5]), unhex(f[6])}
		if p, q := strconv.Itoa(v.public.P.BitLen()), strconv.Itoa(v.public.Q.BitLen()); p != f[0] || q != f[1] {
			t.Fatalf("the key of %s has %s and %s bits", v.name, p, q)
		}
		if oid, _ := asn1.Marshal(oidDSA); !bytes.Contains(v.pkcs8, oid) || bytes.Contains(v.plain, oid) {
			t.Fatalf("the two forms of the key of %s are not what they should be", v.name)
		}
		all = append(all, v)
	}
	return all
}

var dssWords = []byte("a vitrine is a glass case")

func TestVerifyDSS(t *testing.T) {
	d1, d2 := sha1.Sum(dssWords), sha256.Sum256(dssWords)
	for _, v := range dssVectors(t) {
		if err := VerifyDSS(v.public, d1[:], v.sha1Sig); err != nil {
			t.Errorf("%s: SHA-1: %v", v.name, err)
		}
		if err := VerifyDSS(v.public, d2[:], v.sha256Sig); err != nil {
			t.Errorf("%s: SHA-256: %v", v.name, err)
		}
		if VerifyDSS(v.public, d2[:], v.sha1Sig) == nil || VerifyDSS(v.public, d1[:], v.sha256Sig) == nil {
			t.Errorf("%s: the signature of another digest verifies", v.name)
		}
		other := d1
		other[19] ^= 1
		if VerifyDSS(v.public, other[:], v.sha1Sig) == nil {
			t.Errorf("%s: the signature of another message verifies", v.name)
		}
		for i := range v.sha1Sig {
			bad := bytes.Clone(v.sha1Sig)
			bad[i] ^= 0x10
			if VerifyDSS(v.public, d1[:], bad) == nil {
				t.Errorf("%s: the signature verifies with another byte %d", v.name, i)
			}
		}
	}
}

func TestVerifyDSSMalformed(t *testing.T) {
	digest := sha1.Sum(dssWords)
	v := dssVectors(t)[0]
	sig := func(r, s *big.Int) []byte {
		der, err := asn1.Marshal(dssSigValue{r, s})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	var good dssSigValue
	if _, err := asn1.Unmarshal(v.sha1Sig, &good); err != nil {
		t.Fatal(err)
	}
	zero, one, q := new(big.Int), big.NewInt(1), v.public.Q
	for name, bad := range map[string][]byte{
		"nothing":          nil,
		"an empty value":   {0x30, 0},
		"one number":       {0x30, 3, 2, 1, 1},
		"three numbers":    {0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1},
		"a byte too many":  append(bytes.Clone(v.sha1Sig), 0),
		"a byte too few":   v.sha1Sig[:len(v.sha1Sig)-1],
		"r is 0":           sig(zero, good.S),
		"s is 0":           sig(good.R, zero),
		"both are 0":       sig(zero, zero),
		"both are 1":       sig(one, one),
		"r is q":           sig(q, good.S),
		"s is q":           sig(good.R, q),
		"s is above q":     sig(good.R, new(big.Int).Add(good.S, q)),
		"r is negative":    sig(new(big.Int).Neg(good.R), good.S),
		"s is negative":    sig(good.R, new(big.Int).Sub(good.S, q)),
		"a huge r":         sig(new(big.Int).Lsh(one, 1<<16), good.S),
		"not a number":     {0x30, 6, 4, 1, 1, 4, 1, 1},
		"not minimal":      append([]byte{0x30, v.sha1Sig[1] + 1, 2, v.sha1Sig[3] + 1, 0}, v.sha1Sig[4:]...),
		"raw, swapped":     append(good.S.FillBytes(make([]byte, 20)), good.R.FillBytes(make([]byte, 20))...),
		"raw, too short":   append(good.R.FillBytes(make([]byte, 20)), good.S.Bytes()[1:]...),
		"raw, too long":    append(good.R.FillBytes(make([]byte, 20)), good.S.FillBytes(make([]byte, 21))...),
		"raw zeros":        make([]byte, 40),
		"an empty integer": {0x30, 4, 2, 0, 2, 0},
	} {
		if VerifyDSS(v.public, digest[:], bad) == nil {
			t.Errorf("%s: verifies", name)
		}
	}
	raw := append(good.R.FillBytes(make([]byte, 20)), good.S.FillBytes(make([]byte, 20))...)
	if err := VerifyDSS(v.public, digest[:], raw); err != nil {
		t.Errorf("the two numbers side by side: %v", err)
	}
	if VerifyDSS(v.public, nil, v.sha1Sig) == nil {
		t.Error("no digest: verifies")
	}
}

// A certificate may hold any numbers; none may panic, verify or take long.
func TestHostileDSAKeys(t *testing.T) {
	digest := sha1.Sum(dssWords)
	v := dssVectors(t)[0]
	huge := new(big.Int).Lsh(big.NewInt(1), 1<<20)
	huge.SetBit(huge, 0, 1)
	minus := new(big.Int).Neg(v.public.P)
	even := new(big.Int).Sub(v.public.P, big.NewInt(1))
	start := time.Now()
	for name, change := range map[string]func(*dsa.PublicKey){
		"no p":        func(k *dsa.PublicKey) { k.P = nil },
		"no q":        func(k *dsa.PublicKey) { k.Q = nil },
		"no g":        func(k *dsa.PublicKey) { k.G = nil },
		"no y":        func(k *dsa.PublicKey) { k.Y = nil },
		"p is 0":      func(k *dsa.PublicKey) { k.P = new(big.Int) },
		"q is 0":      func(k *dsa.PublicKey) { k.Q = new(big.Int) },
		"g is 0":      func(k *dsa.PublicKey) { k.G = new(big.Int) },
		"y is 0":      func(k *dsa.PublicKey) { k.Y = new(big.Int) },
		"g is 1":      func(k *dsa.PublicKey) { k.G = big.NewInt(1) },
		"y is 1":      func(k *dsa.PublicKey) { k.Y = big.NewInt(1) },
		"p negative":  func(k *dsa.PublicKey) { k.P = minus },
		"q negative":  func(k *dsa.PublicKey) { k.Q = new(big.Int).Neg(k.Q) },
		"g negative":  func(k *dsa.PublicKey) { k.G = minus },
		"y negative":  func(k *dsa.PublicKey) { k.Y = minus },
		"g is p":      func(k *dsa.PublicKey) { k.G = k.P },
		"y is p":      func(k *dsa.PublicKey) { k.Y = k.P },
		"p is even":   func(k *dsa.PublicKey) { k.P = even },
		"q is even":   func(k *dsa.PublicKey) { k.Q = new(big.Int).Sub(k.Q, big.NewInt(1)) },
		"p of 1023":   func(k *dsa.PublicKey) { k.P = new(big.Int).Rsh(k.P, 1); k.P.SetBit(k.P, 0, 1) },
		"a huge p":    func(k *dsa.PublicKey) { k.P = huge },
		"a huge q":    func(k *dsa.PublicKey) { k.Q = huge },
		"a huge g":    func(k *dsa.PublicKey) { k.G = huge },
		"a huge y":    func(k *dsa.PublicKey) { k.Y = huge },
		"all huge":    func(k *dsa.PublicKey) { k.P, k.Q, k.G, k.Y = huge, huge, huge, huge },
		"q is p":      func(k *dsa.PublicKey) { k.Q = k.P },
		"q of 159":    func(k *dsa.PublicKey) { k.Q = new(big.Int).Rsh(k.Q, 1); k.Q.SetBit(k.Q, 0, 1) },
		"another q":   func(k *dsa.PublicKey) { k.Q = new(big.Int).Add(k.Q, big.NewInt(2)) },
		"composite p": func(k *dsa.PublicKey) { k.P = new(big.Int).Add(k.P, big.NewInt(2)) },
	} {
		key := *v.public
		change(&key)
		if VerifyDSS(&key, digest[:], v.sha1Sig) == nil {
			t.Errorf("%s: verifies", name)
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestDSSKey(t *testing.T) {
	digests := [][]byte{make([]byte, 20), make([]byte, 32)}
	rand.Read(digests[0])
	rand.Read(digests[1])
	for _, v := range dssVectors(t) {
		for form, der := range map[string][]byte{"PKCS #8": v.pkcs8, "OpenSSL's": v.plain} {
			key, err := ParseDSSKey(der)
			if err != nil {
				t.Errorf("%s, %s: %v", v.name, form, err)
				continue
			}
			var signer crypto.Signer = key
			if public, ok := signer.Public().(*dsa.PublicKey); !ok || public.Y.Cmp(v.public.Y) != 0 || public.P.Cmp(v.public.P) != 0 || public.Q.Cmp(v.public.Q) != 0 || public.G.Cmp(v.public.G) != 0 {
				t.Errorf("%s, %s: the public key is %v", v.name, form, signer.Public())
			}
			for _, d := range digests {
				sig, err := signer.Sign(rand.Reader, d, crypto.SHA1)
				if err != nil {
					t.Fatal(err)
				}
				if err := VerifyDSS(v.public, d, sig); err != nil {
					t.Errorf("%s, %s: our signature of %d bytes: %v", v.name, form, len(d), err)
				}
			}
		}
	}
}

func TestParseDSSKeyRefuses(t *testing.T) {
	v := dssVectors(t)[0]
	rsaDER, err := x509.MarshalPKCS8PrivateKey(rsaKey())
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseDSSKey(v.plain)
	if err != nil {
		t.Fatal(err)
	}
	with := func(p, q, g, x *big.Int) []byte {
		der, err := asn1.Marshal(openSSLKey{0, p, q, g, k.key.Y, x})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	p, q, g, x := k.key.P, k.key.Q, k.key.G, k.key.X
	if _, err := ParseDSSKey(with(p, q, g, x)); err != nil {
		t.Errorf("the key itself: %v", err)
	}
	var content pkcs8Key
	if _, err := asn1.Unmarshal(v.pkcs8, &content); err != nil {
		t.Fatal(err)
	}
	content.Key = []byte{4, 1, 7} // an OCTET STRING
	wrapped, err := asn1.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	for name, der := range map[string][]byte{
		"nothing":               nil,
		"not DER":               []byte("-----BEGIN"),
		"an RSA key":            rsaDER,
		"an RSA key, PKCS #1":   x509.MarshalPKCS1PrivateKey(rsaKey()),
		"a byte too many":       append(bytes.Clone(v.plain), 0),
		"PKCS #8, and one more": append(bytes.Clone(v.pkcs8), 0),
		"x is 0":                with(p, q, g, new(big.Int)),
		"x is q":                with(p, q, g, q),
		"x is negative":         with(p, q, g, new(big.Int).Neg(x)),
		"g is 1":                with(p, q, big.NewInt(1), x),
		"p is 0":                with(new(big.Int), q, g, x),
		"a huge p":              with(new(big.Int).Lsh(p, 10000), q, g, x),
		"q negative":            with(p, new(big.Int).Neg(q), g, x),
		"a small q":             with(p, big.NewInt(7), g, big.NewInt(3)),
		"PKCS #8 without x":     wrapped,
	} {
		if key, err := ParseDSSKey(der); err == nil || key != nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// With a group in which every power of g is a multiple of q there is no
// signature; that must be an error, and soon.
func TestDSSKeyThatCannotSign(t *testing.T) {
	q := new(big.Int).SetBit(big.NewInt(1), 159, 1)
	p := new(big.Int).Mul(q, new(big.Int).SetBit(big.NewInt(1), 1000, 1))
	key, err := newDSSKey(p, q, q, big.NewInt(5))
	if err != nil {
		t.Fatal(err)
	}
	if sig, err := key.Sign(rand.Reader, make([]byte, 20), nil); err == nil || sig != nil {
		t.Errorf("signed %x", sig)
	}
}

func FuzzVerifyDSS(f *testing.F) {
	words := sha1.Sum([]byte("other words"))
	if k, err := ParseDSSKey(dssVectors(f)[0].plain); err != nil {
		f.Fatal(err)
	} else if sig, err := k.Sign(rand.Reader, words[:], nil); err != nil {
		f.Fatal(err)
	} else {
		f.Add(sig)
	}
	f.Add([]byte{0x30, 6, 2, 1, 1, 2, 1, 1})
	f.Fuzz(func(t *testing.T, sig []byte) {
		v := dssVectors(t)[0]
		digest := sha1.Sum(dssWords)
		if VerifyDSS(v.public, digest[:], sig) == nil {
			t.Errorf("%x verifies", sig)
		}
	})
}

func FuzzParseDSSKey(f *testing.F) {
	for _, v := range dssVectors(f) {
		f.Add(v.plain)
		f.Add(v.pkcs8)
	}
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := ParseDSSKey(der)
		if err == nil {
			_, err = key.Sign(rand.Reader, make([]byte, 20), nil)
		}
		_ = err // that nothing panics or hangs
	})
}
