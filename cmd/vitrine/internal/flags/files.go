package flags

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// Files that people give are mostly the right thing in another form. What cannot
// be read is therefore named, with the command that makes of it what is needed.

// pemFile is a file of PEM blocks.
type pemFile struct {
	flag, name string
	data       []byte
	blocks     []*pem.Block
}

func readPEM(flag, name string) (*pemFile, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, report.Usagef("--%s: %v", flag, err)
	}
	f := &pemFile{flag: flag, name: name, data: data}
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return f, f.whole()
		}
		f.blocks = append(f.blocks, block)
	}
}

// whole errs where a block begins that is not among those that were read: what
// follows must not be left out in silence.
func (f *pemFile) whole() error {
	begun := bytes.Count(f.data, []byte("-----BEGIN "))
	switch {
	case begun == len(f.blocks):
		return nil
	case bytes.Contains(f.data, []byte("----------BEGIN ")):
		return f.fault("has two blocks on one line", "begin a new line before each -----BEGIN")
	case bytes.HasPrefix(f.data, []byte(utf8Mark)):
		return f.fault("begins with a byte order mark", "save it as plain text without one")
	}
	return f.fault("has a block of PEM that is cut off or damaged", "copy it anew, each line from -----BEGIN to -----END as it was")
}

// of returns the blocks of a type, or of types that end so.
func (f *pemFile) of(typ string) []*pem.Block {
	return slices.DeleteFunc(slices.Clone(f.blocks), func(b *pem.Block) bool { return !strings.HasSuffix(b.Type, typ) })
}

// fault says what is the matter with the file, and what to do.
func (f *pemFile) fault(is, do string) error {
	return report.Usagef("--%s: %s %s; %s", f.flag, f.name, is, strings.ReplaceAll(do, "FILE", shellWord(f.name)))
}

// shellWord returns s as one word for a POSIX shell.
func shellWord(s string) string {
	if s == "" || strings.ContainsAny(s, " \t\n'\"\\$`*?[]()<>|&;#~!{}") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

const utf8Mark = "\xef\xbb\xbf"

// forms are what a file may be in place of PEM blocks of the type that is wanted;
// the first row that fits counts.
var forms = []struct {
	fits   func(*pemFile) bool
	is, do string
}{
	{func(f *pemFile) bool { return len(bytes.TrimSpace(f.data)) == 0 }, "is empty", "give another file"},
	{begins("\xff\xfe", "\xfe\xff"), "is text in UTF-16", "save it as UTF-8, or make it so: iconv -f UTF-16 -t UTF-8 FILE > new.pem"},
	{isDER(func(der []byte) bool { _, err := x509.ParseCertificate(der); return err == nil }),
		"is a certificate in DER form, not in PEM", "convert it: openssl x509 -inform der -in FILE -out new.pem"},
	{isDER(func(der []byte) bool { return parseKey(der) }),
		"is a private key in DER form, not in PEM", "convert it: openssl pkey -inform der -in FILE -out new.pem"},
	{isDER(isPKCS12), "is in PKCS#12 form, certificate and key in one", "convert it: openssl pkcs12 -in FILE -nodes -out new.pem"},
	{isDER(isPKCS7), "is in PKCS#7 form (DER)", "convert it: openssl pkcs7 -inform der -print_certs -in FILE -out new.pem"},
	{begins("\xfe\xed\xfe\xed", "\xce\xce\xce\xce"), "is a Java keystore",
		"convert it: keytool -importkeystore -srckeystore FILE -destkeystore new.p12 -deststoretype pkcs12"},
	{holds("TRUSTED CERTIFICATE"), "holds a certificate in OpenSSL's own form", "convert it: openssl x509 -in FILE -out new.pem"},
	{holds("PKCS7"), "is in PKCS#7 form", "convert it: openssl pkcs7 -print_certs -in FILE -out new.pem"},
	{holds("CERTIFICATE REQUEST"), "holds a request for a certificate", "give the certificate with which the authority has answered it"},
	{holds("X509 CRL"), "holds a list of revoked certificates", "give the file of the certificate"},
	{holds("PUBLIC KEY"), "holds a public key only", "give the file that was made with it"},
	{holds("PRIVATE KEY"), "holds a private key only", "give the file of the certificate"},
	{holds("CERTIFICATE"), "holds certificates only", "give the file of the private key"},
	{holds("PARAMETERS"), "holds parameters only", "give the file that was made with them"},
}

func begins(starts ...string) func(*pemFile) bool {
	return func(f *pemFile) bool {
		return slices.ContainsFunc(starts, func(s string) bool { return bytes.HasPrefix(f.data, []byte(s)) })
	}
}

func holds(typ string) func(*pemFile) bool {
	return func(f *pemFile) bool { return len(f.of(typ)) > 0 }
}

func isDER(is func(der []byte) bool) func(*pemFile) bool {
	return func(f *pemFile) bool { return bytes.HasPrefix(f.data, []byte{0x30}) && is(f.data) }
}

// isPKCS12 reports a PFX of version 3. RFC 7292 §4.
func isPKCS12(der []byte) bool {
	var pfx struct {
		Version int
		Content asn1.RawValue
		MAC     asn1.RawValue `asn1:"optional"`
	}
	_, err := asn1.Unmarshal(der, &pfx)
	return err == nil && pfx.Version == 3
}

// isPKCS7 reports a ContentInfo. RFC 2315 §7.
func isPKCS7(der []byte) bool {
	var info struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"optional"`
	}
	_, err := asn1.Unmarshal(der, &info)
	return err == nil && strings.HasPrefix(info.Type.String(), "1.2.840.113549.1.7.")
}

// without is the error for a file that lacks what is wanted: "certificate".
func (f *pemFile) without(wanted string) error {
	for _, form := range forms {
		if form.fits(f) {
			return f.fault(form.is, form.do)
		}
	}
	return f.fault("holds no "+wanted+" in PEM form", "it must have a line -----BEGIN "+strings.ToUpper(wanted)+"-----")
}

// certificates returns those of the file, of which each must be readable.
func (f *pemFile) certificates() ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for i, block := range f.of("CERTIFICATE") {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, report.Usagef("--%s: certificate %d in %s cannot be read (%s); take it out, or have it issued anew",
				f.flag, i+1, f.name, strings.TrimPrefix(err.Error(), "x509: "))
		}
		certs = append(certs, cert)
	}
	if certs == nil {
		return nil, f.without("certificate")
	}
	return certs, nil
}
