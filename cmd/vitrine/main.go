// Vitrine serves, connects to and explains TLS. See vitrine help.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/root"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/cert"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/connect"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/explain"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/lab"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/man"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/proxy"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/scan"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/serve"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/suites"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/version"
)

// verbs are the commands, in the order in which help shows them. A verb is one
// folder, with a function that makes its command.
var verbs = []func() *cobra.Command{
	explain.New,
	connect.New,
	serve.New,
	proxy.New,
	scan.New,
	lab.New,
	cert.New,
	suites.New,
	man.New,
	version.New,
}

func main() {
	os.Exit(root.Run(root.New(verbs), os.Args[1:]))
}
