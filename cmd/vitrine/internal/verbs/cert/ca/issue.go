package ca

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/devca"
)

// Certificate is what vitrine cert ca issue made.
type Certificate struct {
	Subject string `json:"subject"`
	// Names are the alternative names; a client may have none.
	Names []string `json:"names,omitempty"`
	// Serial is in hexadecimal digits.
	Serial     string    `json:"serial"`
	Issuer     string    `json:"issuer"`
	NotBefore  time.Time `json:"not_before"`
	NotAfter   time.Time `json:"not_after"`
	MustStaple bool      `json:"must_staple,omitempty"`
	// File has the certificate and then the intermediate; KeyFile the private key,
	// which is not ours where a request was certified.
	File    string `json:"file"`
	KeyFile string `json:"key_file,omitempty"`
}

func (c Certificate) text() string {
	s := line("issued %s for %s, good until %s", c.Serial, c.Subject, c.NotAfter.Format(time.DateOnly)) +
		line("the certificate with its intermediate is in %s", c.File)
	if c.KeyFile != "" {
		s += line("the private key is in %s", c.KeyFile)
	}
	return s
}

var (
	keyTypes      = []string{"ecdsa", "rsa", "ed25519", "mldsa44", "mldsa65", "mldsa87"}
	authorityKeys = []string{"ecdsa", "mldsa44", "mldsa65", "mldsa87"}
)

var keyTypeOf = map[string]devca.KeyType{
	"ecdsa": devca.ECDSA, "rsa": devca.RSA, "ed25519": devca.Ed25519,
	"mldsa44": devca.MLDSA44, "mldsa65": devca.MLDSA65, "mldsa87": devca.MLDSA87,
}

type issueOptions struct {
	common
	names              []string
	client, mustStaple bool
	delegation         bool
	key, csr, out      string
	days               int
}

func newIssue() *cobra.Command {
	o := &issueOptions{}
	cmd := &cobra.Command{
		Use:   "issue --dir FOLDER --name NAME",
		Short: "Issue a certificate for a server or a client",
		Long: `Issue a certificate: for a server's names and addresses, or with --client for a
client, whose first name may be a person's. PREFIX.pem gets the certificate and
the intermediate, as servers send them, and PREFIX-key.pem the key, which only
you can read. A file that is there is never overwritten.

With --csr the key is that of the request, and so are the names unless there is
a --name.`,
		Example: `  vitrine cert ca issue --dir ca --name box.test --name 192.168.1.7
  vitrine cert ca issue --dir ca --client --name "Jane Doe" --out jane
  vitrine cert ca issue --dir ca --csr server.csr --days 30`,
		Args: flags.Arguments(0, 0, "vitrine cert ca issue --dir ca --name box.test"),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	o.register(cmd)
	set := cmd.Flags()
	set.StringArrayVar(&o.names, "name", nil, "a DNS `name` or address; give the flag again for more, and *.box.test for all below box.test")
	set.BoolVar(&o.client, "client", false, "for a client instead of a server")
	set.StringVar(&o.key, "key", keyTypes[0], "the `type` of the new key: "+strings.Join(keyTypes, ", "))
	set.IntVar(&o.days, "days", 90, "how many `days` it is good for; browsers refuse a server's that is good for more than 397")
	set.BoolVar(&o.mustStaple, "must-staple", false, "have clients refuse the server if it staples no OCSP response")
	set.BoolVar(&o.delegation, "delegation", false, "let its key delegate to others for some days, by vitrine cert delegate (RFC 9345)")
	set.StringVar(&o.csr, "csr", "", "certify the key of this request, a PEM or DER `file`")
	set.StringVar(&o.out, "out", "", "`prefix` of the files' names (default: the first name)")
	flags.CompleteFrom(cmd, "key", keyTypes)
	return cmd
}

func (o *issueOptions) run(cmd *cobra.Command) error {
	leaf, err := o.leaf(cmd.Flags().Changed("key"))
	if err != nil {
		return err
	}
	ca, _, err := o.open()
	if err != nil {
		return err
	}
	if !o.client {
		if err := permitted(ca, leaf.Names); err != nil {
			return err
		}
	}
	if end := ca.Cert.NotAfter; leaf.NotAfter.After(end) {
		return report.Usagef("--days %d: the authority itself ends on %s; ask for fewer, or make a new authority", o.days, end.Format(time.DateOnly))
	}
	prefix := o.out
	if prefix == "" {
		prefix = fileName(leaf.Names[0])
	}
	file, keyFile := prefix+".pem", prefix+"-key.pem"
	if leaf.Request != nil {
		keyFile = ""
	}
	for _, f := range []string{file, keyFile} {
		if err := isFree(f); err != nil {
			return err
		}
	}
	issued, err := ca.Issue(leaf)
	if err != nil {
		return report.Usagef("%v", err)
	}
	if err := save(issued, file, keyFile); err != nil {
		return err
	}
	c := issued.Leaf
	made := Certificate{
		Subject: c.Subject.String(), Names: c.DNSNames, Serial: c.SerialNumber.Text(16), Issuer: c.Issuer.String(),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, MustStaple: leaf.MustStaple, File: file, KeyFile: keyFile,
	}
	for _, ip := range c.IPAddresses {
		made.Names = append(made.Names, ip.String())
	}
	return o.write(cmd.OutOrStdout(), made)
}

// leaf is what the flags ask for.
func (o *issueOptions) leaf(keyGiven bool) (devca.Leaf, error) {
	leaf := devca.Leaf{Client: o.client, MustStaple: o.mustStaple, Delegation: o.delegation}
	if err := checkDays(o.days); err != nil {
		return leaf, err
	}
	leaf.NotAfter = time.Now().AddDate(0, 0, o.days)
	key, ok := keyTypeOf[o.key]
	switch {
	case !ok:
		return leaf, report.Usagef("--key %q is not a type of key; choose %s", o.key, strings.Join(keyTypes, ", "))
	case o.csr != "" && keyGiven:
		return leaf, report.Usagef("--key is for a new key; that of --csr is there already")
	case o.csr == "" && len(o.names) == 0:
		return leaf, report.Usagef("say for which name with --name, as in: vitrine cert ca issue --dir ca --name box.test")
	case o.client && o.mustStaple:
		return leaf, report.Usagef("--must-staple is for servers; leave it or --client out")
	case o.client && o.delegation:
		return leaf, report.Usagef("--delegation is for servers; leave it or --client out")
	}
	leaf.Key = key
	var err error
	if leaf.Names, err = o.aLabels(); err != nil || o.csr == "" {
		return leaf, err
	}
	if leaf.Request, err = readRequest(o.csr); err != nil {
		return leaf, err
	}
	if len(leaf.Names) == 0 {
		leaf.Names = devca.RequestedNames(leaf.Request)
	}
	if len(leaf.Names) == 0 {
		return leaf, report.Usagef("--csr %s asks for no name; give one with --name", o.csr)
	}
	return leaf, nil
}

// aLabels are the names as certificates have them; a client's first name is no DNS
// name.
func (o *issueOptions) aLabels() ([]string, error) {
	names := slices.Clone(o.names)
	for i, name := range names {
		if o.client && i == 0 {
			continue
		}
		rest, wild := strings.CutPrefix(name, "*.")
		ascii, err := flags.ALabels(rest)
		if err != nil {
			return nil, err
		}
		if wild {
			ascii = "*." + ascii
		}
		names[i] = ascii
	}
	return names, nil
}

func permitted(ca *devca.CA, names []string) error {
	for _, name := range names {
		if !devca.IsName(name) {
			return report.Usagef("--name %q can stand in no server's certificate: give a DNS name or an address; * only as in *.box.test", name)
		}
		if !ca.Permits(name) {
			return report.Usagef("--name %q: the authority may certify only %s, and private addresses; vitrine cert ca init --permit makes one for more", name, strings.Join(ca.Cert.PermittedDNSDomains, ", "))
		}
	}
	return nil
}

func readRequest(path string) (*x509.CertificateRequest, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, report.Usagef("--csr: %v", err)
	}
	if block, _ := pem.Decode(data); block != nil {
		if !strings.HasSuffix(block.Type, "CERTIFICATE REQUEST") { // OpenSSL once began it with NEW
			return nil, report.Usagef("--csr %s is not a request: it has a %s", path, block.Type)
		}
		data = block.Bytes
	}
	r, err := x509.ParseCertificateRequest(data)
	if err == nil {
		err = devca.VerifyRequest(r)
	}
	if err != nil {
		return nil, report.Usagef("--csr %s is not a request that can be certified: %v", path, err)
	}
	return r, nil
}

// fileName makes a file's name of a subject's.
func fileName(name string) string {
	safe := strings.Map(func(r rune) rune {
		if strings.ContainsRune("/\\:*?\"<>|", r) || r < ' ' {
			return '_'
		}
		return r
	}, name)
	return strings.TrimLeft(safe, ".-")
}

func isFree(path string) error {
	if _, err := os.Lstat(path); path != "" && err == nil {
		return report.Usagef("%s is there already, and is not overwritten: choose other files with --out", path)
	}
	return nil
}

// save writes the key first: a certificate without its key is of no use.
func save(issued tls.Certificate, file, keyFile string) error {
	if keyFile != "" {
		der, err := devca.MarshalKey(issued.PrivateKey)
		if err != nil {
			return err
		}
		if err := devca.WriteNew(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
			return err
		}
	}
	var chain []byte
	for _, der := range issued.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	err := devca.WriteNew(file, chain, 0o644)
	if err != nil && keyFile != "" {
		err = errors.Join(err, os.Remove(keyFile))
	}
	return err
}
