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
	secrets    bool
	redact     bool
	redactor   *redact.Redactor // of --redact
	open       bool
	conn       int
	listening  listening
}

// New makes the verb.
func New() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "explain [HOST[:PORT] | TRACE | --listen ADDRESS]",
		Short: "Explain a TLS connection, byte by byte",
		Long: `Make a TLS connection and explain it. First comes a ladder of its flights; then,
in order of time, each record and message with its fields, each choice and its
reason, each secret and how it follows from the others, application data, and
the close. vitrine computes every value again that it can; if one disagrees, the
exit code is 1.

Without HOST, vitrine starts a throw-away server on the loopback interface, so
you can watch any version, suite or way to resume. Name it to use it: even
dangerous ones need no --legacy there. With HOST (on port 443 if none is given;
a URL will do) it explains the live connection, or its failure.

Where HTTP/1.1 is agreed on, or no protocol is, vitrine sends "GET /" and reads
the answer, but for ports of another protocol, like 993. --send says what to
send instead, or that nothing is sent.

With --listen it waits for a client of yours, like a browser, and explains the
connection from the server's side, success or failure; HTTP is answered. --count
takes several: text and traces hold all of them, and of -o FILE.json each gets
FILE-1.json and so on. A connection on which nothing was said does not count.
--cert gives the server's certificate, else the development authority has one,
as with vitrine serve. --client-auth asks clients for a certificate, which must
be of an authority in --ca if that is given.

With TRACE it explains a connection that -o FILE.ndjson has saved; - is standard
input. A trace holds secrets and keys only with --secrets; without, what they
prove is not checked again. --redact makes one to show to others, as in a bug
report: stand-ins take the place of secrets, application data, names, addresses
and what leads to them, and the rest is as it was. It redacts a saved trace too.

With -o FILE.html the account is a page for a browser: a story in ten steps, the
ladder to the scale of time, every byte with its name, and secrets that the
browser computes again. It is one file that loads nothing. --open shows it.

On a terminal, $PAGER shows the text, less by default; set it to nothing for
none. The output holds the connection's secrets and data: guard it like a key.`,
		Example: `  vitrine explain
  vitrine explain --suites AES128-SHA --summary
  vitrine explain --resume ticket
  vitrine explain --max ssl3.0 --suites RC4-MD5
  vitrine explain --renegotiate server --client-auth
  vitrine explain --fail expired
  vitrine explain example.com
  vitrine explain example.com --json -o example.json
  vitrine explain example.com -o example.ndjson
  vitrine explain example.ndjson
  vitrine explain example.com --redact -o report.ndjson
  vitrine explain example.com -o example.html --open
  vitrine explain --listen :8443 --count 3
  vitrine explain mail.example.com:465 --alpn "" --send 'EHLO me\r\n'`,
		Args: flags.Arguments(0, 1, "vitrine explain example.com:443"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
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
	set.BoolVar(&o.secrets, "secrets", false, "put secrets and keys into the saved trace: all that was said can be read with them")
	set.BoolVar(&o.redact, "redact", false, "put stand-ins in the place of secrets, application data, names and addresses, so that others may see it")
	set.IntVar(&o.conn, "conn", 0, "explain connection `N` of a saved trace, from 1 (default: the last)")
	set.BoolVar(&o.summary, "summary", false, "only the outcome and the ladder; in JSON, no events")
	o.send.Register(cmd, `"GET /" in HTTP/1.1, but for ports of another protocol`)
	o.timeout.Register(cmd, 10*time.Second, "time limit for each connection as a whole, like 5 (seconds) or 1m30s")
	flags.CompleteFrom(cmd, "fail", failureNames())
	flags.CompleteFrom(cmd, "format", formatNames())
	o.listening.register(cmd)
	o.identity.Register(cmd, "our")
	o.tls.Register(cmd, flags.ClientSide|flags.ServerSide)
}

func (o *options) run(cmd *cobra.Command, args []string) error {
	if err := o.chooseFormat(); err != nil {
		return err
	}
	if o.listening.at != "" {
		return o.listen(cmd, args)
	}
	if len(args) > 0 {
		if s, err := openSource(cmd, args[0]); err != nil {
			return err
		} else if s != nil {
			return o.explainSource(cmd, s)
		}
	}
	if err := o.check(cmd, args); err != nil {
		return err
	}
	e, err := o.plan(cmd, args)
	if err != nil {
		return err
	}
	defer e.close()
	if err := o.revoked.Apply(cmd, e.config); err != nil {
		return err
	}
	if log, err := flags.KeyLog(); err != nil {
		return err
	} else if log != nil {
		defer log.Close()
		e.config.KeyLogWriter = log
	}
	account, failure := e.explain(cmd.Context())
	if o.fail != "" && failure == nil {
		return o.cannotFail()
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
	if cmd.Flags().Changed("conn") {
		return report.Usagef("--conn is for a saved trace; leave it out with a connection that vitrine makes")
	}
	if o.secrets && o.form.name != "ndjson" {
		return report.Usagef("--secrets is for a saved trace; add -o FILE.ndjson")
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
