// Package flags holds the groups of flags that several verbs have, and turns them
// into a tls.Config.
package flags

import (
	"crypto/x509"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
)

// CompleteFrom lets the shell complete a flag's value.
func CompleteFrom(cmd *cobra.Command, flag string, values []string) {
	complete(cmd, flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// CompleteList does the same for a flag that is a list, behind its last comma or
// colon.
func CompleteList(cmd *cobra.Command, flag string, values []string) {
	complete(cmd, flag, func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		before := begun[:strings.LastIndexAny(begun, ",:")+1]
		var list []string
		for _, v := range values {
			list = append(list, before+v)
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	})
}

// splitColons divides names that stand in a list as OpenSSL writes it, A:B.
func splitColons(names []string) []string {
	var list []string
	for _, name := range names {
		list = append(list, strings.FieldsFunc(name, func(r rune) bool { return r == ':' || r == ' ' })...)
	}
	return list
}

func complete(cmd *cobra.Command, flag string, how cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, how); err != nil {
		panic(err) // the flag does not exist
	}
}

// Identity names our own certificate.
type Identity struct{ Cert, key string }

func (f *Identity) Register(cmd *cobra.Command, whose string) {
	cmd.Flags().StringVar(&f.Cert, "cert", "", whose+" certificate chain, a PEM `file`")
	cmd.Flags().StringVar(&f.key, "key", "", "its private key, a PEM `file` (default: in the file of --cert)")
}

// Load returns the certificate, or ok false without the flags.
func (f *Identity) Load() (cert tls.Certificate, ok bool, err error) {
	switch {
	case f.Cert == "" && f.key == "":
		return tls.Certificate{}, false, nil
	case f.Cert == "":
		return tls.Certificate{}, false, report.Usagef("--key needs --cert beside it")
	case f.key == "":
		f.key = f.Cert
	}
	cert, err = tls.LoadX509KeyPair(f.Cert, f.key)
	if err != nil {
		return tls.Certificate{}, false, report.Usagef("--cert %s --key %s: %v", f.Cert, f.key, err)
	}
	return cert, true, nil
}

// Show lets config show the certificate to a server that asks for one, whichever
// authorities that names: only the certificate's key must be able to sign as it asks.
// It reports whether there is a certificate.
func (f *Identity) Show(config *tls.Config) (given bool, err error) {
	cert, given, err := f.Load()
	if err != nil || !given {
		return false, err
	}
	config.Certificates = []tls.Certificate{cert}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	return true, nil
}

// Pool reads the certificates to trust from a PEM file.
func Pool(flag, file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err == nil {
		pool := x509.NewCertPool()
		if pool.AppendCertsFromPEM(pem) {
			return pool, nil
		}
		err = errors.New(file + " holds no certificate in PEM form")
	}
	return nil, report.Usagef("--%s: %v", flag, err)
}
