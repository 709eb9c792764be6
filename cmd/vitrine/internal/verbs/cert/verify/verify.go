// Package verify is the verb cert verify.
package verify

import (
	"cmp"
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/net/publicsuffix"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// options are the flags of vitrine cert verify.
type options struct {
	reader            certs.Reader
	revocation        flags.Revocation
	name, ca, profile string
	at                moment
	pins              []string
	fetchIssuers      bool
	verbose, json     bool
}

var profiles = []string{certcheck.Interoperable.String(), certcheck.RFC5280.String(), certcheck.WebPKI.String()}

// New makes the verb.
func New() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "verify FILE|HOST[:PORT]",
		Short: "Say whether certificates would be accepted, and why not",
		Long: `Verify the certificates in FILE, the first of them as a server's own, or those
that HOST shows. vitrine checks the path to a trusted root, times, name,
purpose, and every rule of the profile. Problems come first, with what to
change. If they are refused, the exit code is 5.

FILE is in PEM, DER, PKCS#7 or PKCS#12, or - for standard input. Without --name
a server is verified for HOST, and a file for the first name that stands in it.

Profiles: interoperable has every rule that protects you; rfc5280 adds every
MUST of RFC 5280, and webpki what the CA/Browser Forum demands. If a stricter
profile would refuse it, you get a warning.`,
		Example: `  vitrine cert verify example.com
  vitrine cert verify fullchain.pem --name www.example.com --at 2027-01-31
  vitrine cert verify server.pem --ca root.pem --profile webpki --verbose
  vitrine cert verify example.com --revocation hard --json`,
		Args: flags.Arguments(1, 1, "vitrine cert verify example.com"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&o.name, "name", "", "the DNS `name` or address that the certificate must be for; a server is asked for it, too")
	set.StringVar(&o.ca, "ca", "", "trust the authorities in this PEM `file` instead of the system's")
	set.Var(&o.at, "at", "verify for this moment, like 2027-01-31 or 2027-01-31T12:00:00Z (default: now)")
	set.StringVar(&o.profile, "profile", profiles[0], "how strict to be, by this `profile`: "+strings.Join(profiles, ", "))
	flags.CompleteFrom(cmd, "profile", profiles)
	set.StringArrayVar(&o.pins, "pin", nil, "demand a key with this SHA-256 in the path, a `hash` in hex or as sha256//BASE64. The server's own key then needs no authority. Give --pin again for another")
	set.BoolVar(&o.fetchIssuers, "fetch-issuers", false, "fetch authorities that are missing from where the certificates say")
	o.revocation.Register(cmd, "the")
	set.BoolVarP(&o.verbose, "verbose", "v", false, "show every check, and not only those that failed")
	set.BoolVar(&o.json, "json", false, "write all of it as JSON to standard output")
	o.reader.Register(cmd)
	return cmd
}

func (o *options) run(cmd *cobra.Command, target string) error {
	profile, ok := certcheck.ParseProfile(o.profile)
	if !ok {
		return report.Usagef("--profile %q is not a profile; choose %s", o.profile, strings.Join(profiles, ", "))
	}
	asked := certcheck.Options{Profile: profile, Time: cmp.Or(o.at.Time, time.Now()), Anew: true, PublicSuffix: isPublicSuffix}
	var err error
	if o.ca != "" {
		if asked.Roots, err = flags.Pool("ca", o.ca); err != nil {
			return err
		}
	}
	if asked.Schemes, err = o.reader.Schemes(); err != nil {
		return err
	}
	if asked.Pins, err = pins(o.pins); err != nil {
		return err
	}
	if asked.TrustPinned = true; o.fetchIssuers {
		asked.Issuers = new(fetch.Client)
	}
	if asked.Revocation, err = o.revocation.Load(cmd); err != nil {
		return err
	}
	o.reader.Stdin = cmd.InOrStdin()
	source, err := o.reader.Open(cmd.Context(), target, o.name)
	if err != nil {
		return certs.Fail(cmd, target, o.json, err)
	}
	v, refused := o.judge(cmd.Context(), source, asked)
	if o.json {
		err = report.JSON(cmd.OutOrStdout(), v)
	} else {
		err = v.write(cmd.OutOrStdout(), o.verbose)
	}
	if err == nil && refused != nil {
		err = report.Reported(refused)
	}
	return err
}

func isPublicSuffix(domain string) bool {
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}

// judge verifies the certificates of a source, and says what was found.
func (o *options) judge(ctx context.Context, source *certs.Source, asked certcheck.Options) (*Verification, *certcheck.Error) {
	v := &Verification{
		Target: source.Target, Profile: asked.Profile.String(), At: asked.Time.UTC().Truncate(time.Second),
		Mode: o.revocation.Mode(), Chain: source.Describe(asked.Time),
	}
	sent, err := certcheck.Parse(source.Chain())
	if refused, ok := err.(*certcheck.Error); ok {
		return v.refuse(refused), refused
	}
	if len(sent) > 0 {
		o.purpose(source, sent[0], &asked)
	}
	v.ServerName = asked.Name
	asked.Staples, asked.MustStaple = source.Staples, source.Host != ""
	verdict := certcheck.Judge(ctx, sent, asked)
	v.fill(verdict, sent, asked)
	if verdict.Refused != nil {
		return v.refuse(verdict.Refused), verdict.Refused
	}
	return v, nil
}

// purpose sets for what the leaf has to be good: to be the server of a name. A file
// whose leaf has no name and is for no server is verified as it is.
func (o *options) purpose(source *certs.Source, leaf *x509.Certificate, asked *certcheck.Options) {
	asked.Name = cmp.Or(o.name, source.Host)
	if asked.Name == "" {
		for _, name := range leaf.DNSNames {
			asked.Name = cmp.Or(asked.Name, strings.Replace(name, "*", "any", 1))
		}
		for _, ip := range leaf.IPAddresses {
			asked.Name = cmp.Or(asked.Name, ip.String())
		}
	}
	forServers := len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 || slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	if o.name == "" && source.Host == "" && (!forServers || asked.Name == "") {
		asked.Name, asked.Usages = "", []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	}
}
