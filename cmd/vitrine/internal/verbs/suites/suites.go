// Package suites is the verb suites.
package suites

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// options are the flags of vitrine suites.
type options struct {
	all, json bool
	version   string
}

// New makes the verb.
func New() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "suites [NAME...]",
		Short: "List the cipher suites, and why most of them are off",
		Long: `List the cipher suites that are on by default, strongest first. With --all it
lists every one that vitrine has, with the reason why it is off, and what allows
it. With names, IANA's or OpenSSL's, it shows all parts of these suites.

The columns:

  suite     the name, which tells the cipher and the MAC
  keys by   how the keys are agreed on, if the suite decides that
  auth      how the server is authenticated, if the suite decides that
  bit       the strength of the cipher
  version   the versions that have it; 3.0 is SSL 3.0
  PRF       the hash of the key schedule from TLS 1.2 on`,
		Example: `  vitrine suites
  vitrine suites --all
  vitrine suites --version tls1.0
  vitrine suites RC4-MD5 TLS_RSA_WITH_AES_128_CBC_SHA`,
		RunE:              func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
		ValidArgsFunction: cobra.FixedCompletions(flags.SuiteNames(), cobra.ShellCompDirectiveNoFileComp),
	}
	set := cmd.Flags()
	set.BoolVar(&o.all, "all", false, "also those that are off, and why")
	set.StringVar(&o.version, "version", "", "all that this `version` has: ssl3.0, tls1.0, tls1.1, tls1.2 or tls1.3")
	set.BoolVar(&o.json, "json", false, "write all that is known of each, as JSON")
	flags.CompleteFrom(cmd, "version", flags.VersionNames())
	return cmd
}

func (o *options) run(cmd *cobra.Command, names []string) error {
	list, err := o.pick(names)
	if err != nil {
		return err
	}
	if o.json {
		out := make([]Suite, len(list))
		for i, s := range list {
			out[i] = fieldsOfSuite(s)
		}
		return report.JSON(cmd.OutOrStdout(), out)
	}
	var text bytes.Buffer
	p := terminal.PaletteFor(cmd.OutOrStdout())
	if len(names) > 0 {
		for i, s := range list {
			if i > 0 {
				fmt.Fprintln(&text)
			}
			writeSuite(&text, p, s)
		}
	} else {
		writeSuites(&text, p, list)
	}
	return terminal.Page(cmd.InOrStdin(), cmd.OutOrStdout(), text.Bytes())
}

// pick returns the suites that the arguments and flags ask for.
func (o *options) pick(names []string) ([]*suite.Suite, error) {
	list := suite.All()
	if len(names) > 0 {
		list = nil
		for _, name := range flags.SplitNames(names) {
			s := suite.ByName(name)
			if s == nil {
				return nil, report.Usagef("%q is not a suite that vitrine has; 'vitrine suites --all' lists them", name)
			}
			list = append(list, s)
		}
	}
	if o.version != "" {
		v, err := flags.ParseVersion("version", o.version)
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(s *suite.Suite) bool { return !s.Allows(v) })
		if len(list) == 0 {
			return nil, fmt.Errorf("%v has none of these suites; 'vitrine suites --version %s' lists those that it has", v, flags.VersionName(v))
		}
		return list, nil
	}
	if len(names) > 0 || o.all {
		return list, nil
	}
	return slices.DeleteFunc(list, func(s *suite.Suite) bool { return !s.Default }), nil
}

// Suite is a cipher suite as JSON.
type Suite struct {
	ID             string   `json:"id"`
	CipherSuite    string   `json:"cipher_suite"`
	OpenSSLName    string   `json:"openssl_name,omitempty"`
	KeyExchange    string   `json:"key_exchange"`
	Authentication string   `json:"authentication"`
	Cipher         string   `json:"cipher"`
	MAC            string   `json:"mac"`
	PRF            string   `json:"prf"`
	Versions       []string `json:"versions"`
	Bits           int      `json:"bits"`
	ForwardSecret  bool     `json:"forward_secret"`
	// Default is set where it is on unless suites are named.
	Default bool   `json:"default"`
	WhyNot  string `json:"why_not,omitempty"`
	// Legacy are the words of --legacy that it needs, and LegacyServer those that a
	// server needs too, for the reason WhyNotServer.
	Legacy       []string `json:"legacy,omitempty"`
	LegacyServer []string `json:"legacy_server,omitempty"`
	WhyNotServer string   `json:"why_not_server,omitempty"`
}

func fieldsOfSuite(s *suite.Suite) Suite {
	f := Suite{
		ID: fmt.Sprintf("0x%04x", uint16(s.ID)), CipherSuite: s.Name, OpenSSLName: s.OpenSSLName,
		KeyExchange: s.KeyExchange.String(), Authentication: s.Auth.String(), Cipher: s.Cipher.Name, MAC: "AEAD", PRF: s.Hash.Name,
		Bits: s.Cipher.Bits, ForwardSecret: s.ForwardSecret(), Default: s.Default, WhyNot: s.WhyNot, Legacy: flags.LegacyWords(s.Switches),
	}
	if s.MAC != nil {
		f.MAC = s.MAC.Name
	}
	if s.KeyExchange == wire.KeyExchangeNone {
		f.KeyExchange = "any"
	}
	if s.Auth == suite.AuthDSS {
		f.LegacyServer, f.WhyNotServer = flags.LegacyWords([]string{flags.DSSSwitch}), flags.WhyNoDSS
	}
	for _, row := range flags.Versions {
		if s.Allows(row.Version) {
			f.Versions = append(f.Versions, row.Version.String())
		}
	}
	return f
}

// writeSuite writes all about one suite.
func writeSuite(w io.Writer, p terminal.Palette, s *suite.Suite) {
	f := fieldsOfSuite(s)
	row := func(name, value string) {
		fmt.Fprintf(w, "  %s %s\n", p.Faint(fmt.Sprintf("%-15s", name)), terminal.Wrap(value, 18, 18))
	}
	fmt.Fprintln(w, p.Bold(s.Name))
	if s.OpenSSLName != "" && s.OpenSSLName != s.Name {
		row("for OpenSSL", s.OpenSSLName)
	}
	row("number", f.ID)
	if s.KeyExchange == wire.KeyExchangeNone {
		row("key exchange", "apart from the suite: (EC)DHE, or a pre-shared key")
		row("authentication", "apart from the suite: by any certificate, or a pre-shared key")
	} else {
		row("key exchange", f.KeyExchange+forwardSecrecy(s))
		row("authentication", f.Authentication)
	}
	row("cipher", f.Cipher+", "+strength(s))
	row("MAC", strings.Replace(f.MAC, "AEAD", "none: the cipher authenticates by itself", 1))
	row("key schedule", schedule(s))
	row("versions", versionSpan(s))
	if s.Default {
		row("state", p.Good("on"))
		return
	}
	row("state", p.Bad("off")+" because "+s.WhyNot)
	if f.WhyNotServer != "" {
		row("", "and because "+f.WhyNotServer)
	}
	row("what allows it", "--suites "+s.Name)
	if len(f.Legacy) > 0 {
		row("", "--legacy "+strings.Join(f.Legacy, ","))
	}
	if len(f.LegacyServer) > 0 {
		row("", "--legacy "+strings.Join(append(f.Legacy, f.LegacyServer...), ",")+" for a server")
	}
	if s.KeyExchange.PSK() {
		row("", "--psk IDENTITY:HEX")
	}
}

func forwardSecrecy(s *suite.Suite) string {
	if s.ForwardSecret() {
		return ", with forward secrecy"
	}
	return ", without forward secrecy"
}

func strength(s *suite.Suite) string {
	if s.Cipher.Bits == 0 {
		return "which does not encrypt"
	}
	return fmt.Sprintf("a strength of %d bits", s.Cipher.Bits)
}

// schedule names the function that makes the keys.
func schedule(s *suite.Suite) string {
	switch {
	case s.Min == wire.TLS13:
		return "HKDF with " + s.Hash.Name
	case s.Min < wire.TLS12 && s.Max == wire.TLS12:
		return "PRF with " + s.Hash.Name + " in TLS 1.2, MD5 and SHA-1 before"
	case s.Max < wire.TLS12:
		return "PRF with MD5 and SHA-1"
	}
	return "PRF with " + s.Hash.Name
}

func versionSpan(s *suite.Suite) string {
	if s.Min == s.Max {
		return s.Min.String()
	}
	return s.Min.String() + " to " + s.Max.String()
}

// writeSuites writes a line for each suite, under the reasons why they are off.
func writeSuites(w io.Writer, p terminal.Palette, list []*suite.Suite) {
	var headings []string
	under := make(map[string][]*suite.Suite)
	for _, s := range list {
		h := headingOf(s)
		if under[h] == nil {
			headings = append(headings, h)
		}
		under[h] = append(under[h], s)
	}
	fmt.Fprintln(w, p.Faint(fmt.Sprintf(suiteRow, "suite", "keys by", "auth", "bit", "version", "PRF")))
	for _, h := range headings {
		fmt.Fprintf(w, "\n%s\n", p.Bold(terminal.Wrap(h, 0, 2)))
		for _, s := range under[h] {
			fmt.Fprintln(w, suiteLine(s))
		}
	}
	if len(headings) == 1 && list[0].Default {
		fmt.Fprintf(w, "\n%d more are off; 'vitrine suites --all' lists them, and why.\n", len(suite.All())-len(list))
	}
}

// headingOf is what stands above suites that are off for the same reasons.
func headingOf(s *suite.Suite) string {
	switch {
	case s.Default:
		return "On by default:"
	case len(s.Switches) == 0:
		return "Off unless --suites names it: " + s.WhyNot + "."
	}
	return "Off without --legacy " + strings.Join(flags.LegacyWords(s.Switches), ",") + ": " + s.WhyNot + "."
}

// suiteRow is eighty columns wide.
const suiteRow = "%-45s %-9s %-5s %3s %-7s %s"

// suiteLine is a suite in a row.
func suiteLine(s *suite.Suite) string {
	dotted := func(v wire.Version) string { return strings.TrimLeft(v.String(), "TLS ") }
	versions := dotted(s.Min)
	if s.Max != s.Min {
		versions += "-" + dotted(s.Max)
	}
	exchange, auth := s.KeyExchange.String(), strings.Replace(s.Auth.String(), "anonymous", "none", 1)
	if s.KeyExchange == wire.KeyExchangeNone {
		exchange = "any"
	}
	return fmt.Sprintf(suiteRow, s.Name, exchange, auth, fmt.Sprint(s.Cipher.Bits), versions, strings.ReplaceAll(s.Hash.Name, "-", ""))
}
