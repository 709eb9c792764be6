package flags

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
)

// RevocationModes are the values of --revocation.
var RevocationModes = []string{revocation.Off.String(), revocation.Soft.String(), revocation.Hard.String()}

// Revocation are the flags on how to find out whether a certificate is revoked.
type Revocation struct {
	mode  string
	files []string
}

// Register adds the flags to a verb. usual is what --revocation is without the flag.
func (f *Revocation) Register(cmd *cobra.Command, usual revocation.Mode) {
	set := cmd.Flags()
	set.StringVar(&f.mode, "revocation", usual.String(),
		"is a certificate revoked? `mode` off does not ask; soft refuses what is revoked, hard also what nobody knows about")
	set.StringArrayVar(&f.files, "crl", nil,
		"ask this certificate revocation list, a `file` in PEM or DER, before others; may be given again (turns on --revocation soft)")
	CompleteFrom(cmd, "revocation", RevocationModes)
}

// Apply sets what asks in config. With --revocation off nobody is asked, and without the
// flags only what the peer staples.
func (f *Revocation) Apply(cmd *cobra.Command, config *tls.Config) error {
	if !cmd.Flags().Changed("revocation") && len(f.files) == 0 {
		return nil
	}
	k, err := f.Load(cmd)
	if k == nil {
		k = &revocation.Checker{}
	}
	config.Revocation = k
	return err
}

// Load returns what asks, nil for --revocation off without a list: nobody is asked
// then. Answers from the network are kept in a folder of the user's for as long as they
// hold; without such a folder they are fetched each time.
func (f *Revocation) Load(cmd *cobra.Command) (*revocation.Checker, error) {
	mode, ok := revocation.ParseMode(f.mode)
	if !ok {
		return nil, report.Usagef("--revocation %q is not possible; choose off, soft or hard", f.mode)
	}
	lists, err := f.lists()
	if err != nil {
		return nil, err
	}
	if len(lists) > 0 && mode == revocation.Off {
		if cmd.Flags().Changed("revocation") {
			return nil, report.Usagef("--crl does nothing with --revocation off; say --revocation soft or hard")
		}
		mode = revocation.Soft
	}
	if mode == revocation.Off {
		return nil, nil
	}
	return &revocation.Checker{Mode: mode, Lists: lists, Fetcher: &fetch.Client{Dir: answersFolder()}, Cache: &revocation.Cache{}}, nil
}

func (f *Revocation) lists() (lists []*revocation.List, err error) {
	for _, name := range f.files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, report.Usagef("--crl: %v", err)
		}
		l, err := revocation.ParseCRL(text)
		if err != nil {
			return nil, report.Usagef("--crl %s is no certificate revocation list in PEM or DER: %v", name, err)
		}
		lists = append(lists, l)
	}
	return lists, nil
}

// answersFolder is where answers from the network are kept; empty where the user has no
// such place.
func answersFolder() string {
	base, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(base, "vitrine", "revocation")
}
