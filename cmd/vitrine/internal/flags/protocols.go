package flags

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// ALPN is the flag --alpn.
type ALPN struct{ Protocols []string }

// Register adds the flag to a verb; example ends its description.
func (f *ALPN) Register(cmd *cobra.Command, byDefault []string, example string) {
	cmd.Flags().StringSliceVar(&f.Protocols, "alpn", byDefault, "application `protocols` to offer, best first"+example)
}

// Check finds names that cannot be sent. RFC 7301 §3.1.
func (f *ALPN) Check() error {
	for i, name := range f.Protocols {
		switch {
		case name == "":
			return report.Usagef("--alpn has an empty name in its list; leave one comma out")
		case len(name) > 255:
			return report.Usagef("--alpn has a name of %d bytes; 255 are possible", len(name))
		case slices.Contains(f.Protocols[:i], name):
			return report.Usagef("--alpn has %q twice; leave one out", name)
		}
	}
	return nil
}
