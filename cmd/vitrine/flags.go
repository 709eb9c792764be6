package main

import (
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/tls"
)

// completeFrom lets the shell complete a flag's value.
func completeFrom(cmd *cobra.Command, flag string, values []string) {
	complete(cmd, flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// completeList does the same for a flag that is a list, behind its last comma.
func completeList(cmd *cobra.Command, flag string, values []string) {
	complete(cmd, flag, func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		before := begun[:strings.LastIndexByte(begun, ',')+1]
		var list []string
		for _, v := range values {
			list = append(list, before+v)
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	})
}

func complete(cmd *cobra.Command, flag string, how cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, how); err != nil {
		panic(err) // the flag does not exist
	}
}

// checkTimeout refuses a limit that is over before it begins.
func checkTimeout(limit time.Duration) error {
	if limit <= 0 {
		return usagef("--timeout %v leaves no time; give something like 10s", limit)
	}
	return nil
}

// identityFlags name our own certificate.
type identityFlags struct{ cert, key string }

func (f *identityFlags) register(cmd *cobra.Command, whose string) {
	cmd.Flags().StringVar(&f.cert, "cert", "", whose+" certificate chain, a PEM `file`")
	cmd.Flags().StringVar(&f.key, "key", "", "its private key, a PEM `file` (default: in the file of --cert)")
}

// load returns the certificate, or ok false without the flags.
func (f *identityFlags) load() (cert tls.Certificate, ok bool, err error) {
	switch {
	case f.cert == "" && f.key == "":
		return tls.Certificate{}, false, nil
	case f.cert == "":
		return tls.Certificate{}, false, usagef("--key needs --cert beside it")
	case f.key == "":
		f.key = f.cert
	}
	cert, err = tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return tls.Certificate{}, false, usagef("--cert %s --key %s: %v", f.cert, f.key, err)
	}
	return cert, true, nil
}

// loadPool reads the certificates to trust from a PEM file.
func loadPool(flag, file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err == nil {
		pool := x509.NewCertPool()
		if pool.AppendCertsFromPEM(pem) {
			return pool, nil
		}
		err = errors.New(file + " holds no certificate in PEM form")
	}
	return nil, usagef("--%s: %v", flag, err)
}
