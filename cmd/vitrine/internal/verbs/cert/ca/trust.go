package ca

import (
	"slices"
	"strings"

	"github.com/smallstep/truststore"
	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// Trust is what vitrine cert ca trust and untrust did.
type Trust struct {
	// File has the root's certificate.
	File    string `json:"file"`
	Subject string `json:"subject"`
	SHA256  string `json:"sha256"`
	// Trusted is set by trust, and not by untrust.
	Trusted bool `json:"trusted"`
	// DryRun is set where nothing was changed.
	DryRun bool    `json:"dry_run,omitempty"`
	Stores []Store `json:"stores"`
}

// Store is one place where programs look for authorities.
type Store struct {
	Store string `json:"store"`
	// Changed is set where it trusts the root now, or does not any more.
	Changed bool `json:"changed"`
	// Skipped is why it was left alone.
	Skipped string `json:"skipped,omitempty"`
}

func (t Trust) text() string {
	done := map[[2]bool]string{
		{true, false}: "trusts it now", {false, false}: "does not trust it any more",
		{true, true}: "would be told to trust it", {false, true}: "would be told to forget it",
	}[[2]bool{t.Trusted, t.DryRun}]
	s := line("%s in %s", t.Subject, t.File) + line("its SHA-256 is %s", t.SHA256)
	for _, store := range t.Stores {
		if store.Skipped != "" {
			s += line("%s: left alone: %s", storeNames[store.Store], store.Skipped)
		} else {
			s += line("%s: %s", storeNames[store.Store], done)
		}
	}
	return s
}

var storeWords = []string{"system", "nss", "java"}

var storeNames = map[string]string{
	"system": "the system's store", "nss": "NSS (Firefox, Chrome on Linux)", "java": "Java",
}

// truster is a store that may be missing on a machine.
var trusters = map[string]func() (truststore.Trust, error){
	"nss":  func() (truststore.Trust, error) { return truststore.NewNSSTrust() },
	"java": func() (truststore.Trust, error) { return truststore.NewJavaTrust() },
}

type trustOptions struct {
	common
	trusted bool
	stores  []string
	dryRun  bool
}

func newTrust() *cobra.Command {
	return trustVerb(&trustOptions{trusted: true}, "trust", "Have this machine trust the root",
		`Put the root into the stores of this machine: the system's, and those of NSS and
Java where they are. The system's needs the rights of an administrator (by
sudo). From then on programs accept what the authority issues, for the names
that it can certify. Its keys in the folder are as valuable as those names.`)
}

func newUntrust() *cobra.Command {
	return trustVerb(&trustOptions{}, "untrust", "Have this machine trust the root no more",
		`Take the root out of the stores of this machine again.`)
}

func trustVerb(o *trustOptions, verb, short, long string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     verb + " --dir FOLDER",
		Short:   short,
		Long:    long,
		Example: "  vitrine cert ca " + verb + " --dir ca --dry-run\n  vitrine cert ca " + verb + " --dir ca --store nss",
		Args:    flags.Arguments(0, 0, "vitrine cert ca "+verb+" --dir ca"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	o.register(cmd)
	cmd.Flags().StringSliceVar(&o.stores, "store", storeWords, "which `stores` to change")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "say what would be done, and change nothing")
	flags.CompleteFrom(cmd, "store", storeWords)
	return cmd
}

func (o *trustOptions) run(cmd *cobra.Command) error {
	for _, s := range o.stores {
		if !slices.Contains(storeWords, s) {
			return report.Usagef("--store %q is not a store; choose from %s", s, strings.Join(storeWords, ", "))
		}
	}
	ca, _, err := o.open()
	if err != nil {
		return err
	}
	done := Trust{
		File: ca.File(), Subject: ca.Cert.Subject.String(), SHA256: fingerprint(ca.Cert), Trusted: o.trusted, DryRun: o.dryRun,
	}
	asked := cmd.Flags().Changed("store")
	for _, name := range o.stores {
		store := Store{Store: name}
		options, err := optionsFor(name)
		switch {
		case err != nil && asked:
			return report.Usagef("--store %s: %v", name, err)
		case err != nil:
			store.Skipped = err.Error()
		case !o.dryRun:
			if err := o.apply(ca.File(), options); err != nil {
				return report.Usagef("%s could not be changed (before it: %s): %v", storeNames[name], changed(done.Stores), err)
			}
			store.Changed = true
		}
		done.Stores = append(done.Stores, store)
	}
	return o.write(cmd.OutOrStdout(), done)
}

// optionsFor selects one store, or says why it cannot be used. By itself truststore
// passes over one that is missing in silence.
func optionsFor(name string) ([]truststore.Option, error) {
	find := trusters[name]
	if find == nil {
		return nil, nil // the system's, which is there without an option
	}
	trust, err := find()
	if err != nil {
		return nil, err
	}
	if err := trust.PreCheck(); err != nil {
		return nil, err
	}
	return []truststore.Option{truststore.WithNoSystem(), truststore.WithTrust(trust)}, nil
}

func (o *trustOptions) apply(file string, options []truststore.Option) error {
	if o.trusted {
		return truststore.InstallFile(file, options...)
	}
	return truststore.UninstallFile(file, options...)
}

func changed(stores []Store) string {
	var names []string
	for _, s := range stores {
		if s.Changed {
			names = append(names, s.Store)
		}
	}
	if names == nil {
		return "nothing was changed"
	}
	return "changed were " + strings.Join(names, ", ")
}
