package devca

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	recordFile = "issued.json"
	// lockFile keeps two processes from changing the record at a time.
	lockFile = "issued.lock"
	// lockWait is how long a change waits for another's, which takes milliseconds.
	lockWait = 5 * time.Second

	recordFormat = "vitrine-ca/1"
)

// Record is what an authority has issued and revoked.
type Record struct {
	Format string `json:"format"`
	// URL is where the responder is; empty where certificates name none.
	URL    string   `json:"url,omitempty"`
	Issued []Issued `json:"issued"`
}

// The issuers of a certificate.
const (
	rootIssued         = "root"
	intermediateIssued = "intermediate"
)

// Issued is one certificate.
type Issued struct {
	// Serial is in hexadecimal digits.
	Serial    string    `json:"serial"`
	Issuer    string    `json:"issuer"`
	Subject   string    `json:"subject"`
	Names     []string  `json:"names,omitempty"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	// RevokedAt is zero unless it is revoked, and Reason a CRLReason. RFC 5280 §5.3.1.
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	Reason    int       `json:"reason,omitempty"`
}

// find returns the entry of a certificate, nil where it was not issued.
func (r *Record) find(issuer, serial string) *Issued {
	for i := range r.Issued {
		if e := &r.Issued[i]; e.Serial == serial && e.Issuer == issuer {
			return e
		}
	}
	return nil
}

func (ca *CA) recordPath() string { return filepath.Join(ca.dir, recordFile) }

// managed reports that the authority keeps a record.
func (ca *CA) managed() bool { return ca.dir != "" && exists(ca.recordPath()) }

// Record reads the record.
func (ca *CA) Record() (*Record, error) {
	data, err := os.ReadFile(ca.recordPath())
	if err != nil {
		return nil, err
	}
	r := &Record{}
	if err := json.Unmarshal(data, r); err != nil || r.Format != recordFormat {
		return nil, fmt.Errorf("%s is damaged or of another program's version: bring it back from a copy (without it nobody knows what was revoked): format %q, %v", ca.recordPath(), r.Format, err)
	}
	return r, nil
}

// begin writes an empty record.
func (ca *CA) begin(url string) error {
	return ca.locked(func() error {
		if exists(ca.recordPath()) {
			return nil
		}
		return ca.write(&Record{Format: recordFormat, URL: url, Issued: []Issued{}})
	})
}

// change applies a change to the record; an error of edit leaves it as it was.
func (ca *CA) change(edit func(*Record) error) error {
	return ca.locked(func() error {
		r, err := ca.Record()
		if err != nil {
			return err
		}
		if err := edit(r); err != nil {
			return err
		}
		return ca.write(r)
	})
}

// note writes down what the authority issues to others, where it keeps a record.
func (ca *CA) note(cert *x509.Certificate) error {
	if !ca.managed() {
		return nil
	}
	return ca.noteAs(ca.issuerName(), cert)
}

func (ca *CA) issuerName() string {
	if ca.intermediate != nil {
		return intermediateIssued
	}
	return rootIssued
}

func (ca *CA) noteAs(issuer string, cert *x509.Certificate) error {
	names := append([]string(nil), cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	return ca.change(func(r *Record) error {
		r.Issued = append(r.Issued, Issued{
			Serial: cert.SerialNumber.Text(16), Issuer: issuer, Subject: cert.Subject.String(), Names: names,
			NotBefore: cert.NotBefore, NotAfter: cert.NotAfter,
		})
		return nil
	})
}

// write replaces the record whole: a crash leaves the old one.
func (ca *CA) write(r *Record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return Replace(ca.recordPath(), append(data, '\n'), 0o600)
}

// Replace writes a file whole or not at all, in place of the one that is there.
func Replace(path string, data []byte, mode fs.FileMode) error {
	return writeBy(os.Rename, path, data, mode)
}

// WriteNew writes a file whole or not at all, and never over another.
func WriteNew(path string, data []byte, mode fs.FileMode) error {
	return writeBy(os.Link, path, data, mode)
}

// writeBy writes a file aside, and puts it in its place when it is on the disk.
func writeBy(place func(from, to string) error, path string, data []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return place(tmp.Name(), path)
}

// locked calls f while no other process changes the record.
func (ca *CA) locked(f func() error) error {
	path := filepath.Join(ca.dir, lockFile)
	for deadline := time.Now().Add(lockWait); ; time.Sleep(10 * time.Millisecond) {
		lock, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			defer os.Remove(path)
			return errors.Join(lock.Close(), f())
		}
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is there: another process changes the record, or one was killed while it did; if none runs, delete the file", path)
		}
	}
}
