// Package scan is the verb scan.
package scan

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/scan/fix"
)

// options are the flags of vitrine scan.
type options struct {
	ca, sni                    string
	way                        flags.Reach
	from                       string
	rate                       float64
	atOnce                     int
	servers                    int
	quick                      bool
	timing                     int
	fleet                      int
	failOn                     string
	counts                     bool // findings alone are a failure
	revoked                    flags.Revocation
	elsewhere                  bool // connections go to another address than the target's
	json                       bool
	explain                    string
	out, resume                string
	policy, baseline, software string
	timeout                    flags.Timeout
}

// Scans are what vitrine scan has found out.
type Scans struct {
	// Targets is how many were asked, Unreachable how many of them no TLS was found at.
	Targets     int `json:"targets"`
	Unreachable int `json:"unreachable"`
	// Partly is how many are not known in full: many connections got no answer.
	Partly int `json:"partly,omitempty"`
	// Failing is how many have a finding as bad as --fail-on says.
	Failing int            `json:"failing"`
	Reports []*scan.Report `json:"reports"`
	// Judged are the comparisons with --policy and --baseline, in the order of the reports.
	Judged []Judged `json:"judged,omitempty"`

	policy   string             // the name of --policy
	baseline bool               // --baseline was given
	failOn   scan.Severity      // findings as bad as this are failures; empty for low
	lenient  bool               // findings alone are none
	again    func(i int) string // the command line that finds out why target i did not answer
}

// New makes the verb.
func New() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "scan TARGET...",
		Short: "Ask servers all that they speak, and say what is wrong with it",
		Long: `Ask each TARGET for every version, from SSL 2.0 to TLS 1.3, and for every cipher
suite and group. vitrine also looks at its certificates, how it resumes and
renegotiates, and known weaknesses, each by a probe that does no harm. The first
lines say whether it is all right, and what to do first.

A target is HOST[:PORT], HOST:PORT-PORT for a range of ports, a URL, or
unix:PATH for a unix socket of this machine. --targets reads more of them from a
file. On the ports of mail, directories, chats and databases that begin in the
clear, vitrine has the server turn to TLS first.

Each host gets at most 8 connections at once and 50 a second; --at-once and
--rate change that. So a scan neither slows a host down nor looks like an
attack. On the loopback interface there is no limit. If a server refuses,
vitrine waits. It contacts the targets only; for port 443 it also asks port 80
whether that leads to https://. With --revocation soft or hard it also asks the
addresses that certificates name: whether they are revoked, and for missing
certificates of authorities.

--timing 500 also measures whether the server takes longer to refuse a wrongly
padded premaster. It makes as many connections with each kind, one after the
other. --fleet sees whether what one server of a name, or behind a balancer,
handed out is taken by the others, and whether all answer alike.

Scan only what you run, or have leave to scan.

--policy compares each server with a guideline or a YAML file of your own.
--baseline compares with what an earlier scan wrote by --json. -o writes a file
besides: its ending says whether that is a page for a browser (.html), JSON,
SARIF, JUnit (.xml) or CSV.

--resume keeps what is found in a file. If the scan is interrupted, the same
command goes on where it stopped; targets that did not answer are asked again.

The exit code is 1 if a finding is as bad as --fail-on says, if a server breaks
the policy, or if anything is worse than the baseline. With --policy or
--baseline, findings alone count only if --fail-on is given. It is 3 if a target
does not answer, or leaves many connections without an answer. Then the scan may
have missed something there.`,
		Example: `  vitrine scan example.com
  vitrine scan mail.example.com:587 smtps://mail.example.com
  vitrine scan 192.0.2.7:8000-8100 --json
  vitrine scan example.com -o report.html
  vitrine scan --targets hosts.txt --resume hosts.scan -o report.html
  vitrine scan example.com --fleet
  vitrine scan --targets hosts.txt --fail-on high -o scan.sarif
  vitrine scan example.com --policy mozilla-intermediate
  vitrine scan example.com --baseline last-week.json --json
  vitrine scan example.com --explain reneg-client`,
		Args: flags.Arguments(0, 100_000, "vitrine scan example.com"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.register(cmd)
	return cmd
}

func (o *options) register(cmd *cobra.Command) {
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&o.ca, "ca", "", "trust the authorities in this PEM `file` instead of the system's")
	set.StringVar(&o.sni, "sni", "", "the `name` to ask for and to verify (default: HOST)")
	set.StringVar(&o.from, "targets", "", "read targets from this `file`, one a line; - is standard input")
	o.way.Register(cmd)
	o.revoked.Register(cmd, "the server's")
	set.BoolVar(&o.quick, "quick", false, "leave out the weaknesses that need probes of their own")
	set.IntVar(&o.timing, "timing", 0, fmt.Sprintf("measure the time for premasters, this `often` (%d to %d; default: not at all)", scan.MinTiming, scan.MaxTiming))
	set.IntVar(&o.fleet, "fleet", 0, fmt.Sprintf("see whether the servers behind each name share sessions and answer alike: by this many `sessions` of each kind (%d to %d; 24 for --fleet alone)", scan.MinFleet, scan.MaxFleet))
	set.Lookup("fleet").NoOptDefVal = "24"
	set.StringVar(&o.failOn, "fail-on", string(scan.Low), "the exit code is 1 for a finding this `bad` or worse: "+flags.OneOf(severityNames))
	set.StringVar(&o.policy, "policy", "", "compare with this `policy`: "+policies()+", or a file")
	set.StringVar(&o.baseline, "baseline", "", "compare with this `file`, which an earlier scan wrote by --json")
	set.StringVar(&o.software, "software", "", "write what to change for this `program`: "+flags.OneOf(programs())+" (default: what the server says it is)")
	set.StringVarP(&o.out, "output", "o", "", "write a `file` too: .html, .json, .sarif, .xml (JUnit) or .csv")
	set.StringVar(&o.resume, "resume", "", "keep each report in this `file`, and leave out the targets that it has already")
	set.BoolVar(&o.json, "json", false, "write what was found as JSON to standard output")
	set.StringVar(&o.explain, "explain", "", "explain the connection that proves the finding with this `id`")
	set.Float64Var(&o.rate, "rate", scan.DefaultRate, "make at most `N` connections a second to each host")
	set.IntVar(&o.atOnce, "at-once", scan.DefaultConnections, "have at most `N` connections to each host at once")
	set.IntVar(&o.servers, "servers", defaultServers, "ask at most `N` servers at once")
	o.timeout.Register(cmd, scan.DefaultTimeout, "time limit for each connection, like 5 (seconds) or 1m30s")
	flags.CompleteFrom(cmd, "fail-on", severityNames)
}

// defaultServers is how many servers are asked at once. A scan makes up to 200 connections, which take 4 s at
// scan.DefaultRate: with fewer at once, a thousand servers would take more than a minute for the limit alone.
const defaultServers = 100

// severityNames are the values of --fail-on.
var severityNames = []string{string(scan.Critical), string(scan.High), string(scan.Medium), string(scan.Low), string(scan.Info)}

func (o *options) check() error {
	switch {
	case !strings.Contains(" "+strings.Join(severityNames, " ")+" ", " "+o.failOn+" ") || o.failOn == "":
		return report.Usagef("--fail-on %q is not a severity; choose %s", o.failOn, flags.OneOf(severityNames))
	case !(o.rate > 0 && o.rate <= 1e6):
		return report.Usagef("--rate %v is not possible; give connections in a second, like 50", o.rate)
	case o.atOnce < 1 || o.servers < 1 || o.atOnce > 10_000 || o.servers > 10_000:
		return report.Usagef("--at-once and --servers are from 1 to 10000")
	case o.timing != 0 && (o.timing < scan.MinTiming || o.timing > scan.MaxTiming):
		return report.Usagef("--timing %d is not possible; choose from %d to %d, or leave it out", o.timing, scan.MinTiming, scan.MaxTiming)
	case o.fleet != 0 && (o.fleet < scan.MinFleet || o.fleet > scan.MaxFleet):
		return report.Usagef("--fleet=%d is not possible; choose from %d to %d, or leave the number out", o.fleet, scan.MinFleet, scan.MaxFleet)
	case o.timing != 0 && o.quick:
		return report.Usagef("--quick leaves the weaknesses out that --timing measures; leave one out")
	case o.resume != "" && o.explain != "":
		return report.Usagef("--explain needs the connections of this scan, which --resume does not keep; leave one out")
	case o.json && o.explain != "":
		return report.Usagef("--explain writes text; leave --json out")
	}
	if o.software != "" && !slices.Contains(programs(), o.software) {
		return report.Usagef("--software %q is not known; choose %s", o.software, flags.OneOf(programs()))
	}
	if o.out != "" {
		if _, err := form(o.out); err != nil {
			return err
		}
	}
	return cmp.Or(o.timeout.Check(), o.way.Check())
}

// programs are the values of --software.
func programs() (ids []string) {
	for _, p := range fix.Programs() {
		if p.Server {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// fails reports a finding as bad as --fail-on says.
func (o *options) fails(r *scan.Report) bool {
	for _, f := range r.Findings {
		if !scan.Severity(o.failOn).Worse(f.Severity) {
			return true
		}
	}
	return false
}

// target is one as package scan knows it.
func (o *options) target(at flags.Target) scan.Target {
	return scan.Target{Address: at.String(), Name: cmp.Or(o.sni, at.Host), StartTLS: o.way.Protocol(at)}
}

// dial goes the way that the flags say.
func (o *options) dial(ctx context.Context, t scan.Target) (net.Conn, error) {
	if strings.HasPrefix(t.Address, "unix:") {
		at, err := flags.ParseTarget(t.Address)
		if err != nil {
			return nil, err
		}
		at.StartTLS = cmp.Or(t.StartTLS, "none")
		return o.way.Dial(ctx, at)
	}
	host, port, err := net.SplitHostPort(t.Address)
	if err != nil {
		return nil, err
	}
	return o.way.Dial(ctx, flags.Target{Host: host, Port: port, StartTLS: cmp.Or(t.StartTLS, "none")})
}

// took is a time for people.
func took(ms int64) string {
	return fmt.Sprint((time.Duration(ms) * time.Millisecond).Round(10 * time.Millisecond))
}
