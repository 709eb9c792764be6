package record

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"hash"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

var errNoCipher = errors.New("not in this build")

// customCBC is an AES with a CBC mode of its own, as an accelerator may bring
// one, and that mode takes no new IV.
type customCBC struct{ cipher.Block }

func (c customCBC) NewCBCEncrypter(iv []byte) cipher.BlockMode {
	return struct{ cipher.BlockMode }{cipher.NewCBCEncrypter(c.Block, iv)}
}

func (c customCBC) NewCBCDecrypter(iv []byte) cipher.BlockMode {
	return struct{ cipher.BlockMode }{cipher.NewCBCDecrypter(c.Block, iv)}
}

// A cipher that cannot be built, as DES in FIPS 140 mode, makes each record an
// error of our own, which says why. Nothing is sealed, nothing counted.
func TestCipherThatCannotBeBuilt(t *testing.T) {
	noAEAD, noBlock, noStream, custom := *suite.ByID(wire.TLS_AES_128_GCM_SHA256).Cipher, *cipherAES, *cipherRC4, *cipherAES
	noAEAD.AEAD = func([]byte) (cipher.AEAD, error) { return nil, errNoCipher }
	noBlock.Block = func([]byte) (cipher.Block, error) { return nil, errNoCipher }
	noStream.Stream = func([]byte) (cipher.Stream, error) { return nil, errNoCipher }
	custom.Block = func(key []byte) (cipher.Block, error) {
		b, err := aes.NewCipher(key)
		return customCBC{b}, err
	}
	aead := *suite.ByID(wire.TLS_AES_128_GCM_SHA256)
	aead.Cipher = &noAEAD
	aead12 := *suite.ByID(wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
	aead12.Cipher = &suite.Cipher{KeyLen: 16, FixedIVLen: 4, ExplicitNonceLen: 8, TagLen: 16, AEAD: noAEAD.AEAD}
	const prefix = "record: the cipher cannot be built: "
	for name, test := range map[string]struct {
		protectedCase
		want string
	}{
		"AEAD of TLS 1.3":    {newCase(&aead, wire.TLS13, false), prefix + "not in this build"},
		"AEAD of TLS 1.2":    {newCase(&aead12, wire.TLS12, false), prefix + "not in this build"},
		"CBC":                {newCase(legacySuite(&noBlock, macSHA1, wire.SSL30), wire.TLS12, false), prefix + "not in this build"},
		"encrypt-then-MAC":   {newCase(legacySuite(&noBlock, macSHA1, wire.SSL30), wire.TLS12, true), prefix + "not in this build"},
		"stream":             {newCase(legacySuite(&noStream, macSHA1, wire.SSL30), wire.TLS12, false), prefix + "not in this build"},
		"CBC that keeps its": {newCase(legacySuite(&custom, macSHA1, wire.SSL30), wire.TLS12, false), prefix + "CBC takes no new IV"},
	} {
		t.Run(name, func(t *testing.T) {
			h := keyed(test.p)
			rec, sealErr := h.Seal([]byte("dst"), wire.ContentHandshake, wire.TLS12, []byte("content"), 0)
			_, content, _, openErr := h.Open(mustSeal(t, new(Half), wire.ContentApplicationData, make([]byte, 64), 0))
			for _, err := range []error{sealErr, openErr} {
				wantAlert(t, err, wire.AlertInternalError)
				if err.Error() != test.want {
					t.Errorf("%q, want %q", err, test.want)
				}
			}
			if string(rec) != "dst" || content != nil || h.Seq() != 0 {
				t.Errorf("%q and %q came out, and the next record is number %d", rec, content, h.Seq())
			}
			if test.want == prefix+errNoCipher.Error() && !errors.Is(sealErr, errNoCipher) {
				t.Error("the cause is not to be had")
			}
		})
	}
}

// What the peer did wrong is said with where the rule stands.
func TestErrorsNameTheirRule(t *testing.T) {
	_, _, _, err := keyed(cases()[0].p).Open(mustSeal(t, new(Half), wire.ContentApplicationData, nil, 0))
	const want = "record: the record does not open: it was damaged, or sealed with other keys (RFC 8446 §5.2, RFC 5246 §7.2.2)"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// forgetful is a hash that fails to give its state at call give, or to take it.
type forgetful struct {
	statefulHash
	give int
}

func (f *forgetful) AppendBinary(b []byte) ([]byte, error) {
	if f.give--; f.give == 0 {
		return nil, errNoCipher
	}
	return f.statefulHash.AppendBinary(b)
}

func (f *forgetful) UnmarshalBinary(b []byte) error {
	if f.give < 0 {
		return errNoCipher
	}
	return f.statefulHash.UnmarshalBinary(b)
}

// A hash that gives or takes no state is seen when the keys are set up, so that
// no record is judged by a MAC that is not one.
func TestHMACCTNeedsWorkingState(t *testing.T) {
	for what, give := range map[string]int{"the inner state": 1, "the outer state": 2, "to be put back": 0} {
		h := *suite.SHA256
		h.New = func() hash.Hash { return &forgetful{suite.SHA256.New().(statefulHash), give} }
		_, err := newHMACCT(macTLS, &h, nil)
		if !errors.Is(err, errNoCipher) {
			t.Errorf("%s: %v", what, err)
			continue
		}
		wantAlert(t, err, wire.AlertInternalError)
	}
}
