// Package lab is the verb lab.
package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/wire"
)

// options are the flags of vitrine lab.
type options struct {
	listen string
	open   bool
	json   bool
}

// Lab is what vitrine lab --json writes once it listens.
type Lab struct {
	// URL opens the lab. It holds the token: anyone who has it can use the lab.
	URL string `json:"url"`
}

// New makes the verb.
func New() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Put connections together on a page, and tamper with them",
		Long: `Serve a page on the loopback interface, for your browser. There you put a
connection together (versions, suites, groups, certificates, resumption, ...),
run it for real, and read the account of both sides. Then touch it: select a
byte, a message or a record, and choose what somebody in the middle does with
it. The connection then runs again with that change. The page shows which side
noticed, where, by which rule and with which alert. It also says what would have
come of it without the defence.

A shelf of experiments plays the attacks that TLS is known for. Each has a
story, some runs, and claims that are checked against what the runs did.

Anyone with the page's address can use it: the address holds a token that is new
each time. Nothing in it leaves this machine, and no connection of the lab does.
Both sides are in this process, with keys that are made for it. SIGINT and
SIGTERM end the lab, and all runs are gone.`,
		Example: `  vitrine lab
  vitrine lab --open
  vitrine lab --listen 127.0.0.1:8444`,
		Args: flags.Arguments(0, 0, "vitrine lab"),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&o.listen, "listen", "127.0.0.1:0", "`address` and port on the loopback interface; port 0 is any free one")
	set.BoolVar(&o.open, "open", false, "open the page in your browser")
	set.BoolVar(&o.json, "json", false, "write the address of the page as JSON")
	return cmd
}

func (o *options) run(cmd *cobra.Command) error {
	where, err := flags.ParseListen(o.listen)
	if err != nil {
		return err
	}
	if err := onLoopback(where); err != nil {
		return err
	}
	l, err := net.Listen("tcp", where)
	if err != nil {
		f := report.Describe(err, wire.Server, nil)
		if o.json {
			return report.JSONError(cmd.OutOrStdout(), "", f, err)
		}
		f.Write(cmd.ErrOrStderr(), "vitrine: ")
		return report.Reported(err)
	}
	s, err := newSite(l.Addr().(*net.TCPAddr))
	if err != nil {
		l.Close()
		return err
	}
	// Before the announcement: its reader may send a signal at once.
	ctx, restore := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	if err := o.announce(cmd, s.url()); err != nil {
		l.Close()
		return err
	}
	if o.open {
		door, err := doorTo(s.url())
		if err != nil {
			l.Close()
			return err
		}
		defer os.Remove(door)
		go func() { // the command may wait for the browser
			if err := terminal.Browse(ctx, door); err != nil && ctx.Err() == nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "vitrine: no browser was started (%v); open the address yourself\n", err)
			}
		}()
	}
	return serveUntil(ctx, l, s)
}

// onLoopback refuses an address that others can reach.
func onLoopback(where string) error {
	host, _, err := net.SplitHostPort(where)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return report.Usagef("--listen %s can be reached from elsewhere, and the lab is for this machine alone; choose 127.0.0.1 or [::1]", where)
	}
	return nil
}

func (o *options) announce(cmd *cobra.Command, url string) error {
	var err error
	if o.json {
		err = report.JSON(cmd.OutOrStdout(), Lab{url})
	} else {
		_, err = fmt.Fprintln(cmd.OutOrStdout(), url)
	}
	return err
}

// doorTo is a file that leads a browser to url, and that only its owner can read: an
// address among the arguments of a command is there for every user to see.
func doorTo(url string) (name string, err error) {
	file, err := os.CreateTemp("", "vitrine-lab-*.html")
	if err != nil {
		return "", report.Usagef("--open: %v", err)
	}
	_, err = fmt.Fprintf(file, "<!doctype html><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">"+
		"<meta http-equiv=\"refresh\" content=\"0;url=%s\"><title>vitrine lab</title><a href=\"%[1]s\">vitrine lab</a>\n", url)
	return file.Name(), cmp.Or(err, file.Close())
}

// grace is how long a run that is under way may take at the end.
const grace = time.Second

// serveUntil serves until ctx is done.
func serveUntil(ctx context.Context, l net.Listener, s *site) error {
	server := &http.Server{
		Handler:           s.guarded(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		err := server.Shutdown(last)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		stopped <- err
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
