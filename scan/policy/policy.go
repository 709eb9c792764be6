package policy

import (
	"bytes"
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Policy says what a server shall be. The zero value of a field judges nothing.
type Policy struct {
	Name  string `yaml:"name"`
	Title string `yaml:"title"`
	// Edition is the version of the source, and its date.
	Edition string `yaml:"edition"`
	Source  string `yaml:"source"`

	Versions []string `yaml:"versions"`
	Require  []string `yaml:"require"`
	Suites   []string `yaml:"suites"`
	Groups   []string `yaml:"groups"`
	Schemes  []string `yaml:"schemes"`
	Order    string   `yaml:"order"`

	CertificateKeys []string `yaml:"certificate_keys"`
	MinRSABits      int      `yaml:"min_rsa_bits"`
	MinECBits       int      `yaml:"min_ec_bits"`
	MinDHBits       int      `yaml:"min_dh_bits"`
	HSTSSeconds     int64    `yaml:"hsts_seconds"`
	MaxValidityDays int      `yaml:"max_validity_days"`
	Trusted         bool     `yaml:"trusted"`
	Forbid          []string `yaml:"forbid"`
}

//go:embed data/*.yaml
var data embed.FS

// Names lists the policies of this package.
func Names() []string {
	files, _ := data.ReadDir("data") // it is embedded
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".yaml"))
	}
	return names
}

// Load returns a policy of this package.
func Load(name string) (*Policy, error) {
	b, err := data.ReadFile("data/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("there is no policy %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return Parse(b)
}

// maxFile is the longest policy that is read, in bytes.
const maxFile = 1 << 20

// Parse reads a policy in YAML. A field that it does not know is an error, as is a pattern
// that is none: what is misspelt would judge nothing.
func Parse(b []byte) (*Policy, error) {
	if len(b) > maxFile {
		return nil, fmt.Errorf("the policy has %d bytes; %d are possible", len(b), maxFile)
	}
	p := &Policy{}
	in := yaml.NewDecoder(bytes.NewReader(b))
	in.KnownFields(true)
	if err := in.Decode(p); err != nil {
		return nil, fmt.Errorf("this is not a policy: %w", err)
	}
	for _, pattern := range slices.Concat(p.Suites, p.Groups, p.Schemes, p.CertificateKeys, p.Forbid) {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("%q is not a pattern: %w", pattern, err)
		}
	}
	for _, v := range slices.Concat(p.Versions, p.Require) {
		if !slices.Contains(versions, v) {
			return nil, fmt.Errorf("%q is not a version; there are %s", v, strings.Join(versions, ", "))
		}
	}
	if p.Order != "" && p.Order != "server" && p.Order != "client" {
		return nil, fmt.Errorf("order is %q; it can be server or client", p.Order)
	}
	return p, nil
}

var versions = []string{"SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"}

// allowed reports that a name fits one of the patterns, which have been checked.
func allowed(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}
