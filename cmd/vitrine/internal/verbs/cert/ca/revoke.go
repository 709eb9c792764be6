package ca

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/devca"
)

// Revoked is what vitrine cert ca revoke did.
type Revoked struct {
	Subject string `json:"subject"`
	// Serial is in hexadecimal digits.
	Serial    string    `json:"serial"`
	RevokedAt time.Time `json:"revoked_at"`
	Reason    string    `json:"reason"`
}

func (r Revoked) text() string {
	return line("revoked %s for %s: %s", r.Serial, r.Subject, r.Reason) +
		line("the OCSP responder says so at once, a CRL when vitrine cert ca crl makes it anew")
}

// reasons are those that fit a development authority's leaves. RFC 5280 §5.3.1.
var reasons = []struct {
	word string
	code revocation.Reason
}{
	{"unspecified", revocation.Unspecified},
	{"key-compromise", revocation.KeyCompromise},
	{"ca-compromise", revocation.CACompromise},
	{"affiliation-changed", revocation.AffiliationChanged},
	{"superseded", revocation.Superseded},
	{"cessation-of-operation", revocation.CessationOfOperation},
	{"certificate-hold", revocation.CertificateHold},
	{"privilege-withdrawn", revocation.PrivilegeWithdrawn},
}

type revokeOptions struct {
	common
	reason string
}

func newRevoke() *cobra.Command {
	o := &revokeOptions{}
	var words []string
	for _, r := range reasons {
		words = append(words, r.word)
	}
	cmd := &cobra.Command{
		Use:   "revoke --dir FOLDER FILE|SERIAL",
		Short: "Revoke a certificate",
		Long: `Revoke the first certificate in FILE, or the one with a serial number in
hexadecimal digits. It stays revoked for good. The OCSP responder says so at
once, and a CRL as soon as it is made anew.`,
		Example: `  vitrine cert ca revoke --dir ca box.test.pem --reason key-compromise`,
		Args:    flags.Arguments(1, 1, "vitrine cert ca revoke --dir ca box.test.pem"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	o.register(cmd)
	cmd.Flags().StringVar(&o.reason, "reason", words[0], "the `reason`: "+strings.Join(words, ", "))
	flags.CompleteFrom(cmd, "reason", words)
	return cmd
}

func (o *revokeOptions) run(cmd *cobra.Command, what string) error {
	for _, r := range reasons {
		if r.word == o.reason {
			return o.revoke(cmd, what, r.code)
		}
	}
	return report.Usagef("--reason %q is not a reason; vitrine cert ca revoke --help lists them", o.reason)
}

func (o *revokeOptions) revoke(cmd *cobra.Command, what string, reason revocation.Reason) error {
	ca, _, err := o.open()
	if err != nil {
		return err
	}
	serial, err := serialOf(ca, what)
	if err != nil {
		return err
	}
	done, err := ca.Revoke(serial, int(reason))
	if err != nil {
		return report.Usagef("%v", err)
	}
	return o.write(cmd.OutOrStdout(), Revoked{Subject: done.Subject, Serial: done.Serial, RevokedAt: done.RevokedAt, Reason: reason.String()})
}

// serialOf reads a file's certificate, which must be of this authority, or a number.
func serialOf(ca *devca.CA, what string) (string, error) {
	data, err := os.ReadFile(what)
	if err != nil {
		if strings.Trim(strings.ToLower(what), "0123456789abcdef:") == "" {
			return what, nil
		}
		return "", report.Usagef("%v", err)
	}
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	cert, err := x509.ParseCertificate(data)
	if err != nil {
		return "", report.Usagef("%s does not begin with a certificate: %v", what, err)
	}
	for _, issuer := range []*x509.Certificate{ca.Intermediate(), ca.Cert} {
		if issuer != nil && cert.CheckSignatureFrom(issuer) == nil {
			return cert.SerialNumber.Text(16), nil
		}
	}
	return "", report.Usagef("%s is of another authority: %s", what, cert.Issuer)
}
