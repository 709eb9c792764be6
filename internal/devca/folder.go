package devca

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
)

// The folder's files. Certificate and key stand in one file, so that two
// processes that start together can never mix one's key with the other's
// certificate; ca.pem is a copy of the public half.
const (
	caFile   = "ca.pem"     // what a client trusts
	keyFile  = "ca-key.pem" // the authority: certificate and key, 0600
	leafFile = "leaf.pem"   // the server's certificate and key, 0600
	// The intermediate, where there is one: certificate and key, 0600.
	intermediateFile = "intermediate.pem"

	// renewBefore is the rest of its life at which a certificate is replaced.
	renewBefore = 30 * 24 * time.Hour
)

// Open returns the authority kept in dir, and makes folder (0700) and authority
// where there is none or it is about to expire; created says so, for then
// clients must be told to trust it. The host's own name is permitted beside
// those of [New]. An authority that clients may trust is never replaced in silence:
// if its key is gone, or ca.pem is another's, that is an error.
func Open(dir string) (ca *CA, created bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, err
	}
	ca, err = load(dir)
	if err == nil && time.Until(ca.Cert.NotAfter) < renewBefore && !ca.managed() {
		err = retire(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		if err := keyIsGone(dir); err != nil {
			return nil, false, err
		}
		ca, created, err = create(dir)
	}
	if err != nil {
		return nil, false, err
	}
	return ca, created, ca.publish()
}

// retire removes an authority that is about to expire; fs.ErrNotExist says that it did.
func retire(dir string) error {
	for _, name := range []string{caFile, keyFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fs.ErrNotExist
}

// keyIsGone is an error where an authority's certificate is there and its key is not.
// A key comes before its certificate, so it is looked for again: another process may
// have made both meanwhile.
func keyIsGone(dir string) error {
	ca, key := filepath.Join(dir, caFile), filepath.Join(dir, keyFile)
	if _, err := os.Stat(ca); err != nil {
		return nil
	}
	if _, err := os.Stat(key); err == nil {
		return nil
	}
	return fmt.Errorf("%s is there, but its key %s is gone: bring the key back; or delete %s to have a new authority made, which every client must then trust anew", ca, keyFile, caFile)
}

// File returns the path of the certificate to trust; empty for an authority in
// memory.
func (ca *CA) File() string {
	if ca.dir == "" {
		return ""
	}
	return filepath.Join(ca.dir, caFile)
}

// ServerCertificate returns the kept certificate for names, or issues one where
// there is none, it is about to expire, or it lacks a name. Names which the
// authority does not permit are left out. An authority in memory keeps nothing.
func (ca *CA) ServerCertificate(names ...string) (tls.Certificate, error) {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !ca.Permits(n) })
	if ca.dir == "" {
		return ca.Issue(Leaf{Names: names})
	}
	path := filepath.Join(ca.dir, leafFile)
	cert, key, err := readPair(path)
	if err == nil && ca.stillGood(cert, names) {
		kept := tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
		if ca.intermediate != nil {
			kept.Certificate = append(kept.Certificate, ca.intermediate.cert.Raw)
		}
		return kept, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return tls.Certificate{}, err
	}
	issued, err := ca.Issue(Leaf{Names: names})
	if err != nil {
		return tls.Certificate{}, err
	}
	tmp, err := writePair(ca.dir, issued.Leaf, issued.PrivateKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	return issued, os.Rename(tmp, path)
}

func (ca *CA) stillGood(cert *x509.Certificate, names []string) bool {
	if time.Until(cert.NotAfter) < renewBefore || issuedBy(cert, ca.issuer().cert) != nil {
		return false
	}
	for _, name := range names {
		if cert.VerifyHostname(name) != nil {
			return false
		}
	}
	return true
}

func load(dir string) (*CA, error) {
	cert, key, err := readPair(filepath.Join(dir, keyFile))
	if err != nil {
		return nil, err
	}
	ca := &CA{Cert: cert, key: key, dir: dir}
	cert, key, err = readPair(filepath.Join(dir, intermediateFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ca, nil
	case err != nil:
		return nil, err
	}
	if err := issuedBy(cert, ca.Cert); err != nil {
		return nil, fmt.Errorf("%s is not of the authority in %s: put the file back that belongs to it: %w", filepath.Join(dir, intermediateFile), keyFile, err)
	}
	ca.intermediate = &issuer{cert, key}
	return ca, nil
}

// create makes an authority for this host. Where another process was faster the
// other's is taken: a hard link, unlike a rename, never replaces a file.
func create(dir string) (*CA, bool, error) {
	host, _ := os.Hostname() // without a name there is one name fewer
	ca, err := New(host)
	if err != nil {
		return nil, false, err
	}
	tmp, err := writePair(dir, ca.Cert, ca.key)
	if err != nil {
		return nil, false, err
	}
	defer os.Remove(tmp)
	err = os.Link(tmp, filepath.Join(dir, keyFile))
	if errors.Is(err, fs.ErrExist) {
		ca, err = load(dir)
		return ca, false, err
	}
	ca.dir = dir
	return ca, true, err
}

// publish writes the public half where clients look for it.
func (ca *CA) publish() error {
	have, _ := os.ReadFile(ca.File())
	switch block, _ := pem.Decode(have); {
	case block == nil: // nobody can trust it
	case bytes.Equal(block.Bytes, ca.Cert.Raw):
		return nil
	default:
		return fmt.Errorf("%s is not the certificate of %s: put the file back that belongs to the key; or delete %s to have it written anew, which every client must then trust", ca.File(), keyFile, caFile)
	}
	tmp, err := os.CreateTemp(ca.dir, "new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(ca.PEM())
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Close())
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), ca.File())
}

// writePair writes certificate and key to a new file, which os.CreateTemp makes
// readable to its owner only.
func writePair(dir string, cert *x509.Certificate, key crypto.PrivateKey) (name string, err error) {
	der, err := MarshalKey(key)
	if err != nil {
		return "", err
	}
	tmp, err := os.CreateTemp(dir, "new-*")
	if err != nil {
		return "", err
	}
	err = errors.Join(
		pem.Encode(tmp, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}),
		pem.Encode(tmp, &pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		tmp.Sync(),
		tmp.Close())
	if err != nil {
		os.Remove(tmp.Name())
	}
	return tmp.Name(), err
}

// remedies are for files that are damaged.
var remedies = map[string]string{
	keyFile:  "bring it back from a copy, or delete the folder to start anew with an authority that every client must trust",
	leafFile: "delete it and a new one is made",

	intermediateFile: "bring it back from a copy, or delete the folder to start anew with an authority that every client must trust",
}

// readPair reads what writePair wrote, and refuses a key that others can read.
func readPair(path string) (*x509.Certificate, crypto.Signer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, nil, fmt.Errorf("%s holds a private key that others on this machine can read (mode %#o): delete the folder to start anew, or run chmod 600 on the file if nobody did", path, info.Mode().Perm())
	}
	cert, key, err := loadPair(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is damaged; %s: %w", path, remedies[filepath.Base(path)], err)
	}
	return cert, key, nil
}

// loadPair is tls.LoadX509KeyPair, for keys of ML-DSA too.
func loadPair(path string) (*x509.Certificate, crypto.Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	pair, err := tls.X509KeyPair(text, text)
	if err == nil {
		return pair.Leaf, pair.PrivateKey.(crypto.Signer), nil
	}
	first, rest := pem.Decode(text)
	second, _ := pem.Decode(rest)
	if first == nil || second == nil {
		return nil, nil, err
	}
	cert, certErr := x509.ParseCertificate(first.Bytes)
	key, keyErr := otherkeys.ParsePrivate(second.Bytes)
	if certErr == nil && keyErr == nil {
		if key = otherkeys.Pair(key, otherkeys.Of(cert)); key != nil {
			return cert, key, nil
		}
	}
	return nil, nil, err
}
