package flags

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
)

// pair returns a certificate for name and its key, in DER.
func pair(t *testing.T, name string) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	if cert, err = x509.CreateCertificate(rand.Reader, template, template, private.Public(), private); err != nil {
		t.Fatal(err)
	}
	if key, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func block(typ string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
}

// der is asn1.Marshal for what is known to be good.
func der(t *testing.T, v any) []byte {
	t.Helper()
	b, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// keyOfKind is a PKCS #8 key of an algorithm.
func keyOfKind(t *testing.T, oid ...int) string {
	type algorithm struct{ OID asn1.ObjectIdentifier }
	return block("PRIVATE KEY", der(t, struct {
		Version   int
		Algorithm algorithm
		Key       []byte
	}{0, algorithm{oid}, []byte{4, 1, 0}}))
}

func inUTF16(text string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// What cannot be used is named, and the remedy with it.
func TestUnreadableFilesAreNamed(t *testing.T) {
	cert, key := pair(t, "jane.test")
	authority, _ := pair(t, "the authority")
	_, other := pair(t, "other")
	chain, private := block("CERTIFICATE", cert), block("PRIVATE KEY", key)
	bad := bytes.Clone(cert)
	bad[5] ^= 0x40
	pfx := der(t, struct {
		Version int
		Content struct{ OID asn1.ObjectIdentifier }
	}{3, struct{ OID asn1.ObjectIdentifier }{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}}})
	signed := der(t, struct{ OID asn1.ObjectIdentifier }{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}})
	for name, test := range map[string]struct {
		cert, key string // an empty key is no --key
		is, do    string
	}{
		"empty":                  {"\n", "", "is empty", "another file"},
		"DER":                    {string(cert), private, "certificate in DER", "openssl x509 -inform der -in "},
		"a key in DER":           {chain, string(key), "private key in DER", "openssl pkey -inform der"},
		"PKCS#12":                {string(pfx), "", "PKCS#12", "openssl pkcs12 -in "},
		"PKCS#7":                 {string(signed), "", "PKCS#7", "openssl pkcs7 -inform der"},
		"PKCS#7 in PEM":          {block("PKCS7", signed), "", "PKCS#7", "openssl pkcs7 -print_certs"},
		"Java":                   {"\xfe\xed\xfe\xed\x00\x00", "", "Java keystore", "keytool"},
		"a mark":                 {"\xef\xbb\xbf" + chain + private, "", "byte order mark", "without one"},
		"UTF-16":                 {inUTF16(chain), private, "UTF-16", "iconv -f UTF-16 -t UTF-8"},
		"UTF-16, the key":        {chain, inUTF16(private), "--key: ", "iconv"},
		"glued":                  {strings.TrimSpace(chain) + chain, private, "two blocks on one line", "new line before each"},
		"cut":                    {chain[:len(chain)/2] + private, "", "cut off or damaged", "copy it anew"},
		"text":                   {"hello", "", "holds no certificate", "-----BEGIN CERTIFICATE"},
		"no certificate":         {private, "", "holds a private key only", "file of the certificate"},
		"no key":                 {chain, "", "holds no private key", "--key FILE"},
		"no key, twice":          {chain, chain, "holds certificates only", "file of the private key"},
		"a public key":           {chain, block("PUBLIC KEY", []byte{0x30, 0}), "public key only", "made with it"},
		"a request":              {block("CERTIFICATE REQUEST", []byte{0x30, 0}), private, "a request for a certificate", "authority has answered"},
		"OpenSSL's form":         {block("TRUSTED CERTIFICATE", cert), private, "OpenSSL's own form", "openssl x509 -in "},
		"a bad one":              {chain + block("CERTIFICATE", bad) + private, "", "certificate 2 in ", "cannot be read"},
		"encrypted":              {chain, block("ENCRYPTED PRIVATE KEY", []byte{0x30, 0}), "is encrypted", "openssl pkey -in "},
		"encrypted, the old way": {chain, "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMAA=\n-----END EC PRIVATE KEY-----\n", "is encrypted", "openssl pkey -in "},
		"SSH":                    {chain, block("OPENSSH PRIVATE KEY", []byte("openssh-key-v1")), "key of SSH", "made with"},
		"RSA-PSS for SHA-1":      {otherKey(t, "pss-sha1"), otherKey(t, "pss-sha1-key"), "allow none of TLS's signatures", "without parameters"},
		"RSA-PSS, another mask":  {otherKey(t, "pss-mask"), otherKey(t, "pss-mask-key"), "with parameters that vitrine does not have", "issued for an RSA"},
		"RSA-PSS, another's":     {otherKey(t, "pss"), otherKey(t, "pss256-key"), "does not match", "made with it"},
		"RSA-PSS":                {chain, keyOfKind(t, 1, 2, 840, 113549, 1, 1, 10), "RSASSA-PSS", "issued for an RSA"},
		"Ed448":                  {chain, keyOfKind(t, 1, 3, 101, 113), "Ed448", "issued for an RSA"},
		"X25519":                 {chain, keyOfKind(t, 1, 3, 101, 111), "cannot sign", "issued for an RSA"},
		"another kind":           {chain, keyOfKind(t, 1, 2, 3), "(1.2.3)", "issued for an RSA"},
		"a damaged key":          {chain, block("PRIVATE KEY", []byte{0x30, 1, 0}), "damaged", "copy it anew"},
		"a DSA key":              {chain, keyOfKind(t, 1, 2, 840, 10040, 4, 1), "does not match", "made with it"},
		"the authority first":    {block("CERTIFICATE", authority) + chain, private, `certificate of "the authority", and the key is that of "jane.test"`, "put certificate 2"},
		"another's key":          {chain, block("PRIVATE KEY", other), `does not match the certificate of "jane.test"`, "made with it"},
	} {
		f := identity(t, test.cert, test.key)
		_, ok, err := f.Load()
		if ok || report.ExitCode(err) != report.ExitUsage || !strings.Contains(err.Error(), test.is) || !strings.Contains(err.Error(), test.do) || strings.Contains(err.Error(), "tls: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// otherKey is a file with a key that crypto/x509 does not know.
func otherKey(t *testing.T, name string) string {
	text, err := os.ReadFile("../../../../internal/otherkeys/testdata/" + name + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Keys of RSASSA-PSS and Ed448 are taken.
func TestIdentityOfOtherKeys(t *testing.T) {
	for _, name := range []string{"pss", "pss256", "ed448"} {
		if _, ok, err := identity(t, otherKey(t, name), otherKey(t, name+"-key")).Load(); !ok || err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// identity writes the files.
func identity(t *testing.T, cert, key string) *Identity {
	dir := t.TempDir()
	f := &Identity{Cert: filepath.Join(dir, "cert file.pem")}
	files := map[string]string{f.Cert: cert}
	if key != "" {
		f.key = filepath.Join(dir, "key.pem")
		files[f.key] = key
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// What is right goes on being so: text around the blocks, key and chain in one
// file, the key before it, lines as Windows ends them.
func TestReadableFiles(t *testing.T) {
	cert, key := pair(t, "jane.test")
	authority, _ := pair(t, "the authority")
	chain, private := block("CERTIFICATE", cert)+"text\n"+block("CERTIFICATE", authority), block("PRIVATE KEY", key)
	for name, files := range map[string][2]string{
		"two files": {chain, private}, "one file": {chain + private, ""}, "the key first": {"text\n" + private + chain, ""},
		"Windows": {strings.ReplaceAll(chain+private, "\n", "\r\n"), ""},
	} {
		got, ok, err := identity(t, files[0], files[1]).Load()
		if err != nil || !ok || len(got.Certificate) != 2 || got.Leaf.Subject.CommonName != "jane.test" {
			t.Errorf("%s: %d certificates, %v", name, len(got.Certificate), err)
		}
	}
	pool, err := Pool("ca", identity(t, chain, "").Cert)
	//lint:ignore SA1019 it is no system pool
	if err != nil || len(pool.Subjects()) != 2 {
		t.Error(pool, err)
	}
}

// No certificate of a bundle vanishes: what cannot be read is refused, with the reason.
func TestBundlesAreReadWhole(t *testing.T) {
	cert, _ := pair(t, "jane.test")
	negative := bytes.Clone(cert)
	i := bytes.Index(negative, []byte{2, 1, 1}) // the serial number
	negative[i+2] = 0x81
	for bundle, want := range map[string]string{
		block("CERTIFICATE", cert) + block("CERTIFICATE", negative):  "certificate 2 in ",
		block("CERTIFICATE", negative):                               "serial number",
		block("CERTIFICATE", cert) + block("CERTIFICATE", cert)[:90]: "cut off or damaged",
	} {
		if _, err := Pool("ca", identity(t, bundle, "").Cert); report.ExitCode(err) != report.ExitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
}

func TestFilesForDHE(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "is empty",
		block("EC PARAMETERS", []byte{6, 0}): "parameters only",
		block("DH PARAMETERS", []byte{48}):   "are damaged; make others: openssl dhparam",
	} {
		f := TLS{dhParams: identity(t, text, "").Cert}
		if err := f.applyDH(new(tls.Config)); report.ExitCode(err) != report.ExitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
}
