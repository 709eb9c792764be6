package config

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// maxRead is the longest file that a configuration may name, in bytes.
const maxRead = 16 << 20

// readFiles looks at the files that the configuration names.
func (k *checker) readFiles() {
	for i, l := range k.Listeners {
		if l.TLS == nil {
			continue
		}
		path := fmt.Sprintf("listeners[%d].tls", i)
		for j, c := range l.TLS.Certificates {
			at := fmt.Sprintf("%s.certificates[%d]", path, j)
			k.pair(at, c.Cert, c.Key)
			k.read(at+".pkcs12", c.PKCS12)
			k.read(at+".password-file", c.PasswordFile)
			if c.ACME != nil {
				k.authorities(at+".acme.ca", c.ACME.CA)
			}
		}
		k.authorities(path+".client-ca", l.TLS.ClientCA)
		for j, list := range l.TLS.CRL {
			k.crl(fmt.Sprintf("%s.crl[%d]", path, j), list)
		}
		for j, name := range l.TLS.ECHKeys {
			k.echKeys(fmt.Sprintf("%s.ech-keys[%d]", path, j), name)
		}
		k.lines(path+".psk-file", l.TLS.PSKFile, "write each line as identity:hex, 16 to 64 bytes", isPSK)
	}
	for _, name := range sortedNames(k.Targets) {
		if t := k.Targets[name].TLS; t != nil {
			k.pair("targets."+name+".tls", t.Cert, t.Key)
			k.authorities("targets."+name+".tls.ca", t.CA)
		}
	}
	k.lines("sessions.key-file", k.Sessions.KeyFile, "make one with 'openssl rand -hex 32'", isKey)
}

// read returns a file; nil where none is named or it cannot be read.
func (k *checker) read(path, name string) []byte {
	if name == "" {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		var why *fs.PathError
		errors.As(err, &why)
		remedy := "check the name"
		if errors.Is(err, fs.ErrPermission) {
			remedy = "let this user read it"
		}
		k.wrong(path, "%s cannot be read: %v; %s", name, why.Err, remedy)
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRead+1))
	switch {
	case err != nil:
		k.wrong(path, "%s cannot be read: %v; check that it is a file", name, errors.Unwrap(err))
	case len(data) > maxRead:
		k.wrong(path, "%s is longer than 16 MiB; check the name", name)
	case len(bytes.TrimSpace(data)) == 0:
		k.wrong(path, "%s is empty; check the name", name)
	default:
		return data
	}
	return nil
}

// pair looks at a certificate and its key, which may be in one file.
func (k *checker) pair(path, cert, key string) {
	apart := k.Process.Keys == "process"
	if apart && key == "" {
		return // the key is in the same file
	}
	chain := k.read(path+".cert", cert)
	private := chain
	if key != "" && !apart {
		private = k.read(path+".key", key)
	}
	if chain == nil || private == nil {
		return
	}
	certs := k.certificates(path+".cert", cert, chain)
	if certs == nil {
		return
	}
	if now := time.Now(); now.After(certs[0].NotAfter) {
		k.warn(path+".cert", "the certificate in %s expired on %s; have it renewed", cert, certs[0].NotAfter.Format(time.DateOnly))
	}
	if apart {
		return
	}
	_, err := tls.X509KeyPair(chain, private)
	switch {
	case err == nil:
	case bytes.Contains(private, []byte("ENCRYPTED")):
		k.wrong(path+".key", "the private key is encrypted; take the password off with 'openssl pkey'")
	case !bytes.Contains(private, []byte("PRIVATE KEY-----")) && key == "":
		k.wrong(path+".cert", "%s holds no private key; give it with key", cert)
	case !bytes.Contains(private, []byte("PRIVATE KEY-----")):
		k.wrong(path+".key", "%s holds no private key in PEM; give the file of the key", key)
	default:
		k.wrong(path+".key", "certificate and key do not match: %v; give the key that the certificate was made with", strings.TrimPrefix(err.Error(), "tls: "))
	}
}

// certificates are those of a PEM file; nil where there is none that can be read.
func (k *checker) certificates(path, name string, data []byte) (certs []*x509.Certificate) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			k.wrong(path, "certificate %d in %s cannot be read (%v); take it out, or have it issued anew", len(certs)+1, name, strings.TrimPrefix(err.Error(), "x509: "))
			return nil
		}
		certs = append(certs, c)
	}
	if certs == nil {
		k.wrong(path, "%s holds no certificate in PEM; give a file with a line -----BEGIN CERTIFICATE-----", name)
	}
	return certs
}

func (k *checker) authorities(path, name string) {
	if data := k.read(path, name); data != nil {
		k.certificates(path, name, data)
	}
}

// crl looks at a revocation list, in PEM or DER.
func (k *checker) crl(path, name string) {
	data := k.read(path, name)
	if data == nil {
		return
	}
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	if _, err := x509.ParseRevocationList(data); err != nil {
		k.wrong(path, "%s is not a revocation list; give a CRL in PEM or DER", name)
	}
}

// echKeys looks at a file with keys for Encrypted Client Hello.
func (k *checker) echKeys(path, name string) {
	data := k.read(path, name)
	if data == nil {
		return
	}
	if _, err := tls.ParseECHKeys(data); err != nil {
		k.wrong(path, "%s cannot be used: %v", name, err)
	}
}

// lines looks at a file that has one thing in each line; comments begin with #.
func (k *checker) lines(path, name, remedy string, good func(string) bool) {
	data := k.read(path, name)
	found := 0
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if found++; !good(line) {
			k.wrong(path, "line %d of %s has not the right form; %s", i+1, name, remedy)
			return
		}
	}
	if data != nil && found == 0 {
		k.wrong(path, "%s has comments alone; %s", name, remedy)
	}
}

func isPSK(line string) bool {
	i := strings.LastIndexByte(line, ':')
	if i < 1 {
		return false
	}
	key, err := hex.DecodeString(line[i+1:])
	return err == nil && len(key) >= 16 && len(key) <= 64 // as package access demands
}

func isKey(line string) bool {
	key, err := hex.DecodeString(line)
	return err == nil && len(key) == 32
}

// rights looks at whether this process may do what the configuration says, before and after it has
// become process.user.
func (k *checker) rights() {
	p := k.Process
	me := Account{UID: os.Geteuid(), GID: os.Getegid()}
	becomes := me
	if p.User != "" {
		a, err := Process{User: p.User}.Account()
		switch {
		case err != nil:
			k.wrong("process.user", "there is no user %q on this machine; create it, or name another", p.User)
		case me.UID > 0 && a.UID != me.UID:
			k.wrong("process.user", "only root may become %q; start as root, or leave user out", p.User)
		default:
			becomes = a
		}
	}
	if p.Group != "" {
		if a, err := (Process{Group: p.Group}).Account(); err != nil {
			k.wrong("process.group", "there is no group %q on this machine; create it, or name another", p.Group)
		} else {
			becomes.GID = a.GID
		}
	}
	if p.Keys == "locked" {
		if why := cannotLock(); why != "" {
			k.wrong("process.keys", "%s", why)
		}
	}
	for _, f := range k.Folders() {
		account, user := me, ""
		if f.Later {
			account, user = becomes, p.User
		}
		why := account.cannotWrite(f.Path, f.Own)
		switch {
		case why == "":
		case user != "":
			k.wrong(f.Setting, "%s, and the process becomes user %q; give the folder to that user with chown, or name another", why, user)
		default:
			k.wrong(f.Setting, "%s; make the folder, let this user write in it, or name another", why)
		}
	}
}
