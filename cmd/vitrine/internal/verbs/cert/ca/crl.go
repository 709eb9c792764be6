package ca

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/devca"
)

// List is what vitrine cert ca crl wrote.
type List struct {
	// File is the list of the certificate that issues, RootFile that of the root above
	// it, which is about the intermediate.
	File       string    `json:"file"`
	RootFile   string    `json:"root_file,omitempty"`
	NextUpdate time.Time `json:"next_update"`
	// Revoked counts the certificates that are revoked.
	Revoked int `json:"revoked"`
}

func (l List) text() string {
	s := line("wrote %s; %d revoked; the next is due on %s", l.File, l.Revoked, l.NextUpdate.Format(time.DateOnly))
	if l.RootFile != "" {
		s += line("wrote %s, the root's list", l.RootFile)
	}
	return s
}

type crlOptions struct {
	common
	out  string
	days int
}

func newCRL() *cobra.Command {
	o := &crlOptions{}
	cmd := &cobra.Command{
		Use:   "crl --dir FOLDER",
		Short: "Write the list of what is revoked",
		Long: `Write the CRL of the intermediate and, in root-FILE beside it, that of the root,
in PEM and in place of those that were there. openssl verify -crl_check -CRLfile
and the --crl of vitrine cert verify read them. A running vitrine cert ca ocsp
hands out the same lists over HTTP.`,
		Example: `  vitrine cert ca crl --dir ca --out crl.pem`,
		Args:    flags.Arguments(0, 0, "vitrine cert ca crl --dir ca"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	o.register(cmd)
	cmd.Flags().StringVar(&o.out, "out", "", "the `file` to write (default: crl.pem in the authority's folder)")
	cmd.Flags().IntVar(&o.days, "days", 7, "how many `days` until the next list is due")
	return cmd
}

func (o *crlOptions) run(cmd *cobra.Command) error {
	if err := checkDays(o.days); err != nil {
		return err
	}
	ca, dir, err := o.open()
	if err != nil {
		return err
	}
	if o.out == "" {
		o.out = filepath.Join(dir, "crl.pem")
	}
	made := List{File: o.out, NextUpdate: time.Now().Add(o.life()).UTC().Truncate(time.Second)}
	if ca.Intermediate() != nil {
		made.RootFile = filepath.Join(filepath.Dir(o.out), "root-"+filepath.Base(o.out))
	}
	record, err := ca.Record()
	if err != nil {
		return report.Usagef("--dir: %v", err)
	}
	for _, c := range record.Issued {
		if !c.RevokedAt.IsZero() {
			made.Revoked++
		}
	}
	if err := o.save(ca, made.File, false); err != nil {
		return err
	}
	if made.RootFile != "" {
		if err := o.save(ca, made.RootFile, true); err != nil {
			return err
		}
	}
	return o.write(cmd.OutOrStdout(), made)
}

func (o *crlOptions) life() time.Duration { return time.Duration(o.days) * 24 * time.Hour }

// save writes a list in place of the one before.
func (o *crlOptions) save(ca *devca.CA, path string, ofRoot bool) error {
	if err := isList(path); err != nil {
		return err
	}
	der, err := ca.CRL(ofRoot, o.life())
	if err != nil {
		return report.Usagef("--dir: %v", err)
	}
	return devca.Replace(path, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), 0o644)
}

// isList refuses to write over what is not a CRL.
func isList(path string) error {
	have, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if block, _ := pem.Decode(have); err != nil || block == nil || block.Type != "X509 CRL" {
		return report.Usagef("--out %s is there already and is not a CRL: choose another file", path)
	}
	return nil
}
