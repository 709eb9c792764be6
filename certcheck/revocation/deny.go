package revocation

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// Deny is a list of one's own: keys and certificates that are refused whatever their
// authority says. nil denies nothing.
type Deny struct {
	keys   map[[sha256.Size]byte]bool // hashes of SubjectPublicKeyInfo
	issued map[string]bool            // hash of the issuer's name, and the serial number
}

// ParseDeny reads a list. Each line is one of
//
//	spki HEX            the SHA-256 of a SubjectPublicKeyInfo
//	serial HEX HEX      the SHA-256 of an issuer's name in DER, and a serial number
//
// and what follows a # is a comment. Colons in the numbers are ignored.
func ParseDeny(r io.Reader) (*Deny, error) {
	d := &Deny{keys: map[[sha256.Size]byte]bool{}, issued: map[string]bool{}}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(strings.ReplaceAll(text, ":", ""))
		if len(fields) == 0 {
			continue
		}
		if err := d.add(fields); err != nil {
			return nil, fmt.Errorf("line %d of the deny list: %w", n, err)
		}
	}
	return d, lines.Err()
}

func (d *Deny) add(fields []string) error {
	want := map[string]int{"spki": 2, "serial": 3}[fields[0]]
	if want != len(fields) {
		return fmt.Errorf(`it is neither "spki HASH" nor "serial HASH NUMBER"`)
	}
	hash, err := hex.DecodeString(fields[1])
	if err != nil || len(hash) != sha256.Size {
		return fmt.Errorf("the hash has to be a SHA-256, %d hexadecimal digits", 2*sha256.Size)
	}
	if fields[0] == "spki" {
		d.keys[[sha256.Size]byte(hash)] = true
		return nil
	}
	number := fields[2]
	if len(number)%2 == 1 {
		number = "0" + number
	}
	serial, err := hex.DecodeString(number)
	if err != nil {
		return fmt.Errorf("the serial number has to be hexadecimal")
	}
	d.issued[string(hash)+string(bytes.TrimLeft(serial, "\x00"))] = true
	return nil
}

// Has reports whether c is denied.
func (d *Deny) Has(c *x509.Certificate) bool {
	if d == nil {
		return false
	}
	if len(d.keys) > 0 && d.keys[sha256.Sum256(c.RawSubjectPublicKeyInfo)] {
		return true
	}
	if len(d.issued) == 0 {
		return false
	}
	issuer := sha256.Sum256(c.RawIssuer)
	return d.issued[string(issuer[:])+string(c.SerialNumber.Bytes())]
}
