package otherkeys

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// load reads testdata/NAME.pem, made by testdata/make.sh.
func load(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	return block.Bytes
}

func certificate(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(load(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func private(t testing.TB, name string) crypto.Signer {
	t.Helper()
	key, err := ParsePrivate(load(t, name+"-key"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestKeysOfCertificates(t *testing.T) {
	for name, want := range map[string]PSSLimits{
		"pss": {}, "pss1024": {}, "pss256": {crypto.SHA256, 32}, "pss384": {crypto.SHA384, 48}, "pss512": {crypto.SHA512, 20},
		"pss-sha1": {crypto.SHA1, 20}, "pss-salt": {crypto.SHA256, 33}, "pss-ca": {crypto.SHA256, 32},
	} {
		c := certificate(t, name)
		key, ok := Of(c).(*PSSPublicKey)
		if !ok || key.Limits != want || RSA(c) != key.Key && !RSA(c).Equal(key.Key) {
			t.Errorf("%s: %+v, want the limits %v", name, Of(c), want)
			continue
		}
		if own := private(t, name).Public().(*PSSPublicKey); !own.Equal(key) || own.Limits != want {
			t.Errorf("%s: the private key is that of %+v", name, own)
		}
		if got := Name(c); !strings.HasPrefix(got, "RSA-PSS ") {
			t.Errorf("%s is called %q", name, got)
		}
	}
	c := certificate(t, "ed448")
	if key, ok := Of(c).(Ed448PublicKey); !ok || !key.Equal(private(t, "ed448").Public()) || Name(c) != "Ed448" || RSA(c) != nil {
		t.Errorf("Ed448: %v", Of(c))
	}
	if c := certificate(t, "pss-mask"); Of(c) != nil || Name(c) != "" {
		t.Errorf("a key with a mask by another hash: %v", Of(c))
	}
	if c := certificate(t, "rsa"); Of(c) != c.PublicKey || RSA(c) != c.PublicKey || Name(c) != "" {
		t.Errorf("RSA: %v", Of(c))
	}
	if c := certificate(t, "ca"); Of(c) != c.PublicKey || RSA(c) != nil {
		t.Errorf("ECDSA: %v", Of(c))
	}
}

func TestPrivateKeysThatAreNone(t *testing.T) {
	for _, name := range []string{"pss-mask-key", "rsa-key", "ca-key", "pss"} {
		if key, err := ParsePrivate(load(t, name)); err == nil || key != nil {
			t.Errorf("%s was read as %v", name, key)
		}
	}
}

// A key signs what its parameters allow, and nothing else.
func TestLimits(t *testing.T) {
	message := []byte("a vitrine is a glass case")
	digests := map[crypto.Hash][]byte{}
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		sum := h.New()
		sum.Write(message)
		digests[h] = sum.Sum(nil)
	}
	for name, allowed := range map[string][]crypto.Hash{
		"pss": {crypto.SHA256, crypto.SHA384, crypto.SHA512}, "pss256": {crypto.SHA256}, "pss384": {crypto.SHA384}, "pss512": {crypto.SHA512},
		"pss-sha1": nil, "pss-salt": nil,
	} {
		key := private(t, name)
		public := key.Public().(*PSSPublicKey)
		for h, digest := range digests {
			may := slices.Contains(allowed, h)
			sig, err := key.Sign(rand.Reader, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: h})
			if may != (err == nil) {
				t.Errorf("%s over %v: %v", name, h, err)
			}
			if !may { // what somebody else signs with it is not taken either
				sig, err = rsa.SignPSS(rand.Reader, key.(*pssPrivateKey).key, h, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := public.Verify(h, digest, sig); may != (err == nil) {
				t.Errorf("%s over %v: verified with %v", name, h, err)
			}
			sig[len(sig)-1] ^= 1
			if public.Verify(h, digest, sig) == nil {
				t.Errorf("%s over %v: a changed signature verifies", name, h)
			}
		}
		if _, err := key.Sign(rand.Reader, digests[crypto.SHA256], crypto.SHA256); err == nil {
			t.Errorf("%s signed by PKCS #1", name)
		}
		if _, ok := key.(crypto.Decrypter); ok {
			t.Errorf("%s decrypts", name)
		}
	}
	short := &rsa.PSSOptions{SaltLength: 20, Hash: crypto.SHA256}
	if _, err := private(t, "pss256").Sign(rand.Reader, digests[crypto.SHA256], short); err == nil {
		t.Error("a key that wants a salt of 32 bytes signed with one of 20")
	}
	if _, err := private(t, "pss").Sign(rand.Reader, digests[crypto.SHA256], short); err != nil {
		t.Error(err)
	}
}

// RFC 8032 §7.4, "Blank" and "1 octet".
func TestEd448OfRFC8032(t *testing.T) {
	for _, v := range []struct{ seed, public, message, sig string }{
		{"6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b",
			"5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180", "",
			"533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f2b233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd3980" +
				"ff0d2028d4b18a9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4dbb61149f05a7363268c71d95808ff2e652600"},
		{"c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
			"43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c235160627b4c3a9480", "03",
			"26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd77980" +
				"5e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00"},
	} {
		unhex := func(s string) []byte { b, _ := hex.DecodeString(s); return b }
		der := pkcs8(0, oidEd448, nil, octets(unhex(v.seed)))
		key, err := ParsePrivate(der)
		if err != nil {
			t.Fatal(err)
		}
		public := key.Public().(Ed448PublicKey)
		sig, err := key.Sign(rand.Reader, unhex(v.message), crypto.Hash(0))
		if err != nil || hex.EncodeToString(public) != v.public || hex.EncodeToString(sig) != v.sig {
			t.Errorf("%v\npublic %x\nsignature %x", err, public, sig)
		}
		if !public.Verify(unhex(v.message), sig) || public.Verify([]byte("another"), sig) {
			t.Error("verifying is wrong")
		}
		if _, err := key.Sign(rand.Reader, make([]byte, 32), crypto.SHA256); err == nil {
			t.Error("it signed a hash")
		}
	}
}

func octets(b []byte) []byte {
	var out cryptobyte.Builder
	out.AddASN1OctetString(b)
	return out.BytesOrPanic()
}

// pkcs8 makes a private key; tail stands behind the key.
func pkcs8(version int64, id asn1.ObjectIdentifier, parameters, key []byte, tail ...byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(version)
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(id)
			b.AddBytes(parameters)
		})
		b.AddASN1OctetString(key)
		b.AddBytes(tail)
	})
	return b.BytesOrPanic()
}

// spki makes a public key.
func spki(id asn1.ObjectIdentifier, parameters, key []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(id)
			b.AddBytes(parameters)
		})
		b.AddASN1BitString(key)
	})
	return b.BytesOrPanic()
}

// What is not right to the letter is refused, in public and in private keys.
func TestStrictness(t *testing.T) {
	hexed := func(s string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	rsaKey := RSA(certificate(t, "rsa"))
	pkcs1 := x509.MarshalPKCS1PublicKey(rsaKey)
	const sha256id, mgf1 = "300b 0609 608648016503040201", "06 09 2a864886f70d010108"
	good := map[string]struct {
		id             asn1.ObjectIdentifier
		parameters, of string
	}{
		"PSS without parameters":           {oidPSS, "", "rsa"},
		"PSS with the defaults":            {oidPSS, "3000", "rsa"},
		"PSS for SHA-256":                  {oidPSS, "3030 a00d" + sha256id + "a11a 3018" + mgf1 + sha256id + "a203 020120", "rsa"},
		"PSS for SHA-256 with a trailer":   {oidPSS, "3035 a00d" + sha256id + "a11a 3018" + mgf1 + sha256id + "a203 020120 a303 020101", "rsa"},
		"PSS for SHA-256, the hash's NULL": {oidPSS, "3032 a00f 300d 0609 608648016503040201 0500 a11a 3018" + mgf1 + sha256id + "a203 020120", "rsa"},
		"Ed448":                            {oidEd448, "", "ed448"},
	}
	for name, v := range good {
		if _, err := ParsePublic(spki(v.id, hexed(v.parameters), map[string][]byte{"rsa": pkcs1, "ed448": make([]byte, 57)}[v.of])); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, der := range map[string][]byte{
		"nothing":                         nil,
		"something behind":                append(spki(oidPSS, nil, pkcs1), 0),
		"RSA":                             spki(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, []byte{5, 0}, pkcs1),
		"PSS with NULL":                   spki(oidPSS, []byte{5, 0}, pkcs1),
		"PSS with twice":                  spki(oidPSS, hexed("3000 3000"), pkcs1),
		"PSS with something unknown":      spki(oidPSS, hexed("3005 a403 020101"), pkcs1),
		"PSS in another order":            spki(oidPSS, hexed("300a a303 020101 a203 020114"), pkcs1),
		"PSS with a trailer of 2":         spki(oidPSS, hexed("3005 a303 020102"), pkcs1),
		"PSS with a negative salt":        spki(oidPSS, hexed("3005 a203 0201ff"), pkcs1),
		"PSS with an endless salt":        spki(oidPSS, hexed("3007 a205 0203010000"), pkcs1),
		"PSS with the mask's default":     spki(oidPSS, hexed("300f a00d"+sha256id), pkcs1),
		"PSS with an unknown mask":        spki(oidPSS, hexed("300d a10b 3009 0607 2a864886f70d01"), pkcs1),
		"PSS with an unknown hash":        spki(oidPSS, hexed("300f a00d 300b 0609 608648016503040299"), pkcs1),
		"PSS with a hash and something":   spki(oidPSS, hexed("3011 a00f 300d 0609 608648016503040201 3000"), pkcs1),
		"PSS with no key":                 spki(oidPSS, nil, nil),
		"PSS with something behind":       spki(oidPSS, nil, append(slices.Clone(pkcs1), 0)),
		"Ed448 with parameters":           spki(oidEd448, []byte{5, 0}, make([]byte, 57)),
		"Ed448 of 56 bytes":               spki(oidEd448, nil, make([]byte, 56)),
		"bits left over":                  bytes.Replace(spki(oidEd448, nil, make([]byte, 57)), []byte{3, 58, 0}, []byte{3, 58, 1}, 1),
		"a certificate in place of a key": load(t, "pss"),
	} {
		if key, err := ParsePublic(der); err == nil || key != nil {
			t.Errorf("%s: read as %v", name, key)
		}
	}
	seed := octets(make([]byte, 57))
	for name, der := range map[string][]byte{
		"version 2":            pkcs8(2, oidEd448, nil, seed),
		"version -1":           pkcs8(-1, oidEd448, nil, seed),
		"something behind":     append(pkcs8(0, oidEd448, nil, seed), 0),
		"something unknown":    pkcs8(1, oidEd448, nil, seed, 0x82, 1, 0),
		"a bare seed":          pkcs8(0, oidEd448, nil, make([]byte, 57)),
		"a short seed":         pkcs8(0, oidEd448, nil, octets(make([]byte, 56))),
		"a seed and something": pkcs8(0, oidEd448, nil, append(slices.Clone(seed), 0)),
		"with parameters":      pkcs8(0, oidEd448, []byte{5, 0}, seed),
		"PSS with NULL":        pkcs8(0, oidPSS, []byte{5, 0}, seed),
		"PSS without a key":    pkcs8(0, oidPSS, nil, seed),
	} {
		if key, err := ParsePrivate(der); err == nil || key != nil {
			t.Errorf("%s: read as %v", name, key)
		}
	}
	for name, der := range map[string][]byte{
		"attributes":       pkcs8(0, oidEd448, nil, seed, 0xa0, 0),
		"a public key too": pkcs8(1, oidEd448, nil, seed, 0x81, 1, 0),
	} {
		if _, err := ParsePrivate(der); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A pair signs what both allow.
func TestPair(t *testing.T) {
	free, bound := private(t, "pss").(*pssPrivateKey), private(t, "pss256").(*pssPrivateKey)
	limited := func(k *pssPrivateKey, l PSSLimits) *PSSPublicKey { return &PSSPublicKey{k.public.Key, l} }
	for name, v := range map[string]struct {
		key    crypto.Signer
		public crypto.PublicKey
		want   *PSSLimits
	}{
		"both free":            {free, limited(free, PSSLimits{}), &PSSLimits{}},
		"the certificate's":    {free, limited(free, PSSLimits{crypto.SHA384, 48}), &PSSLimits{crypto.SHA384, 48}},
		"the key's":            {bound, limited(bound, PSSLimits{}), &PSSLimits{crypto.SHA256, 32}},
		"the longer salt":      {bound, limited(bound, PSSLimits{crypto.SHA256, 40}), &PSSLimits{crypto.SHA256, 40}},
		"different hashes":     {bound, limited(bound, PSSLimits{crypto.SHA384, 32}), nil},
		"another's":            {free, limited(bound, PSSLimits{}), nil},
		"a plain RSA key":      {free, free.public.Key, nil},
		"Ed448 for PSS":        {private(t, "ed448"), limited(free, PSSLimits{}), nil},
		"Ed448 of another":     {private(t, "ed448"), private(t, "ed448-ca").Public(), nil},
		"a key from elsewhere": {free.key, limited(free, PSSLimits{}), nil},
	} {
		got := Pair(v.key, v.public)
		if v.want == nil {
			if got != nil {
				t.Errorf("%s: they are a pair", name)
			}
			continue
		}
		if got == nil || got.Public().(*PSSPublicKey).Limits != *v.want {
			t.Errorf("%s: %v, want %v", name, got, *v.want)
		}
	}
	if key := private(t, "ed448"); Pair(key, Of(certificate(t, "ed448"))) == nil {
		t.Error("Ed448: no pair")
	}
}

// Whatever is read can be used without a panic, and nothing is read in two ways.
func FuzzKeys(f *testing.F) {
	for _, name := range []string{"pss", "pss256", "pss-sha1", "pss-mask", "ed448", "rsa"} {
		f.Add(certificate(f, name).RawSubjectPublicKeyInfo)
		f.Add(load(f, name+"-key"))
	}
	sum256, sum512 := sha256.Sum256(nil), sha512.Sum512(nil)
	f.Fuzz(func(t *testing.T, der []byte) {
		switch key, err := ParsePublic(der); key := key.(type) {
		case *PSSPublicKey:
			if key.Key.N.BitLen() <= 8192 && key.Verify(crypto.SHA512, sum512[:], make([]byte, key.Key.Size())) == nil {
				t.Error("a signature of zeros verifies")
			}
		case Ed448PublicKey:
			key.Verify(nil, make([]byte, 114))
		case MLDSAPublicKey:
			if key.Verify(nil, make([]byte, key.Set.SignatureSize())) {
				t.Error("a signature of zeros verifies")
			}
		default:
			if err == nil {
				t.Errorf("read as %T", key)
			}
		}
		key, err := ParsePrivate(der)
		if err != nil || key == nil {
			return
		}
		if Pair(key, key.Public()) == nil {
			t.Error("a key is no pair with itself")
		}
		if pss, ok := key.(*pssPrivateKey); ok && pss.key.N.BitLen() <= 8192 {
			opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
			if sig, err := pss.Sign(rand.Reader, sum256[:], opts); err == nil && pss.public.Verify(crypto.SHA256, sum256[:], sig) != nil {
				t.Error("its own signature does not verify")
			}
		}
	})
}
