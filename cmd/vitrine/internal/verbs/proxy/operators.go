package proxy

import (
	"context"
	"errors"
	"io"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/observe"
)

// operators are told what the proxy does.
type operators struct {
	*observe.Observer
	takeOver bool
	end      context.CancelFunc // nil before serve
	ended    chan struct{}
}

// newOperators begins the log, which goes to w, and whatever else c asks for.
func newOperators(c *config.Config, takeOver bool, w io.Writer) (*operators, error) {
	seen, err := observe.New(c.Admin, c.Log, c.Traces, w)
	if err != nil {
		return nil, report.Usagef("%v", err)
	}
	return &operators{Observer: seen, takeOver: takeOver, ended: make(chan struct{})}, nil
}

// listen opens the socket of admin.listen. That of a process that is taken over is still in
// use, so it is opened later.
func (o *operators) listen() error {
	err := o.Listen()
	if o.takeOver && errors.Is(err, syscall.EADDRINUSE) {
		return nil
	}
	if err != nil {
		return report.Usagef("%v", err)
	}
	return nil
}

// again is how often a socket that is in use is tried.
const again = time.Second

// serve answers operators until close, also while the proxy stops.
func (o *operators) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	o.end = cancel
	go func() {
		defer close(o.ended)
		for {
			err := o.Serve(ctx)
			if err == nil {
				return
			}
			if !o.takeOver || !errors.Is(err, syscall.EADDRINUSE) {
				o.Log().Error("operators get no answers", "failure", err.Error())
				return
			}
			select {
			case <-time.After(again): // until the process before has ended
			case <-ctx.Done():
				return
			}
		}
	}()
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
	if o.end != nil {
		o.end()
		<-o.ended
	}
	o.Close() // what the log did not take is lost
}
