package main

import (
	"crypto/x509"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// versionNames are the values of --min and --max.
var versionNames = map[string]wire.Version{"tls1.2": wire.TLS12, "tls1.3": wire.TLS13}

// groupList are the values of --groups, best first; the alias is the name that
// NIST gave.
var groupList = []struct {
	group wire.NamedGroup
	alias string
}{
	{wire.GroupX25519MLKEM768, ""},
	{wire.GroupSecP256r1MLKEM768, ""},
	{wire.GroupSecP384r1MLKEM1024, ""},
	{wire.GroupX25519, ""},
	{wire.GroupP256, "P-256"},
	{wire.GroupP384, "P-384"},
	{wire.GroupP521, "P-521"},
}

// tlsFlags are the flags on what to agree on. They are the same in each verb
// that has them.
type tlsFlags struct {
	min, max       string
	suites, groups []string
}

func (f *tlsFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.min, "min", "tls1.2", "lowest version: tls1.2 or tls1.3")
	flags.StringVar(&f.max, "max", "tls1.3", "highest version: tls1.2 or tls1.3")
	flags.StringSliceVar(&f.suites, "suites", nil, "cipher suites by IANA or OpenSSL names, best first (default: the safe ones; static RSA only if named)")
	flags.StringSliceVar(&f.groups, "groups", nil, "key-exchange groups, best first (default: all)")
	completeFrom(cmd, "min", []string{"tls1.2", "tls1.3"})
	completeFrom(cmd, "max", []string{"tls1.2", "tls1.3"})
	completeFrom(cmd, "suites", suiteNames())
	completeFrom(cmd, "groups", groupNames())
}

// completeFrom lets the shell complete a flag's value.
func completeFrom(cmd *cobra.Command, flag string, values []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag does not exist
	}
}

// apply sets what the flags say in config.
func (f *tlsFlags) apply(config *tls.Config) error {
	low, err := parseVersion("min", f.min)
	if err != nil {
		return err
	}
	high, err := parseVersion("max", f.max)
	if err != nil {
		return err
	}
	if low > high {
		return usagef("--min %s is above --max %s; swap them", f.min, f.max)
	}
	config.MinVersion, config.MaxVersion = uint16(low), uint16(high)
	if config.CipherSuites, err = parseSuites(f.suites); err != nil {
		return err
	}
	// Naming such a suite is the switch: nobody types one by mistake.
	config.Legacy.RSAKeyExchange = slices.ContainsFunc(config.CipherSuites, func(id uint16) bool {
		return strings.HasPrefix(tls.CipherSuiteName(id), "TLS_RSA_")
	})
	config.CurvePreferences, err = parseGroups(f.groups)
	return err
}

func parseVersion(flag, name string) (wire.Version, error) {
	v, ok := versionNames[strings.ToLower(name)]
	if !ok {
		return 0, usagef("--%s %q is not a version; choose tls1.2 or tls1.3", flag, name)
	}
	return v, nil
}

func allSuites() []*tls.CipherSuite { return append(tls.CipherSuites(), tls.InsecureCipherSuites()...) }

func suiteNames() []string {
	var names []string
	for _, s := range allSuites() {
		names = append(names, s.Name)
	}
	return names
}

func parseSuites(names []string) ([]uint16, error) {
	var ids []uint16
next:
	for _, name := range names {
		for _, s := range allSuites() {
			if strings.EqualFold(s.Name, name) || strings.EqualFold(opensslName(s.Name), name) {
				ids = append(ids, s.ID)
				continue next
			}
		}
		return nil, usagef("--suites %q is not a suite that vitrine has; choose from:\n  %s", name, strings.Join(suiteNames(), "\n  "))
	}
	return ids, nil
}

// opensslName turns TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 into
// ECDHE-RSA-AES128-SHA256: OpenSSL leaves out what it thinks goes without saying.
func opensslName(iana string) string {
	if !strings.Contains(iana, "_WITH_") {
		return iana // TLS 1.3: the same for both
	}
	name := strings.TrimPrefix(strings.Replace(iana, "_WITH_", "_", 1), "TLS_")
	name = strings.TrimPrefix(name, "RSA_")
	return strings.NewReplacer("AES_", "AES", "CBC_", "", "POLY1305_SHA256", "POLY1305", "_", "-").Replace(name)
}

func groupNames() []string {
	var names []string
	for _, g := range groupList {
		names = append(names, g.group.String())
	}
	return names
}

func parseGroups(names []string) ([]tls.CurveID, error) {
	var ids []tls.CurveID
next:
	for _, name := range names {
		for _, g := range groupList {
			if strings.EqualFold(g.group.String(), name) || g.alias != "" && strings.EqualFold(g.alias, name) {
				ids = append(ids, tls.CurveID(g.group))
				continue next
			}
		}
		return nil, usagef("--groups %q is not a group that vitrine has; choose from %s", name, strings.Join(groupNames(), ", "))
	}
	return ids, nil
}

// identityFlags name our own certificate.
type identityFlags struct{ cert, key string }

func (f *identityFlags) register(cmd *cobra.Command, whose string) {
	cmd.Flags().StringVar(&f.cert, "cert", "", whose+" certificate chain, a PEM file")
	cmd.Flags().StringVar(&f.key, "key", "", "its private key, a PEM file (default: in the file of --cert)")
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
