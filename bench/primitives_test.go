package main

import (
	"crypto"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
)

// What is done is counted in every lane, and a failure in one is the job's.
func TestInLanes(t *testing.T) {
	var calls atomic.Int64
	f, err := inLanes(parseJob("x lanes=3 ms=1"), 5, func() error { calls.Add(1); return nil })
	if err != nil || f["n"] < 15 || int64(f["n"]) != calls.Load()-1 { // one warms up
		t.Errorf("%v calls, counted %v, %v", calls.Load(), f["n"], err)
	}
	calls.Store(0)
	broken := errors.New("broken")
	_, err = inLanes(parseJob("x lanes=3 ms=60000"), 5, func() error {
		if calls.Add(1) > 7 {
			return broken
		}
		return nil
	})
	if err != broken {
		t.Errorf("the lanes failed with %v", err)
	}
}

// Each stack opens what each has sealed, and neither what somebody has changed.
func TestAEADsAgree(t *testing.T) {
	nonce, key := make([]byte, 12), make([]byte, 32)
	for name, keyLen := range map[string]int{"aes128gcm": 16, "aes256gcm": 32, "chacha20": 32} {
		for sealer := range primitivesOf {
			for opener := range primitivesOf {
				seal, err := primitivesOf[sealer].aead[name](key[:keyLen])
				open, err2 := primitivesOf[opener].aead[name](key[:keyLen])
				if err := errors.Join(err, err2); err != nil {
					t.Fatal(err)
				}
				sealed := seal.Seal(nil, nonce, []byte("a record"), recordHeader)
				if got, err := open.Open(nil, nonce, sealed, recordHeader); err != nil || string(got) != "a record" {
					t.Errorf("%s of %s, opened by %s: %q, %v", name, sealer, opener, got, err)
				}
				sealed[0]++
				if _, err := open.Open(nil, nonce, sealed, recordHeader); err == nil {
					t.Errorf("%s: %s opened what is not a record", name, opener)
				}
			}
		}
	}
}

// A signature that does not verify ends the job: nothing wrong is measured.
func TestSignaturesAreVerified(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"ecdsa", "rsa2048"} {
		if err := writeSigner(dir, name); err != nil {
			t.Fatal(err)
		}
		key, err := readSigner(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		for stack, p := range primitivesOf {
			sig, err := p.sign(key, signed[:], optionsFor(key))
			if err == nil {
				err = p.verifySigned(key, sig)
			}
			if err != nil {
				t.Errorf("%s, %s: %v", stack, name, err)
			}
			sig[len(sig)-1]++
			if p.verifySigned(key, sig) == nil {
				t.Errorf("%s, %s: a wrong signature verifies", stack, name)
			}
		}
		again, err := readSigner(dir, name)
		if err := errors.Join(err, writeSigner(dir, name)); err != nil || !sameKey(key, again) {
			t.Errorf("%s: the key was made anew, %v", name, err)
		}
	}
}

// A stack without a group, or a cipher, says so.
func TestPrimitivesThatAreMissing(t *testing.T) {
	var cannot unsupported
	if _, err := agreeing(stdName, "", parseJob("agree group=ffdhe2048")); !errors.As(err, &cannot) {
		t.Errorf("ffdhe2048 of crypto/tls: %v", err)
	}
	if _, err := sealing(stdName, "", parseJob("aead cipher=rot13 size=64")); !errors.As(err, &cannot) || !strings.Contains(err.Error(), "rot13") {
		t.Errorf("rot13: %v", err)
	}
}

func sameKey(a, b crypto.Signer) bool {
	k, ok := a.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b.Public())
}
