package flags

import (
	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/certstore"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
)

// Identities name the certificates of a server.
type Identities struct{ certs, keys []string }

// Register adds the flags to a verb.
func (f *Identities) Register(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.certs, "cert", nil,
		"the server's certificate chain, a PEM `file`; give the flag again for another name or kind of key")
	cmd.Flags().StringArrayVar(&f.keys, "key", nil,
		"its private key, a PEM `file`, once for each --cert in the same order (default: in the file of --cert)")
}

// Files are the certificates that were given.
func (f *Identities) Files() []string { return f.certs }

// Load reads the certificates, and names their files. There are none without the flags.
func (f *Identities) Load() (certs []tls.Certificate, pairs []certstore.Pair, err error) {
	switch {
	case len(f.certs) == 0 && len(f.keys) > 0:
		return nil, nil, report.Usagef("--key needs --cert beside it")
	case len(f.keys) > 0 && len(f.keys) != len(f.certs):
		return nil, nil, report.Usagef("--cert is given %d times and --key %d times; give one --key for each --cert, in the same order", len(f.certs), len(f.keys))
	}
	for i, file := range f.certs {
		one := Identity{Cert: file}
		pair := certstore.Pair{Cert: file, Key: file}
		if len(f.keys) > 0 {
			one.key, pair.Key = f.keys[i], f.keys[i]
		}
		cert, _, err := one.Load()
		if err != nil {
			return nil, nil, err
		}
		certs, pairs = append(certs, cert), append(pairs, pair)
	}
	return certs, pairs, nil
}
