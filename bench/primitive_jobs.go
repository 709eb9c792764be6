package main

import (
	"crypto"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// signers are the keys of the jobs sign and check; those of RSA take seconds to make,
// and so each is made for the row that needs it.
var signers = map[string]func() (crypto.Signer, error){
	"ecdsa":   newECDSA,
	"rsa2048": newRSA,
	"rsa3072": func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 3072) },
	"rsa4096": func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 4096) },
}

func signerFile(dir, name string) string { return filepath.Join(dir, "sign-"+name+".pem") }

// writeSigner makes the key, unless a row before has done so.
func writeSigner(dir, name string) error {
	file := signerFile(dir, name)
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	key, err := signers[name]()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(file, block("PRIVATE KEY", der), 0o600)
}

func readSigner(dir, name string) (crypto.Signer, error) {
	text, err := os.ReadFile(signerFile(dir, name))
	if err != nil {
		return nil, err
	}
	der, _ := pem.Decode(text)
	if der == nil {
		return nil, fmt.Errorf("no PEM in the key %s", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(der.Bytes)
	if err != nil {
		return nil, err
	}
	return key.(crypto.Signer), nil
}

// inLanes does something again and again for the job's ms milliseconds, in each of its
// lanes, and looks at the clock after times of them.
func inLanes(j job, times int, do func() error) (figures, error) {
	lanes := max(1, j.number("lanes"))
	counts, errs := make([]int, lanes), make([]error, lanes)
	if err := do(); err != nil { // warms up
		return nil, err
	}
	end := time.Now().Add(time.Duration(j.number("ms")) * time.Millisecond)
	m := startMeter()
	var running sync.WaitGroup
	for i := range lanes {
		running.Go(func() {
			for counts[i] == 0 || time.Now().Before(end) {
				for range times {
					if errs[i] = do(); errs[i] != nil {
						return
					}
				}
				counts[i] += times
			}
		})
	}
	running.Wait()
	f := m.stop()
	for i, err := range errs {
		if err != nil {
			return nil, err
		}
		f["n"] += float64(counts[i])
	}
	return f, nil
}

// recordHeader is a record's additional data in TLS 1.3, whatever it says.
var recordHeader = []byte{23, 3, 3, 0, 0}

// sealing measures an AEAD over size bytes, as in a record: sealed in place, or opened
// into other memory.
func sealing(stack, _ string, j job) (figures, error) {
	build := primitivesOf[stack].aead[j.text("cipher")]
	if build == nil {
		return nil, unsupported(stack + " has no " + j.text("cipher"))
	}
	keyLen := 32
	if strings.HasPrefix(j.text("cipher"), "aes128") {
		keyLen = 16
	}
	aead, err := build(make([]byte, keyLen))
	if err != nil {
		return nil, err
	}
	size := j.number("size")
	plain, nonce := make([]byte, size, size+aead.Overhead()), make([]byte, aead.NonceSize())
	do := func() error {
		nonce[0]++ // each record has its own
		aead.Seal(plain[:0], nonce, plain, recordHeader)
		return nil
	}
	if j.text("do") == "open" {
		do = opening(aead, plain, nonce)
	}
	times := max(1, 16<<10/size)
	f, err := inLanes(j, times, do)
	if err == nil {
		f["bytes"] = f["n"] * float64(size)
	}
	return f, err
}

func opening(aead cipher.AEAD, plain, nonce []byte) func() error {
	sealed := aead.Seal(nil, nonce, plain, recordHeader)
	return func() error {
		_, err := aead.Open(plain[:0], nonce, sealed, recordHeader)
		return err
	}
}

// signing measures signatures of a handshake; check measures what verifies them.
func signing(stack, dir string, j job) (figures, error) {
	key, err := readSigner(dir, j.text("key"))
	if err != nil {
		return nil, err
	}
	sign, opts := primitivesOf[stack].sign, optionsFor(key)
	return inLanes(j, 1, func() error {
		_, err := sign(key, signed[:], opts)
		return err
	})
}

func checking(stack, dir string, j job) (figures, error) {
	key, err := readSigner(dir, j.text("key"))
	if err != nil {
		return nil, err
	}
	sig, err := key.Sign(rand.Reader, signed[:], optionsFor(key))
	if err != nil {
		return nil, err
	}
	return inLanes(j, 1, func() error { return primitivesOf[stack].verifySigned(key, sig) })
}

// agreeing measures key exchanges without TLS.
func agreeing(stack, _ string, j job) (figures, error) {
	begin := primitivesOf[stack].agree[j.text("group")]
	if begin == nil {
		return nil, unsupported(stack + " has no " + j.text("group"))
	}
	do, err := begin()
	if err != nil {
		return nil, err
	}
	return inLanes(j, 1, do)
}
