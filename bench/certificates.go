package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
)

// chainKinds are the kinds of key of which there is a chain of three certificates.
var chainKinds = map[string]func() (crypto.Signer, error){"ecdsa": newECDSA, "rsa2048": newRSA}

// writeChains makes for each kind a file with leaf and intermediate, one with the root
// and, for lists, one with the intermediate's key.
func writeChains(dir string) error {
	for kind, generate := range chainKinds {
		var parent *x509.Certificate
		var signer crypto.Signer
		var chain []byte
		for _, name := range []string{"root", "intermediate", "leaf"} {
			key, err := generate()
			if err != nil {
				return err
			}
			c := template("vitrine bench " + name + " of " + kind)
			if name == "leaf" {
				c.DNSNames, c.KeyUsage = []string{serverName}, x509.KeyUsageDigitalSignature
				c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
			} else {
				c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
			}
			if parent == nil {
				parent, signer = c, key
			}
			der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
			if err != nil {
				return err
			}
			if parent, err = x509.ParseCertificate(der); err != nil {
				return err
			}
			signer = key
			if name == "root" {
				err = os.WriteFile(filepath.Join(dir, "chain-"+kind+"-root.pem"), block("CERTIFICATE", der), 0o600)
			} else {
				chain = append(block("CERTIFICATE", der), chain...)
			}
			if name == "intermediate" && err == nil {
				var keyDER []byte
				if keyDER, err = x509.MarshalPKCS8PrivateKey(key); err == nil {
					err = os.WriteFile(filepath.Join(dir, "chain-"+kind+"-key.pem"), block("PRIVATE KEY", keyDER), 0o600)
				}
			}
			if err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "chain-"+kind+".pem"), chain, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// readBlocks returns what is in the PEM blocks of a file.
func readBlocks(dir, name string) (ders [][]byte, err error) {
	rest, err := os.ReadFile(filepath.Join(dir, name))
	for b := (*pem.Block)(nil); err == nil; {
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		ders = append(ders, b.Bytes)
	}
	return ders, err
}

// revokedSerial is the number of the i-th certificate on a list. The order of the list is
// not that of the numbers.
func revokedSerial(i int) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
	sum[0] = sum[0]&0x3f | 0x40
	return sum[:16]
}

// listFile is the name of a list with n entries.
func listFile(n int) string { return fmt.Sprintf("list-%d.der", n) }

// writeList makes a CRL with n entries by the intermediate of the ECDSA chain, unless there
// is one.
func writeList(dir string, n int) error {
	if _, err := os.Stat(filepath.Join(dir, listFile(n))); err == nil {
		return nil
	}
	keyDER, err := readBlocks(dir, "chain-ecdsa-key.pem")
	chain, chainErr := readBlocks(dir, "chain-ecdsa.pem")
	if err = errors.Join(err, chainErr); err != nil {
		return err
	}
	key, err := x509.ParsePKCS8PrivateKey(keyDER[0])
	issuer, issuerErr := x509.ParseCertificate(chain[1])
	if err = errors.Join(err, issuerErr); err != nil {
		return err
	}
	now := time.Now().UTC()
	at := now.Format("060102150405Z")
	entries := make([]byte, 0, 35*n)
	for i := range n { // SEQUENCE { INTEGER, UTCTime }
		entries = append(append(entries, 0x30, 33, 2, 16), revokedSerial(i)...)
		entries = append(append(entries, 0x17, 13), at...)
	}
	algorithm := asn1.RawValue{FullBytes: []byte{0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2}} // ECDSA with SHA-256
	tbs, err := asn1.Marshal(struct {
		Version         int
		Algorithm, Name asn1.RawValue
		This, Next      time.Time `asn1:"utc"`
		Revoked         asn1.RawValue
	}{1, algorithm, asn1.RawValue{FullBytes: issuer.RawSubject}, now.Add(-time.Minute), now.Add(24 * time.Hour),
		asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: entries}})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(tbs)
	signature, err := key.(crypto.Signer).Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return err
	}
	der, err := asn1.Marshal(struct {
		List, Algorithm asn1.RawValue
		Signature       asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, listFile(n)), der, 0o600)
}

// entries is how many a job's list has: a number, or "most".
func (j job) entries() int {
	if j.text("entries") == "most" {
		return j.number("most")
	}
	return j.number("entries")
}

// timed calls f for the job's ms milliseconds, at least once, and counts. The first round
// warms up.
func timed(j job, f func(i int) error) (figures, error) {
	end := time.Now().Add(time.Duration(j.number("ms")) * time.Millisecond)
	m, n := startMeter(), 0
	for n == 0 || time.Now().Before(end) {
		if err := f(n); err != nil {
			return nil, err
		}
		n++
	}
	out := m.stop()
	out["n"] = float64(n)
	return out, nil
}

// verifyChain measures reading a chain of three and verifying it, its root at hand.
func verifyChain(stack, dir string, j job) (figures, error) {
	chain, err := readBlocks(dir, "chain-"+j.text("cert")+".pem")
	rootDER, rootErr := readBlocks(dir, "chain-"+j.text("cert")+"-root.pem")
	if err = errors.Join(err, rootErr); err != nil {
		return nil, err
	}
	root, err := x509.ParseCertificate(rootDER[0])
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	if stack == vitrineName {
		return timed(j, func(int) error {
			certs, err := certcheck.Parse(chain)
			if err == nil {
				_, err = certcheck.Verify(context.Background(), certs, certcheck.Options{Roots: roots, Name: serverName, Anew: !j.flag("warm")})
			}
			return err
		})
	}
	return timed(j, func(int) error {
		leaf, err := x509.ParseCertificate(chain[0])
		intermediate, err2 := x509.ParseCertificate(chain[1])
		if err = errors.Join(err, err2); err != nil {
			return err
		}
		between := x509.NewCertPool()
		between.AddCert(intermediate)
		_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: serverName})
		return err
	})
}

// searchList measures reading a CRL, or finding a certificate on it.
func searchList(stack, dir string, j job) (figures, error) {
	entries := j.entries()
	der, err := os.ReadFile(filepath.Join(dir, listFile(entries)))
	if err != nil {
		return nil, err
	}
	switch {
	case j.text("do") == "parse":
		f, err := timed(j, func(int) error {
			var err error
			if stack == vitrineName {
				_, err = revocation.ParseCRL(der)
			} else {
				_, err = x509.ParseRevocationList(der)
			}
			return err
		})
		if err == nil {
			f["bytes"] = f["n"] * float64(len(der))
		}
		return f, err
	case stack == vitrineName:
		return findOurs(dir, der, entries, j)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	return timed(j, func(i int) error {
		serial := new(big.Int).SetBytes(revokedSerial(i * 7919 % entries))
		for e := range list.RevokedCertificateEntries {
			if list.RevokedCertificateEntries[e].SerialNumber.Cmp(serial) == 0 {
				return nil
			}
		}
		return errors.New("not found")
	})
}

// findOurs asks the list as a verification does, which knows its signature already.
func findOurs(dir string, der []byte, entries int, j job) (figures, error) {
	chain, err := readBlocks(dir, "chain-ecdsa.pem")
	if err != nil {
		return nil, err
	}
	issuer, err := x509.ParseCertificate(chain[1])
	list, listErr := revocation.ParseCRL(der)
	if err = errors.Join(err, listErr); err != nil {
		return nil, err
	}
	now := time.Now()
	ask := func(i int) error {
		c := &x509.Certificate{SerialNumber: new(big.Int).SetBytes(revokedSerial(i * 7919 % entries))}
		a, err := list.About(c, issuer, nil, now, revocation.Skew)
		if err == nil && a.Status != revocation.Revoked {
			err = errors.New("not found")
		}
		return err
	}
	if err := ask(0); err != nil { // the signature is verified once
		return nil, err
	}
	return timed(j, ask)
}
