package otherkeys

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha3"
	"crypto/x509"
	"encoding/asn1"
	"strings"
	"testing"

	"filippo.io/mldsa"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// mldsaNames are the certificates of testdata/make-mldsa.sh that have such keys.
var mldsaNames = map[string]MLDSA{
	"mldsa44": MLDSA44, "mldsa65": MLDSA65, "mldsa87": MLDSA87, "mldsa-ca": MLDSA65, "mldsa-below": MLDSA87, "mldsa-mixed": MLDSA44,
}

// reference is the set for another implementation of FIPS 204, that of Go.
var reference = map[MLDSA]mldsa.Parameters{MLDSA44: mldsa.MLDSA44(), MLDSA65: mldsa.MLDSA65(), MLDSA87: mldsa.MLDSA87()}

func TestMLDSAKeysOfOpenSSL(t *testing.T) {
	for name, set := range mldsaNames {
		c := certificate(t, name)
		public, ok := Of(c).(MLDSAPublicKey)
		if !ok || public.Set != set || Name(c) != set.String() || RSA(c) != nil || !bytes.Equal(public.Info(), c.RawSubjectPublicKeyInfo) {
			t.Fatalf("%s: %v, %q", name, Of(c), Name(c))
		}
		key := private(t, name)
		if Pair(key, public) == nil || Pair(key, MLDSAPublicKey{set%3 + 1, public.bytes}) != nil {
			t.Errorf("%s: the key and the certificate: %v", name, Pair(key, public))
		}
	}
	whole, seed, expanded := private(t, "mldsa44"), private(t, "mldsa44-seed"), private(t, "mldsa44-expanded")
	for _, key := range []crypto.Signer{seed, expanded} {
		if !whole.Public().(MLDSAPublicKey).Equal(key.Public()) {
			t.Error("the three forms of one key are three keys")
		}
	}
	if !bytes.Equal(whole.(*MLDSAPrivateKey).PKCS8(), load(t, "mldsa44-seed-key")) || !bytes.Equal(expanded.(*MLDSAPrivateKey).PKCS8(), load(t, "mldsa44-expanded-key")) {
		t.Error("a key is written otherwise than OpenSSL writes it")
	}
	if c := certificate(t, "slhdsa"); Of(c) != nil || Name(c) != "" {
		t.Errorf("SLH-DSA: %v", Of(c))
	}
}

// What one implementation signs the other verifies, over messages of every length that is
// of interest, and nothing that was changed.
func TestMLDSAAgainstAnotherImplementation(t *testing.T) {
	for set, parameters := range reference {
		seed := make([]byte, MLDSASeedSize)
		rand.Read(seed)
		ours := NewMLDSAKey(set, seed)
		theirs, err := mldsa.NewPrivateKey(parameters, seed)
		if err != nil || !bytes.Equal(theirs.PublicKey().Bytes(), ours.public.Bytes()) || set.SignatureSize() != parameters.SignatureSize() {
			t.Fatalf("%v: the two make different keys of one seed: %v", set, err)
		}
		for _, n := range []int{0, 1, 130, 137, 4096} {
			message := make([]byte, n)
			rand.Read(message)
			sig, err := ours.Sign(nil, message, crypto.Hash(0))
			if err != nil || mldsa.Verify(theirs.PublicKey(), message, sig, nil) != nil {
				t.Errorf("%v: the other refuses our signature: %v", set, err)
			}
			again, err := ours.Sign(nil, message, nil)
			if err != nil || bytes.Equal(sig, again) {
				t.Errorf("%v: two signatures of one message are the same: they are not hedged", set)
			}
			sig, err = theirs.Sign(nil, message, nil)
			if err != nil || !ours.public.Verify(message, sig) {
				t.Errorf("%v: we refuse the other's signature: %v", set, err)
			}
			if ours.public.Verify(append(message, 1), sig) || ours.public.Verify(message, sig[1:]) || ours.public.Verify(message, append(sig, 0)) {
				t.Errorf("%v: a signature of something else verifies", set)
			}
			for range 20 {
				at := make([]byte, 2)
				rand.Read(at)
				changed := bytes.Clone(sig)
				changed[(int(at[0])<<8|int(at[1]))%len(sig)] ^= 1 << (at[0] & 7)
				if ours.public.Verify(message, changed) {
					t.Errorf("%v: a changed signature verifies", set)
				}
			}
		}
		contextual, err := theirs.Sign(nil, []byte("m"), &mldsa.Options{Context: "x"})
		if err != nil || ours.public.Verify([]byte("m"), contextual) {
			t.Errorf("%v: a signature with a context verifies without: %v", set, err)
		}
		if _, err := ours.Sign(nil, make([]byte, 32), crypto.SHA256); err == nil {
			t.Errorf("%v signed a hash", set)
		}
	}
}

// mldsaForm is a private key with what stands in its OCTET STRING.
func mldsaForm(set MLDSA, key []byte) []byte { return pkcs8(0, mldsaSets[set-1].oid, nil, key) }

func seedForm(seed []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(mldsaSeedTag, func(b *cryptobyte.Builder) { b.AddBytes(seed) })
	return b.BytesOrPanic()
}

func bothForm(seed, expanded []byte, tail ...byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(seed)
		b.AddASN1OctetString(expanded)
		b.AddBytes(tail)
	})
	return b.BytesOrPanic()
}

func t0Size(set MLDSA) int {
	return (mldsaSets[set-1].short - mldsaSets[set-1].columns) * coefficients * t0Bits / 8
}

// A private key that is not whole is refused, with a reason for people.
func TestDamagedMLDSAKeys(t *testing.T) {
	for set := range reference {
		seed, other := bytes.Repeat([]byte{7}, MLDSASeedSize), bytes.Repeat([]byte{8}, MLDSASeedSize)
		expand := func(seed []byte) []byte {
			b, err := NewMLDSAKey(set, seed).key.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		whole := expand(seed)
		changed := func(at int, to byte) []byte {
			b := bytes.Clone(whole)
			b[at] = to
			return octets(b)
		}
		for name, form := range map[string][]byte{"seed": seedForm(seed), "expanded": octets(whole), "both": bothForm(seed, whole)} {
			key, err := ParsePrivate(mldsaForm(set, form))
			if err != nil || !key.Public().(MLDSAPublicKey).Equal(NewMLDSAKey(set, seed).public) {
				t.Errorf("%v, %s: %v", set, name, err)
			}
		}
		last := len(whole) - 1
		for name, v := range map[string]struct {
			form []byte
			want string
		}{
			"a short seed":                {seedForm(seed[1:]), "a seed of 32 bytes, an expanded key, or both"},
			"no seed":                     {seedForm(nil), "a seed of 32 bytes"},
			"a bare seed":                 {seed, "a seed of 32 bytes"},
			"bytes behind a seed":         {append(seedForm(seed), 0), "a seed of 32 bytes"},
			"nothing":                     {nil, "a seed of 32 bytes"},
			"a short expanded key":        {octets(whole[1:]), "an expanded key"},
			"a long expanded key":         {octets(append(bytes.Clone(whole), 0)), "an expanded key"},
			"both, and more":              {bothForm(seed, whole, 5, 0), "or both"},
			"the seed of another":         {bothForm(other, whole), "of two different keys"},
			"the expanded of another":     {bothForm(seed, expand(other)), "of two different keys"},
			"a coefficient out of range":  {changed(128, 0xff), "coefficients that no key has"},
			"the last one out of range":   {changed(127+mldsaSets[set-1].short*256*int(mldsaSets[set-1].bits)/8, 0xff), "coefficients that no key has"},
			"another rho":                 {changed(0, whole[0]^1), "does not fit its own public key"},
			"another hash of the public":  {changed(64, whole[64]^1), "does not fit its own public key"},
			"another secret coefficient":  {changed(128, whole[128]&^7|(whole[128]&7+1)%5), "does not fit its own public key"},
			"the last of t0":              {changed(last, whole[last]^0x80), "does not fit its own public key"},
			"the first of t0":             {changed(len(whole)-t0Size(set), whole[len(whole)-t0Size(set)]^1), "does not fit its own public key"},
			"a public key of another set": {octets(make([]byte, 2560+1472*(int(set)%3))), ""},
		} {
			key, err := ParsePrivate(mldsaForm(set, v.form))
			if err == nil || key != nil || !strings.Contains(err.Error(), v.want) {
				t.Errorf("%v, %s: %v, %v", set, name, key, err)
			}
		}
		if _, err := ParsePrivate(pkcs8(0, mldsaSets[set-1].oid, asn1NULL, seedForm(seed))); err == nil {
			t.Errorf("%v: parameters are taken", set)
		}
	}
}

func TestMLDSAPublicKeysToTheLetter(t *testing.T) {
	for set, parameters := range reference {
		size, id := parameters.PublicKeySize(), mldsaSets[set-1].oid
		if _, err := ParsePublic(spki(id, nil, make([]byte, size))); err != nil {
			t.Error(err)
		}
		for name, der := range map[string][]byte{
			"parameters": spki(id, asn1NULL, make([]byte, size)), "too long": spki(id, nil, make([]byte, size+1)),
			"too short": spki(id, nil, make([]byte, size-1)), "empty": spki(id, nil, nil),
			"bits that are left over": spki(id, nil, make([]byte, size))[:0],
		} {
			if key, err := ParsePublic(der); err == nil || key != nil {
				t.Errorf("%v, %s: %v", set, name, key)
			}
		}
	}
	neighbour := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 32} // HashML-DSA-44, which certificates do not have
	if _, err := ParsePublic(spki(neighbour, nil, make([]byte, 1312))); err == nil {
		t.Error("HashML-DSA is read as ML-DSA")
	}
}

// The keys of RFC 9881's examples: the seed 00, 01, ... 1f, by their hashes as two
// implementations have them.
func TestMLDSASeedOfRFC9881(t *testing.T) {
	seed := make([]byte, MLDSASeedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	for set, parameters := range reference {
		theirs, err := mldsa.NewPrivateKey(parameters, seed)
		if err != nil {
			t.Fatal(err)
		}
		expanded, _ := NewMLDSAKey(set, seed).key.MarshalBinary()
		if got := sha3.SumSHAKE256(theirs.PublicKey().Bytes(), 64); !bytes.Equal(got, expanded[64:128]) {
			t.Errorf("%v: the two differ", set)
		}
	}
}

// longestSeed is more than any of the seeds has: a certificate of ML-DSA-87.
const longestSeed = 8 << 10

func FuzzMLDSA(f *testing.F) {
	for name := range mldsaNames {
		f.Add(certificate(f, name).Raw)
		f.Add(load(f, name+"-key"))
	}
	f.Add(load(f, "mldsa44-seed-key"))
	f.Add(load(f, "mldsa44-expanded-key"))
	f.Add(certificate(f, "slhdsa").Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		if len(der) > longestSeed {
			return // what is longer only takes longer
		}
		if c, err := x509.ParseCertificate(der); err == nil {
			if key, ok := Of(c).(MLDSAPublicKey); ok {
				signed := key.Verify(c.RawTBSCertificate, c.Signature)
				theirs, err := mldsa.NewPublicKey(reference[key.Set], key.bytes)
				if err != nil || signed != (mldsa.Verify(theirs, c.RawTBSCertificate, c.Signature, nil) == nil) {
					t.Errorf("the two implementations differ: %v, %v", signed, err)
				}
			}
		}
		key, err := ParsePrivate(der)
		if ours, ok := key.(*MLDSAPrivateKey); ok && err == nil {
			sig, err := ours.Sign(nil, der, nil)
			if err != nil || !ours.public.Verify(der, sig) {
				t.Errorf("its own signature does not verify: %v", err)
			}
			if again, err := ParsePrivate(ours.PKCS8()); err != nil || Pair(again, ours.public) == nil {
				t.Errorf("what it writes is another key: %v", err)
			}
		}
	})
}
