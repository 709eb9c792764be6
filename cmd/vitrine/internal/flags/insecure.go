package flags

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/tls"
)

// Insecure is the flag --insecure, for looking at a server that fails every check.
type Insecure struct{ On bool }

// Register adds the flag to a verb.
func (f *Insecure) Register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.On, "insecure", false, "accept any certificate, and say what is wrong with it: you may be talking to an impostor")
}

// Apply lets config take any certificate. It comes after TLS.Apply. Where nothing is
// proven by a certificate, a short key in it opens nothing, nor does a serial number
// that crypto/x509 does not read.
func (f *Insecure) Apply(config *tls.Config) error {
	if !f.On {
		return nil
	}
	config.InsecureSkipVerify, config.Legacy.SmallRSA = true, true
	settings := strings.Split(os.Getenv("GODEBUG"), ",")
	return os.Setenv("GODEBUG", strings.Trim(strings.Join(append(settings, "x509negativeserial=1"), ","), ","))
}
