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

// Stapled is the value of --revocation which stands for what package tls does where
// nothing else is asked for: what the peer sends is verified, and nothing is fetched.
const Stapled = "stapled"

// RevocationModes are the values of --revocation.
var RevocationModes = []string{revocation.Off.String(), Stapled, revocation.Soft.String(), revocation.Hard.String()}

// Revocation are the flags on how to find out whether a certificate is revoked.
type Revocation struct {
	mode  string
	files []string
}

// Register adds the flags to a verb. whose certificate it is follows "is".
func (f *Revocation) Register(cmd *cobra.Command, whose string) {
	set := cmd.Flags()
	set.StringVar(&f.mode, "revocation", Stapled, "how to check that "+whose+
		" certificate is not revoked, a `mode`: off, stapled (by the peer's staple), soft (also asks its authority) or hard (refuses it without an answer)")
	set.StringArrayVar(&f.files, "crl", nil,
		"a certificate revocation list to look at first, a PEM or DER `file`; give the flag again for more (turns on --revocation soft)")
	CompleteFrom(cmd, "revocation", RevocationModes)
}

// Given reports that one of the flags is there.
func (f *Revocation) Given(cmd *cobra.Command) bool {
	return cmd.Flags().Changed("revocation") || len(f.files) > 0
}

// Mode names what [Revocation.Load] returned.
func (f *Revocation) Mode() string { return f.mode }

// Apply sets what asks in config.
func (f *Revocation) Apply(cmd *cobra.Command, config *tls.Config) (err error) {
	if f.Given(cmd) {
		config.Revocation, err = f.Load(cmd)
	}
	return err
}

// Load returns what asks; one with the mode Off asks nobody. Answers from the network are
// kept in a folder of the user's for as long as they hold; without such a folder they are
// fetched each time.
func (f *Revocation) Load(cmd *cobra.Command) (*revocation.Checker, error) {
	lists, err := f.lists()
	if err != nil {
		return nil, err
	}
	if len(lists) > 0 && !cmd.Flags().Changed("revocation") {
		f.mode = revocation.Soft.String()
	}
	checker := &revocation.Checker{Mode: revocation.Soft, Lists: lists, Cache: &revocation.Cache{}}
	if f.mode == Stapled {
		return checker, nil
	}
	var ok bool
	switch checker.Mode, ok = revocation.ParseMode(f.mode); {
	case !ok:
		return nil, report.Usagef("--revocation %q is not possible; choose %s", f.mode, OneOf(RevocationModes))
	case checker.Mode == revocation.Off && len(lists) > 0:
		return nil, report.Usagef("--crl does nothing with --revocation off; say --revocation soft or hard")
	case checker.Mode != revocation.Off:
		checker.Fetcher = Answers()
	}
	return checker, nil
}

// Words say what is known of each certificate of a chain that was verified, leaf first.
// There are none where nobody was asked.
func (f *Revocation) Words(answers []revocation.Answer) (list []string) {
	for _, a := range answers {
		list = append(list, a.String())
	}
	if asks := f.mode == revocation.Soft.String() || f.mode == revocation.Hard.String(); asks && len(list) == 0 {
		return []string{revocation.Answer{}.String()} // there was no source
	}
	return list
}

func (f *Revocation) lists() (lists []*revocation.List, err error) {
	for _, name := range f.files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, report.Usagef("--crl: %v", err)
		}
		l, err := revocation.ParseCRL(text)
		if err != nil {
			return nil, report.Usagef("--crl %s is not a certificate revocation list in PEM or DER: %v", name, err)
		}
		lists = append(lists, l)
	}
	return lists, nil
}

// Answers fetches from the network, and keeps what it gets for as long as that holds.
func Answers() revocation.Fetcher { return &fetch.Client{Dir: answersFolder()} }

// answersFolder is where answers from the network are kept; empty where the user has no
// such place.
func answersFolder() string {
	base, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(base, "vitrine", "revocation")
}
