package fetch

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
)

// keyOf names a request, and the file of its answer.
func keyOf(r revocation.Request) string {
	h := sha256.New()
	io.WriteString(h, r.URL+"\x00")
	h.Write(r.Body)
	return r.Source.String() + "-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// holds returns until when an answer says that it holds. It is not believed yet; but one
// that cannot be read, or does not say, is not worth a file.
func holds(s revocation.Source, body []byte) (until time.Time, ok bool) {
	if s == revocation.CRL {
		l, err := revocation.ParseCRL(body)
		if err != nil {
			return until, false
		}
		return l.NextUpdate, true
	}
	r, err := revocation.ParseOCSP(body)
	if err != nil {
		return until, false
	}
	return r.NextUpdate(), true
}

// load returns an answer from disk that still holds, or nil. Any other is removed.
func (c *Client) load(key string, s revocation.Source) []byte {
	if c.Dir == "" {
		return nil
	}
	name := filepath.Join(c.Dir, key)
	info, err := os.Stat(name)
	if err != nil || info.Size() > limits[s] {
		return nil
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	if until, ok := holds(s, body); !ok || !until.After(c.now()) {
		os.Remove(name)
		return nil
	}
	return body
}

// save keeps an answer. Where that fails, the next one that asks fetches again; a file is
// either the old one or the new one, whenever the power goes.
func (c *Client) save(key string, s revocation.Source, body []byte) {
	if until, ok := holds(s, body); c.Dir == "" || !ok || !until.After(c.now()) {
		return
	}
	if os.MkdirAll(c.Dir, 0o700) != nil {
		return
	}
	file, err := os.CreateTemp(c.Dir, ".new-*")
	if err != nil {
		return
	}
	_, err = file.Write(body)
	if e := file.Sync(); err == nil {
		err = e
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err != nil || os.Rename(file.Name(), filepath.Join(c.Dir, key)) != nil {
		os.Remove(file.Name())
	}
}
