// Package show is the verb cert show.
package show

import (
	"encoding/pem"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// options are the flags of vitrine cert show.
type options struct {
	reader          certs.Reader
	name            string
	pem, lint, json bool
}

// New makes the verb.
func New() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "show FILE|HOST[:PORT]",
		Short: "Show what is in a certificate, key, request, list or response",
		Long: `Show what FILE holds, or the certificates that HOST shows, and its stapled OCSP
response. Nothing is verified: see vitrine cert verify. No private key is shown,
but for its kind and the certificate that it fits.

FILE may hold certificates, private keys, certificate requests, revocation lists
and OCSP responses. It is in PEM, DER, PKCS#7, PKCS#8 (encrypted or not) or
PKCS#12; - is standard input. Some certificates crypto/x509 cannot read, such as
those with negative serial numbers or unknown curves. They are shown too, with
the reason why no program in Go accepts them.

--lint asks zlint, with hundreds of rules of RFC 5280, the CA/Browser Forum and
others. If it finds an error, the exit code is 1.`,
		Example: `  vitrine cert show example.com
  vitrine cert show fullchain.pem --lint
  vitrine cert show store.p12 --password-file password.txt
  vitrine cert show example.com --pem > chain.pem`,
		Args: flags.Arguments(1, 1, "vitrine cert show example.com"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&o.name, "name", "", "the `name` to ask a server for (default: HOST)")
	set.BoolVar(&o.pem, "pem", false, "write the certificates in PEM, and nothing else")
	set.BoolVar(&o.lint, "lint", false, "ask zlint what is wrong")
	set.BoolVar(&o.json, "json", false, "write all of it as JSON to standard output")
	o.reader.Register(cmd)
	return cmd
}

func (o *options) run(cmd *cobra.Command, target string) error {
	if o.pem && (o.lint || o.json) {
		return report.Usagef("--pem writes certificates and nothing else; leave --lint and --json out")
	}
	o.reader.Stdin = cmd.InOrStdin()
	source, err := o.reader.Open(cmd.Context(), target, o.name)
	if err != nil {
		return certs.Fail(cmd, target, o.json, err)
	}
	if o.pem {
		return writePEM(cmd, source)
	}
	now := time.Now()
	shown := describe(source, now)
	if o.lint {
		shown.lint(source)
	}
	if o.json {
		err = report.JSON(cmd.OutOrStdout(), shown)
	} else {
		err = shown.write(cmd.OutOrStdout(), now)
	}
	if err == nil && shown.LintErrors > 0 {
		err = report.Reported(errors.New("zlint found errors"))
	}
	return err
}

func writePEM(cmd *cobra.Command, source *certs.Source) error {
	chain := source.Chain()
	if len(chain) == 0 {
		return report.Usagef("%s holds no certificate", source.Target)
	}
	for _, der := range chain {
		if err := pem.Encode(cmd.OutOrStdout(), &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return err
		}
	}
	return nil
}
