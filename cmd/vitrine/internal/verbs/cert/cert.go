// Package cert is the verb cert, above what can be done with certificates.
package cert

import (
	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/cert/ca"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/cert/delegate"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/cert/ech"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/cert/expiry"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/cert/show"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/cert/verify"
)

// subcommands are in the order in which help shows them.
var subcommands = []func() *cobra.Command{
	show.New,
	verify.New,
	expiry.New,
	ca.New,
	ech.New,
	delegate.New,
}

// New makes the verb.
func New() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cert",
		Short: "Show, verify, watch and issue certificates",
		Long:  "Show, verify and watch certificates, of files and of servers, and issue them.",
	}
	flags.Group(cmd, "vitrine cert verify example.com")
	for _, sub := range subcommands {
		cmd.AddCommand(sub())
	}
	return cmd
}
