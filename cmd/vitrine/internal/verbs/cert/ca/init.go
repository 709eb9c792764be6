package ca

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/devca"
)

// defaultURL is where an authority's responder is unless init says otherwise.
const defaultURL = "http://127.0.0.1:8889"

// Authority is what vitrine cert ca init made.
type Authority struct {
	Folder string `json:"folder"`
	// File has the root's certificate, which clients have to trust.
	File    string `json:"file"`
	Subject string `json:"subject"`
	SHA256  string `json:"sha256"`
	// NotAfter is the end of the root, and of the intermediate.
	NotAfter time.Time `json:"not_after"`
	// URL is where certificates look for the OCSP responder; empty: nowhere.
	URL string `json:"url,omitempty"`
	// Permitted are the domains and networks for which the authority can certify.
	Permitted []string `json:"permitted"`
}

func (a Authority) text() string {
	s := line("made a root and an intermediate in %s, good until %s", a.Folder, a.NotAfter.Format(time.DateOnly)) +
		line("clients have to trust %s", a.File) +
		line("its SHA-256 is %s", a.SHA256)
	if a.URL != "" {
		s += line("certificates name %s as their OCSP responder: vitrine cert ca ocsp", a.URL)
	}
	return s
}

type initOptions struct {
	common
	permit   []string
	url, key string
}

func newInit() *cobra.Command {
	o := &initOptions{}
	cmd := &cobra.Command{
		Use:   "init --dir FOLDER",
		Short: "Make an authority: a root and an intermediate",
		Long: `Make an authority in FOLDER, which need not exist: a root, an intermediate that
issues, and a record of what it issued. Nothing that is there is overwritten.
vitrine serve --ca-dir FOLDER uses it, too.`,
		Example: `  vitrine cert ca init --dir ca
  vitrine cert ca init --dir ca --permit box.example --url http://10.1.2.3:8889`,
		Args: flags.Arguments(0, 0, "vitrine cert ca init --dir ca"),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	o.register(cmd)
	set := cmd.Flags()
	set.StringSliceVar(&o.permit, "permit", nil, "further `domains` for which it can certify, like box.example")
	set.StringVar(&o.key, "key", authorityKeys[0], "the `type` of its keys: "+strings.Join(authorityKeys, ", ")+"; ML-DSA is for TLS 1.3 alone, and clients have to name it with --sigalgs")
	set.StringVar(&o.url, "url", defaultURL, "the `URL` of its OCSP responder, which stands in each certificate; empty for none")
	flags.CompleteFrom(cmd, "key", authorityKeys)
	return cmd
}

func (o *initOptions) run(cmd *cobra.Command) error {
	dir, err := o.folder()
	if err != nil {
		return err
	}
	if err := checkURL(o.url); err != nil {
		return err
	}
	for i, name := range o.permit {
		if o.permit[i], err = flags.ALabels(name); err != nil {
			return err
		}
		if !devca.IsName(o.permit[i]) || net.ParseIP(name) != nil || strings.HasPrefix(name, "*") {
			return report.Usagef("--permit %q is not a DNS name", name)
		}
	}
	if !slices.Contains(authorityKeys, o.key) {
		return report.Usagef("--key %q is not a type of key for an authority; choose %s", o.key, strings.Join(authorityKeys, ", "))
	}
	ca, err := devca.InitOf(keyTypeOf[o.key], dir, strings.TrimSuffix(o.url, "/"), o.permit...)
	if err != nil {
		return report.Usagef("--dir: %v", err)
	}
	made := Authority{
		Folder: dir, File: ca.File(), Subject: ca.Cert.Subject.String(), SHA256: fingerprint(ca.Cert),
		NotAfter: ca.Cert.NotAfter, URL: o.url, Permitted: ca.Cert.PermittedDNSDomains,
	}
	for _, r := range ca.Cert.PermittedIPRanges {
		made.Permitted = append(made.Permitted, r.String())
	}
	return o.write(cmd.OutOrStdout(), made)
}

// checkURL wants one without a path, since the paths below are the responder's.
func checkURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery+u.Fragment != "" || u.User != nil {
		return report.Usagef("--url %q is not like http://HOST:PORT (RFC 5280 §4.2.2.1 has it without TLS: a client could not verify that)", s)
	}
	return nil
}
