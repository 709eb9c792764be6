package certstore

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// held is one pair: what was read of it, and its staple.
type held struct {
	Pair
	load   func(cert, key string) (tls.Certificate, error) // tls.LoadX509KeyPair
	cert   *tls.Certificate                                // never changed, but replaced
	seen   [2]stamp                                        // the files as they were when they were last read
	staple staple
	due    time.Time // when one without files is brought again; zero for others
	// trouble is what was reported last of files that cannot be read, so that each thing
	// is reported once.
	trouble string
}

// stamp tells whether a file has changed.
type stamp struct {
	at   time.Time
	size int64
}

func (h *held) stamps() (seen [2]stamp, err error) {
	if h.NoFiles {
		return seen, nil
	}
	for i, name := range []string{h.Cert, h.Key} {
		if name == "" {
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return seen, err
		}
		seen[i] = stamp{info.ModTime(), info.Size()}
	}
	return seen, nil
}

// bring reads the pair by what reads it.
func (h *held) bring() (cert tls.Certificate, err error) {
	if h.Load == nil {
		if cert, err = h.load(h.Cert, h.Key); err != nil {
			err = fmt.Errorf("%s with %s: %w", h.Cert, h.Key, err)
		}
		return cert, err
	}
	if cert, err = h.Load(); err != nil {
		return cert, fmt.Errorf("%s: %w", h.Cert, err)
	}
	if len(cert.Certificate) == 0 || cert.PrivateKey == nil {
		return cert, fmt.Errorf("%s: there is no certificate with its key", h.Cert)
	}
	if cert.Leaf == nil {
		cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0])
	}
	return cert, err
}

// read takes the pair from its files.
func (h *held) read(now time.Time) error {
	before, err := h.stamps()
	if err != nil {
		return err
	}
	cert, err := h.bring()
	if err != nil {
		return err
	}
	// A file that was written meanwhile may be half of the new one.
	if after, err := h.stamps(); err != nil || after != before {
		return errors.New("the files are being written; they are read again")
	}
	h.cert, h.seen, h.staple = &cert, before, staple{}
	if h.NoFiles { // two thirds of what is left, and not all the time at its end
		h.due = now.Add(max(cert.Leaf.NotAfter.Sub(now)*2/3, time.Minute))
	}
	return nil
}

// reread takes the pair again where a file has changed. On an error, which it returns
// once, the old one stays and the next look tries again.
func (h *held) reread(now time.Time) (took bool, err error) {
	seen, err := h.stamps()
	if err == nil && (seen != h.seen || h.NoFiles && !now.Before(h.due)) {
		err = h.read(now)
		took = err == nil
	}
	switch {
	case err == nil:
		h.trouble = ""
	case err.Error() == h.trouble:
		err = nil
	default:
		h.trouble = err.Error()
	}
	return took, err
}
