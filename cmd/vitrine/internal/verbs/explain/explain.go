// Package explain is the verb explain.
package explain

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	pages "github.com/vitrine-tls/vitrine/explain/page"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/tracefile/redact"
	"github.com/vitrine-tls/vitrine/wire"
)

// options are the flags of vitrine explain.
type options struct {
	tls        flags.TLS
	identity   flags.Identity
	ca, sni    string
	alpn       flags.ALPN
	insecure   flags.Insecure
	revoked    flags.Revocation
	way        flags.Reach
	clientAuth bool
	format     string
	form       *rendering // what format stands for, or the ending of output
	output     string
	json       bool
	summary    bool
	timeout    flags.Timeout
	fail       string
	send       flags.Send
	content    []byte // of --send
	sends      bool   // --send was given
	early      flags.EarlyData
	hurry      []byte // of --early-data; nil without
	secrets    bool
	redact     bool
	redactor   *redact.Redactor // of --redact
	open       bool
	lang       string
	conn       int
	diff       bool
	diagnosing bool
	software   []string // of --for
	trials     int
	// fetchIssuers has a diagnosis fetch intermediates that the server did not send.
	fetchIssuers bool
	listening    listening
	capturing    capturing
}

// New makes the verb.
func New() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:     "explain [HOST[:PORT] | FILE | --listen ADDRESS | --diff A B]",
		Short:   "Explain a TLS connection, byte by byte",
		Long:    long,
		Example: examples,
		Args:    flags.Arguments(0, 2, "vitrine explain example.com:443"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.register(cmd)
	return cmd
}

func (o *options) register(cmd *cobra.Command) {
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&o.ca, "ca", "", "trust the authorities in this PEM `file` instead of the system's; with --listen, those of clients")
	set.StringVar(&o.sni, "sni", "", "the `name` to ask for and to verify (default: HOST, or localhost)")
	o.alpn.Register(cmd, []string{"http/1.1"}, "")
	o.insecure.Register(cmd)
	o.revoked.Register(cmd, "the server's")
	o.way.Register(cmd)
	set.BoolVar(&o.clientAuth, "client-auth", false, "let our server ask for a client certificate")
	set.StringVar(&o.fail, "fail", "", "let the handshake with our own server fail, for this `cause`: "+strings.Join(failureNames(), ", "))
	set.StringVar(&o.format, "format", "", "output `format`: "+flags.OneOf(formatHelp())+" (default: by the ending of --output, else text)")
	set.BoolVar(&o.json, "json", false, "the same as --format json")
	set.StringVarP(&o.output, "output", "o", "", "write to this `file`, which only you can read, without colours; - is standard output")
	set.BoolVar(&o.open, "open", false, "show the page in the browser, $BROWSER or the system's; without -o, it is a temporary file")
	set.StringVar(&o.lang, "lang", "", "`language` of a page: "+flags.OneOf(pages.Languages())+" (default: what the browser prefers)")
	set.BoolVar(&o.secrets, "secrets", false, "put secrets and keys into the saved trace, or the capture: all that was said can be read with them")
	set.BoolVar(&o.redact, "redact", false, "put stand-ins in the place of secrets, application data, names and addresses, so that others may see it")
	set.IntVar(&o.conn, "conn", 0, "explain connection `N` of a saved trace or a capture, from 1 (default: the last of a trace)")
	set.BoolVar(&o.diff, "diff", false, "compare two connections, each a host, a trace, a capture, a page or an account as JSON; FILE#N is connection N of a file")
	set.BoolVar(&o.diagnosing, "diagnose", false, "say why the connection fails and what to change, in place of the account")
	set.StringSliceVar(&o.software, "for", nil, "with --diagnose, write what to change as configuration of these `programs`, like nginx,curl (default: a few that are usual)")
	flags.CompleteFrom(cmd, "for", programs())
	set.IntVar(&o.trials, "trials", diagnose.MostTrials, "with --diagnose and HOST, make at most `N` further connections to find out, up to 12; 0 for none")
	set.BoolVar(&o.fetchIssuers, "fetch-issuers", false, "with --diagnose, fetch an intermediate that the server did not send, by http, to see whether it is what is missing")
	set.BoolVar(&o.summary, "summary", false, "only the outcome and the ladder; in JSON, no events")
	o.send.Register(cmd, `"GET /" in HTTP/1.1, but for ports of another protocol`)
	o.early.Register(cmd)
	o.timeout.Register(cmd, 10*time.Second, "time limit for each connection as a whole, like 5 (seconds) or 1m30s")
	flags.CompleteFrom(cmd, "fail", failureNames())
	flags.CompleteFrom(cmd, "format", formatNames())
	flags.CompleteFrom(cmd, "lang", pages.Languages())
	o.listening.register(cmd)
	o.capturing.register(cmd)
	o.identity.Register(cmd, "our")
	o.tls.Register(cmd, flags.ClientSide|flags.ServerSide)
}

func (o *options) run(cmd *cobra.Command, args []string) error {
	if err := o.chooseFormat(); err != nil {
		return err
	}
	if o.diagnosing {
		if err := o.checkDiagnose(cmd); err != nil {
			return err
		}
	}
	for _, flag := range []string{"for", "trials", "fetch-issuers"} {
		if cmd.Flags().Changed(flag) && !o.diagnosing {
			return report.Usagef("--%s is for --diagnose; add that", flag)
		}
	}
	switch {
	case o.diff:
		return o.compare(cmd, args)
	case o.listening.at != "":
		return o.listen(cmd, args)
	}
	if len(args) > 1 {
		return report.Usagef("%s and %s are two; vitrine explain takes one, or compares them with --diff", args[0], args[1])
	}
	if o.diagnosing {
		if len(args) > 0 {
			if done, err := o.diagnoseSource(cmd, args[0]); done {
				return err
			}
		}
		return o.diagnoseLive(cmd, args)
	}
	if len(args) > 0 {
		if s, err := openSource(cmd, args[0]); err != nil {
			return err
		} else if s != nil {
			return o.explainSource(cmd, s)
		}
	}
	e, account, failure, err := o.live(cmd, args)
	if err != nil {
		return err
	}
	if account != nil {
		if err := o.show(cmd, e.made); err != nil {
			return err
		}
	}
	shown := account != nil && o.toStdout()
	if failure != nil {
		return o.report(cmd, e, failure, shown)
	}
	err = findings(account)
	if err != nil && shown {
		return report.Reported(err)
	}
	return err
}

// live makes a connection. account is nil where nothing was said, and failure is why it
// failed; err is for flags.
func (o *options) live(cmd *cobra.Command, args []string) (e *explanation, account *explain.Connection, failure, err error) {
	if err := o.check(cmd, args); err != nil {
		return nil, nil, nil, err
	}
	if e, err = o.plan(cmd, args); err != nil {
		return nil, nil, nil, err
	}
	defer e.close()
	if err := o.revoked.Apply(cmd, e.config); err != nil {
		return nil, nil, nil, err
	}
	if log, err := flags.KeyLog(); err != nil {
		return nil, nil, nil, err
	} else if log != nil {
		defer log.Close()
		e.config.KeyLogWriter = log
	}
	account, failure = e.explain(cmd.Context())
	if o.fail != "" && failure == nil {
		return nil, nil, nil, o.cannotFail()
	}
	return e, account, failure, nil
}

// cannotFail is for a --fail that the other flags leave no room for.
func (o *options) cannotFail() error {
	return report.Usagef("--fail %s cannot happen with these flags: it needs %s", o.fail, failures[o.fail].needs)
}

// findings is the error for an account in which something disagrees.
func findings(account *explain.Connection) error {
	if account.Checks.OK() {
		return nil
	}
	return fmt.Errorf("%s: %s", account.Checks.Sentence(), strings.Join(account.Checks.Failures, "; "))
}

// report says why the connection failed, unless the account that was shown has it.
func (o *options) report(cmd *cobra.Command, e *explanation, failure error, shown bool) error {
	f := report.Describe(failure, wire.Client, nil)
	switch {
	case shown:
	case o.form.name == "json":
		return report.JSONError(cmd.OutOrStdout(), e.at.String(), f, failure)
	default:
		f.Write(cmd.ErrOrStderr(), fmt.Sprintf("vitrine: %s: ", e.at))
	}
	return report.Reported(failure)
}

// check finds what is wrong with the flags.
func (o *options) check(cmd *cobra.Command, args []string) error {
	live := len(args) > 0
	for _, flag := range []string{"count", "name", "ca-dir"} {
		if cmd.Flags().Changed(flag) {
			return report.Usagef("--%s is for a server that waits for clients; add --listen ADDRESS", flag)
		}
	}
	if err := needsFile(cmd, args); err != nil {
		return err
	}
	if live {
		for _, flag := range []string{"dh-params", "prefer", "psk-hint", "fail"} {
			if cmd.Flags().Changed(flag) {
				return report.Usagef("--%s is for vitrine's own server; leave it out with a target", flag)
			}
		}
	}
	if _, ok := failures[o.fail]; o.fail != "" && !ok {
		return report.Usagef("--fail %q is not a way to fail; choose %s", o.fail, flags.OneOf(failureNames()))
	}
	if err := cmp.Or(o.timeout.Check(), o.alpn.Check(), o.way.Check()); err != nil {
		return err
	}
	var err error
	if o.content, o.sends, err = o.send.Load(cmd); err != nil {
		return err
	}
	if err := o.loadEarly(cmd); err != nil {
		return err
	}
	switch {
	case live && o.clientAuth && flags.IsClientAuthMode(args[0]):
		return report.Usagef("--client-auth takes no value here; leave %q out", args[0])
	case live && o.clientAuth:
		return report.Usagef("--client-auth is for vitrine's own server; with a target, give the certificate to show with --cert and --key")
	case !live && o.insecure.On:
		return report.Usagef("--insecure needs a target; vitrine's own server has a certificate that is good")
	case !live && o.ca != "":
		return report.Usagef("--ca needs a target; vitrine's own server has an authority that is thrown away")
	case !live && o.revoked.Given(cmd):
		return report.Usagef("--revocation and --crl need a target; nobody knows what vitrine's own server has, which is thrown away")
	case !live && o.way.Given(cmd):
		return report.Usagef("--starttls, --connect-to, --proxy, -4 and -6 need a target; vitrine's own server is on this machine")
	case !live && len(o.content) > 0:
		return report.Usagef("--send needs a target, or none: vitrine's own server answers requests of HTTP alone")
	case !live && o.sends && (o.tls.PostHandshakeAuth || o.tls.Renegotiate == "server"):
		return report.Usagef("vitrine's own server begins another handshake when a request has come in, and --send none sends none; leave it out")
	case !live && o.identity.Cert != "" && !o.clientAuth && !o.tls.PostHandshakeAuth:
		return report.Usagef("--cert needs --client-auth or --post-handshake-auth beside it, or the server does not ask for the certificate")
	}
	return nil
}

// needsFile refuses flags that are for a file, where there is none.
func needsFile(cmd *cobra.Command, args []string) error {
	none := ""
	if len(args) > 0 {
		none = ", and there is no file " + args[0]
	}
	for _, flag := range []string{"all", "data", "filter", "keylog", "list"} {
		if cmd.Flags().Changed(flag) {
			return report.Usagef("--%s is for a capture%s; give a file of pcap or pcapng", flag, none)
		}
	}
	if cmd.Flags().Changed("conn") {
		return report.Usagef("--conn is for a saved trace or a capture%s; leave it out with a connection that vitrine makes", none)
	}
	return nil
}

// plan prepares the connections: where to, and with which configuration.
func (o *options) plan(cmd *cobra.Command, args []string) (*explanation, error) {
	e := &explanation{options: o, config: &tls.Config{NextProtos: o.alpn.Protocols}}
	o.tls.Own = len(args) == 0
	var err error
	if o.sni, err = flags.ALabels(o.sni); err != nil {
		return nil, err
	}
	if o.fail == "psk" && len(o.tls.PSKs)+len(o.tls.Suites) == 0 {
		o.tls.PSKs = []string{"explain:00112233445566778899aabbccddeeff"}
	}
	if err := o.tls.Apply(e.config); err != nil {
		return nil, err
	}
	if failures[o.fail].shown && o.tls.LacksCertificate() {
		return nil, o.cannotFail()
	}
	if o.clientAuth || o.tls.PostHandshakeAuth || o.fail == "client-certificate" {
		if err := o.tls.MayAsk(); err != nil {
			return nil, err
		}
	}
	if _, err := o.identity.Show(e.config); err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return e, e.serveOwn()
	}
	if e.at, err = flags.ParseTarget(args[0]); err != nil {
		return nil, err
	}
	if err := o.insecure.Apply(e.config); err != nil {
		return nil, err
	}
	e.config.ServerName = cmp.Or(o.sni, e.at.Host)
	e.name = e.at.String()
	if protocol := o.way.Protocol(e.at); protocol != "" {
		e.is = "turned to TLS by " + protocol
		if !cmd.Flags().Changed("alpn") { // it is no server of HTTP
			o.alpn.Protocols, e.config.NextProtos = nil, nil
		}
	}
	if o.ca != "" {
		e.config.RootCAs, err = flags.Pool("ca", o.ca)
	}
	return e, err
}
