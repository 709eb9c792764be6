package certstore

import (
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
	for i, name := range []string{h.Cert, h.Key} {
		info, err := os.Stat(name)
		if err != nil {
			return seen, err
		}
		seen[i] = stamp{info.ModTime(), info.Size()}
	}
	return seen, nil
}

// read takes the pair from its files.
func (h *held) read() error {
	before, err := h.stamps()
	if err != nil {
		return err
	}
	cert, err := h.load(h.Cert, h.Key)
	if err != nil {
		return fmt.Errorf("%s with %s: %w", h.Cert, h.Key, err)
	}
	// A file that was written meanwhile may be half of the new one.
	if after, err := h.stamps(); err != nil || after != before {
		return errors.New("the files are being written; they are read again")
	}
	h.cert, h.seen, h.staple = &cert, before, staple{}
	return nil
}

// reread takes the pair again where a file has changed. On an error, which it returns
// once, the old one stays and the next look tries again.
func (h *held) reread() (took bool, err error) {
	now, err := h.stamps()
	if err == nil && now != h.seen {
		err = h.read()
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
