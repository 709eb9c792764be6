package access

import (
	"bufio"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/vitrine-tls/vitrine/tls"
)

// Bounds of a file of pre-shared keys.
const (
	maxPSKFile = 16 << 20
	minPSK     = 16 // bytes: fewer can be guessed
	maxPSK     = 64
	maxPSKName = 1024
)

// PSKs are the keys of a file.
type PSKs struct {
	keys map[string][]byte
	// Warning says that others than the owner can read the file; empty where they cannot.
	Warning string
}

// ReadPSKs reads a file with a line "identity:hex" for each pre-shared key of 16 to 64 bytes.
// Lines that are empty or begin with # do not count. The file has at most 16 MiB, an identity
// at most 1024 bytes. No error says anything of a key.
func ReadPSKs(file string) (*PSKs, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := &PSKs{keys: map[string][]byte{}}
	switch info, err := f.Stat(); {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, &fs.PathError{Op: "read", Path: file, Err: errors.New("it is a folder")}
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		p.Warning = fmt.Sprintf("other users may read the keys in %s (mode %v); take that away with chmod 600", file, info.Mode().Perm())
	}
	limited := &io.LimitedReader{R: f, N: maxPSKFile + 1}
	lines := bufio.NewScanner(limited)
	for n := 1; lines.Scan(); n++ {
		if err := p.add(lines.Text()); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", file, n, err)
		}
	}
	switch err := lines.Err(); {
	case limited.N <= 0:
		return nil, fmt.Errorf("%s is larger than %d MiB", file, maxPSKFile>>20)
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("%s has a line that is longer than any key", file)
	case err != nil:
		return nil, err
	case len(p.keys) == 0:
		return nil, fmt.Errorf("%s holds no key; write a line identity:hex for each", file)
	}
	return p, nil
}

func (p *PSKs) add(line string) error {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return nil
	}
	at := strings.LastIndexByte(line, ':')
	if at < 0 {
		return errors.New("there is no colon; write identity:hex")
	}
	identity := line[:at]
	key, err := hex.DecodeString(line[at+1:])
	switch {
	case err != nil: // hex's own words would quote a digit of the key
		return errors.New("what follows the last colon is not an even number of hexadecimal digits")
	case identity == "" || len(identity) > maxPSKName:
		return fmt.Errorf("an identity has 1 to %d bytes", maxPSKName)
	case len(key) < minPSK || len(key) > maxPSK:
		return fmt.Errorf("a key has %d to %d bytes, two hexadecimal digits each; openssl rand -hex 32 makes one", minPSK, maxPSK)
	case p.keys[identity] != nil:
		return fmt.Errorf("the identity %.100q is there twice", identity)
	}
	p.keys[identity] = key
	return nil
}

// Key is for [tls.PSK].Server: it returns the key of an identity, and nil where there is none.
func (p *PSKs) Key(identity string) ([]byte, error) { return p.keys[identity], nil }

// External is for [tls.PSK].ExternalServer: it returns the key of an identity in TLS 1.3, for
// suites with SHA-256, as the keys of other programs are; nil where there is none.
func (p *PSKs) External(identity []byte) (*tls.ExternalPSK, error) {
	key := p.keys[string(identity)]
	if key == nil {
		return nil, nil
	}
	return &tls.ExternalPSK{Identity: identity, Key: key, Hash: crypto.SHA256}, nil
}

// Len is how many keys there are.
func (p *PSKs) Len() int { return len(p.keys) }
