package proxy

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/observe"
)

// operators are told what the proxy does.
type operators struct {
	*observe.Observer
	out   io.Writer
	json  bool            // the log is JSON
	ctx   context.Context // of serve
	end   context.CancelFunc
	tasks sync.WaitGroup
}

// newOperators begins the log, which goes to w, and whatever else c asks for.
func newOperators(c *config.Config, w io.Writer) (*operators, error) {
	seen, err := observe.New(c.Admin, c.Log, c.Traces, w)
	if err != nil {
		return nil, report.Usagef("%v", err)
	}
	o := &operators{Observer: seen, out: w, json: c.Log.Format == "json"}
	o.ctx, o.end = context.WithCancel(context.Background())
	return o, nil
}

// say tells how the process starts: in a line for people, or in one of a log that programs read.
func (o *operators) say(text string) {
	if o.json {
		o.Log().Info(text)
		return
	}
	fmt.Fprintln(o.out, text)
}

// serve answers operators until leave or close, also while the proxy stops.
func (o *operators) serve() {
	o.tasks.Go(func() {
		if err := o.Serve(o.ctx); err != nil {
			o.Log().Error("operators get no answers", "failure", err.Error())
		}
	})
}

// leave ends the answers: another process gives them.
func (o *operators) leave() {
	o.end()
	o.tasks.Wait()
}

// reloaded tells of a reload that did not come as far as the proxy, which tells of others.
func (o *operators) reloaded(c *config.Config, told bool, err error) {
	switch {
	case err != nil && !told:
		o.Hooks().Reloaded(err)
	case err == nil:
		for _, setting := range o.Configured(c) {
			o.Log().Warn("a setting needs a new process to take effect", "setting", setting)
		}
	}
}

func (o *operators) close() {
	o.leave()
	o.Close() // what the log did not take is lost
}
