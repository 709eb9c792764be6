// Package proxy is the verb proxy.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/proxy"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/proxy/harden"
	"github.com/vitrine-tls/vitrine/proxy/keyprocess"
)

// options are the flags of vitrine proxy.
type options struct {
	file     string
	flags    config.Flags
	takeOver bool
	json     bool
}

// New makes the verb.
func New() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "proxy",
		Short: "Put TLS in front of a service, or take it off",
		Long: `Accept connections and pass them on, with or without TLS on either side. It
routes by server name and protocol, and checks and balances several addresses.
Flags say the common cases; a YAML file in their place says all. docs/proxy.md
is the manual.

TLS is ended at --listen; --target-tls speaks it to the target too. With
--client it is the other way round: connections come in the clear, and TLS is
spoken to the target. --passthrough sends TLS on unopened, by server name.

SIGHUP reads the configuration and the files that it names again. If anything is
wrong with them, the log says what, and the old ones stay in force. No
connection is dropped, and none is refused.

SIGINT and SIGTERM stop the proxy when its connections have ended, after
process.grace at the latest. A second signal ends it at once.

With --take-over a new process gets the sockets of the one that runs under the
same process.handover, which then stops in the same way. No connection is
refused in between. At SIGUSR2 the proxy starts that process itself, with its
own command line. That brings a new version, or a change that the sandbox keeps
from a reload. If it does not come up, the log says why, and the old one goes
on.

systemd is told how it goes (sd_notify): see docs/proxy.md.`,
		Example: `  vitrine proxy --listen :443 --target 127.0.0.1:8080 --cert a.pem --key key.pem
  vitrine proxy --listen :443 --target 127.0.0.1:8080 --cert chain.pem \
    --client-ca ca.pem --allow dns:api.example.com
  vitrine proxy --listen 127.0.0.1:25 --target mail.example.com:465 --client
  vitrine proxy --listen :443 --passthrough a.example.com=10.0.0.1:443 \
    --passthrough b.example.com=10.0.0.2:443
  vitrine proxy --config proxy.yaml
  vitrine proxy --config proxy.yaml --take-over`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
					return report.Usagef("vitrine proxy has no %q%s; vitrine proxy --help lists what it has", args[0], flags.DidYouMean(like))
				}
			}
			return flags.Arguments(0, 0, "vitrine proxy --listen :443 --target 127.0.0.1:8080 --cert chain.pem")(cmd, args)
		},
		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&o.file, "config", "", "the configuration, a YAML `file`, in place of the flags that describe one")
	set.BoolVar(&o.takeOver, "take-over", false, "get the sockets of the process that runs under the same process.handover")
	set.BoolVar(&o.json, "json", false, "write the log as JSON, as --log-format json does, and a failure as JSON")
	register(cmd, &o.flags)
	cmd.AddCommand(newCheck(), newPrint(), newImport(), newKeys(), newStarterCommand())
	return cmd
}

// read reads the configuration, and checks all of it.
func (o *options) read(cmd *cobra.Command, more ...config.Option) (*config.Config, error) {
	c, err := load(cmd, o.file, &o.flags)
	if err != nil {
		return nil, err
	}
	if o.json {
		c.Log.Format = "json"
	}
	return c, examine(cmd.ErrOrStderr(), c, more...)
}

func (o *options) run(cmd *cobra.Command) (err error) {
	c, err := o.read(cmd, config.Rights()) // which a reload has given up
	if err != nil {
		return err
	}
	if err := harden.Prepare(c); err != nil {
		return report.Usagef("%v", err)
	}
	seen, err := newOperators(c, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer seen.close()
	s := &service{options: o, cmd: cmd, seen: seen}
	if s.told, err = newNotifier(); err != nil {
		return err
	}
	defer s.told.close()
	keys, err := keysElsewhere(c, cmd.ErrOrStderr(), seen.say)
	if err != nil {
		return report.Usagef("process.keys: %v", err)
	}
	defer keys.close()
	s.proxy, err = proxy.New(*c, proxy.Options{
		TakeOver: o.takeOver, Hooks: []event.Hooks{seen.Hooks()}, Trace: seen.Trace, Development: develop, LoadPair: keys.load(),
		Operators: seen.ListenAt, HandedOver: s.handedOver, TookOver: s.tookOver,
	})
	if err != nil {
		return report.Usagef("%v", err)
	}
	if err := s.prepare(c); err != nil {
		return err
	}
	defer s.starter.close()
	// Before the announcement: its reader may send a signal at once.
	ctx, restore := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	ctx, release := keys.ends(ctx)
	defer release()
	seen.Configured(c)
	seen.serve()
	stop := s.heed()
	defer stop()
	context.AfterFunc(ctx, restore) // a second signal kills the process, as signals do
	seen.announce(c, s.proxy)
	seen.SetReady(true)
	context.AfterFunc(ctx, func() {
		seen.SetReady(false)
		s.told.stopping()
		seen.Log().Info("stopping: no connection is taken any more, and those that are open may end by themselves")
	})
	err = s.proxy.Run(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, keyprocess.ErrEnded) {
		return cause
	}
	return err
}

// announce says what is listened on, and where connections go.
func (o *operators) announce(c *config.Config, p *proxy.Proxy) {
	addrs := p.Addrs()
	bold := terminal.PaletteFor(o.out).Bold
	if o.json {
		bold = func(s string) string { return s }
	}
	if room, wanted := c.Limits.Room(); room < wanted {
		o.Log().Warn("this process may open few files, so it takes fewer connections; raise LimitNOFILE, or set limits.connections", "connections", room, "wanted", wanted)
	}
	for _, l := range c.Listeners {
		for _, name := range l.Listen {
			for _, a := range addrs[name] {
				o.say(fmt.Sprintf("listening on %s %s", bold(a.String()), purpose(c, &l)))
			}
		}
	}
}

// purpose is what a listener is for, in a few words.
func purpose(c *config.Config, l *config.Listener) string {
	in := "in the clear"
	passes := slices.ContainsFunc(l.Routes, func(r config.Route) bool { return r.Passthrough })
	switch {
	case l.TLS != nil && passes:
		in = "for TLS, some of it unopened"
	case l.TLS != nil:
		in = "for TLS"
	case passes:
		in = "for TLS, which is passed on unopened"
	}
	if l.Mode == config.ModeHTTP {
		in += " with HTTP"
	}
	var names []string
	for _, r := range l.Routes {
		names = append(names, r.Target)
	}
	names = slices.Compact(slices.Sorted(slices.Values(append(names, l.Target))))
	names = slices.DeleteFunc(names, func(n string) bool { return n == "" })
	text := in
	for i, name := range names {
		t := c.Targets[name]
		text += map[bool]string{true: ", to ", false: ", "}[i == 0] + name
		if t.TLS != nil {
			text += " (with TLS)"
		}
	}
	return text
}
