// Package delegate is the verb cert delegate.
package delegate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// usualLife leaves a client with a slow clock days before it finds a new credential too long.
const usualLife = 72 * time.Hour

// keys are what a credential can be for.
var keys = map[string]func() (crypto.Signer, error){
	"ecdsa-p256": func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	"ecdsa-p384": func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) },
	"ed25519": func() (crypto.Signer, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	},
}

var keyNames = []string{"ecdsa-p256", "ecdsa-p384", "ed25519"}

// options are the flags of vitrine cert delegate.
type options struct {
	identity flags.Identity
	out      string
	kind     string
	valid    time.Duration
	json     bool
}

// Made is what vitrine cert delegate says.
type Made struct {
	// File has the credential and its key, for the server.
	File string `json:"file"`
	// Subject is that of the certificate that delegates.
	Subject string `json:"subject"`
	// SignatureScheme is what the credential's key signs handshakes with.
	SignatureScheme string `json:"signature_scheme"`
	// NotAfter is from when on clients refuse it.
	NotAfter time.Time `json:"not_after"`
}

// New makes the verb.
func New() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "delegate --cert FILE",
		Short: "Delegate a certificate to a new key, for some days",
		Long: `Make a key and a delegated credential for it (RFC 9345): the owner of a
certificate signs that a server may use this key in its name. That holds for
some days. The file of --out is for vitrine serve --delegated-credential, which
reads it again when it changes. Make a new one before the old one ends, from a
timer say.

The certificate must have the extension DelegationUsage and the key usage
digitalSignature. Few authorities issue such; vitrine cert ca issue --delegation
does for trying it out.

By their own clock, clients refuse a credential that is valid for more than
seven days: leave room for slow clocks.`,
		Example: `  vitrine cert delegate --cert chain.pem --key key.pem --out delegated.pem
  vitrine serve --cert chain.pem --key key.pem \
    --delegated-credential delegated.pem
  vitrine connect example.com --accept-delegated`,
		Args: flags.Arguments(0, 0, "vitrine cert delegate --cert chain.pem --key key.pem"),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	set := cmd.Flags()
	set.SortFlags = false
	o.identity.Register(cmd, "the owner's")
	set.StringVar(&o.out, "out", "delegated.pem", "write the credential and its key to this `file`, which is replaced if it is there")
	set.StringVar(&o.kind, "type", keyNames[0], "the `type` of the new key: "+strings.Join(keyNames, ", "))
	set.DurationVar(&o.valid, "valid-for", usualLife, "how long it is valid, a `time` of at most 168h")
	set.Lookup("valid-for").DefValue = "72h"
	set.BoolVar(&o.json, "json", false, "write the result as JSON")
	flags.CompleteFrom(cmd, "type", keyNames)
	return cmd
}

func (o *options) run(cmd *cobra.Command) error {
	cert, given, err := o.identity.Load()
	switch {
	case err != nil:
		return err
	case !given:
		return report.Usagef("say what delegates with --cert and --key, as in: vitrine cert delegate --cert chain.pem --key key.pem")
	case o.valid <= 0 || o.valid > tls.MaxDelegation:
		return report.Usagef("--valid-for %v is not possible; choose more than nothing and at most 168h, seven days: clients refuse what is longer", o.valid)
	}
	generate, ok := keys[o.kind]
	if !ok {
		return report.Usagef("--type %q is not a type of key; choose %s", o.kind, flags.OneOf(keyNames))
	}
	key, err := generate()
	if err != nil {
		return err
	}
	d, err := tls.Delegate(&cert, key, time.Now(), o.valid)
	if err != nil {
		return report.Usagef("--cert: %s; to try it, vitrine cert ca issue --delegation makes one", report.Rule(err))
	}
	text, err := tls.MarshalDelegatedCredential(d)
	if err != nil {
		return err
	}
	if err := replace(o.out, text); err != nil {
		return err
	}
	return o.write(cmd, Made{File: o.out, Subject: cert.Leaf.Subject.String(), SignatureScheme: wire.SignatureScheme(d.Scheme()).String(), NotAfter: d.Expiry().UTC()})
}

// replace puts text into a file at once: a server that reads it has the old or the new one.
func replace(name string, text []byte) error {
	switch err := devca.Replace(name, text, 0o600).(type) {
	case nil:
		return nil
	case *fs.PathError:
		return report.Usagef("--out: %s cannot be written: %v", name, err.Err)
	case *os.LinkError:
		return report.Usagef("--out: %s cannot be written: %v", name, err.Err)
	default:
		return err
	}
}

func (o *options) write(cmd *cobra.Command, m Made) error {
	w := cmd.OutOrStdout()
	if o.json {
		return report.JSON(w, m)
	}
	_, err := fmt.Fprintf(w, "delegated for %s with %s, valid until %s\nthe credential and its key are in %s, for vitrine serve --delegated-credential; keep it secret\n",
		m.Subject, m.SignatureScheme, m.NotAfter.Format(time.RFC3339), m.File)
	return err
}
