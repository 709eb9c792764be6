package capture

import (
	"bufio"
	"bytes"
	"crypto"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/internal/passive"
)

// Keys is what is known besides a capture, to decrypt it with. The zero value knows
// nothing. It may grow while a capture is read, and is safe for concurrent use.
type Keys struct {
	known passive.Keys

	mu       sync.Mutex
	followed []*followed
}

// maxLogLine is the longest line of a key log that is looked at, in bytes.
const maxLogLine = 4 << 10

// AddLog reads a key log in NSS's format (RFC 9850) to its end, and returns how many of
// its lines hold a secret of TLS. Other lines are passed over. The error is r's.
func (k *Keys) AddLog(r io.Reader) (secrets int, err error) {
	f := &followed{r: bufio.NewReaderSize(r, maxLogLine)}
	err = f.read(&k.known, &secrets, true)
	return secrets, err
}

// Follow reads a key log as far as it has been written, and reads on whenever a secret is
// missing. r returns io.EOF as long as there is nothing more, as files do. Follow returns
// how many lines with a secret there are so far. Call it before Read.
func (k *Keys) Follow(r io.Reader) (secrets int, err error) {
	f := &followed{r: bufio.NewReaderSize(r, maxLogLine)}
	if err := f.read(&k.known, &secrets, false); err != nil {
		return secrets, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.followed = append(k.followed, f)
	k.known.More = k.more
	return secrets, nil
}

// AddRSA adds an RSA private key, for the connections in which the premaster was
// encrypted to its certificate.
func (k *Keys) AddRSA(key crypto.Decrypter) { k.known.AddRSA(key) }

// AddPSK adds the pre-shared key of an identity. It is copied.
func (k *Keys) AddPSK(identity string, key []byte) { k.known.AddPSK(identity, key) }

// AddCompression adds ways to inflate the certificates of TLS 1.3, beside zlib. RFC 8879.
func (k *Keys) AddCompression(a ...certcompress.Algorithm) { k.known.AddCompression(a...) }

// more reads on in the logs that grow.
func (k *Keys) more() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	secrets := 0
	for _, f := range k.followed {
		if f.err == nil {
			f.err = f.read(&k.known, &secrets, false)
		}
	}
	return secrets > 0
}

// followed is a key log that is read line by line.
type followed struct {
	r       *bufio.Reader
	partial []byte // a line that is not whole yet
	long    bool   // the rest of the line is passed over
	err     error
}

// read takes in lines up to the end; the last one may lack its end only if it is the
// last for good.
func (f *followed) read(known *passive.Keys, secrets *int, whole bool) error {
	for {
		b, err := f.r.ReadSlice('\n')
		if !f.long {
			f.partial = append(f.partial, b...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull) || len(f.partial) > maxLogLine:
			f.long, f.partial = true, f.partial[:0]
		case err == nil || whole && errors.Is(err, io.EOF):
			if !f.long && known.AddLine(bytes.TrimSpace(f.partial)) {
				*secrets++
			}
			f.long, f.partial = false, f.partial[:0]
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) {
				return nil
			}
			return err
		}
	}
}
