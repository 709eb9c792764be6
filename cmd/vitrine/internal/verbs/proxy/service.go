package proxy

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/proxy"
	"github.com/vitrine-tls/vitrine/proxy/config"
)

// A service is a proxy that runs, with what tells of it and what it is told by.
type service struct {
	options  *options
	cmd      *cobra.Command
	seen     *operators
	told     *notifier // nil where nobody listens
	proxy    *proxy.Proxy
	guard    *guard
	starter  *starter // nil without process.handover
	handover string   // process.handover

	succeeding atomic.Bool                // a successor is being started
	gone       atomic.Bool                // one has the sockets
	late       atomic.Pointer[time.Timer] // ends a successor that does not come
}

// prepare gives up what is not needed any more.
func (s *service) prepare(c *config.Config) (err error) {
	s.handover = c.Process.Handover
	if s.handover != "" { // before the process may start no program
		if s.starter, err = newStarter(); err != nil {
			return fmt.Errorf("process.handover: %w", err)
		}
	}
	if s.guard, err = protect(c, s.options.file, s.seen.say); err != nil {
		return report.Usagef("process: %v", err)
	}
	return nil
}

// heed reads the configuration again at each SIGHUP, and starts a successor at SIGUSR2, until
// stop is called.
func (s *service) heed() (stop func()) {
	signals, done, ended := make(chan os.Signal, 2), make(chan struct{}), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	notifySuccession(signals)
	s.told.watch(s.options.takeOver)
	s.told.ready()
	go func() {
		defer close(ended)
		for {
			select {
			case what := <-signals:
				if what == syscall.SIGHUP {
					s.told.reloading()
					s.reload()
					s.told.ready()
				} else {
					s.succeed()
				}
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
		<-ended
	}
}

func (s *service) reload() {
	c, err := s.options.read(s.cmd)
	if err == nil {
		err = s.guard.permits(c)
	}
	told := err == nil
	if told {
		err = s.proxy.Reload(*c)
	}
	s.seen.reloaded(c, told, err)
}

// comes is how long a successor may take until it takes over.
const comes = time.Minute

// succeed starts the successor, if its configuration is right. It does not wait for it.
func (s *service) succeed() {
	err := s.maySucceed()
	if err != nil {
		s.seen.Log().Error("no successor is started, and this process goes on", "failure", err.Error())
		return
	}
	s.seen.Log().Info("a successor is started")
	late := time.AfterFunc(comes, func() {
		if !s.gone.Load() {
			s.starter.end()
		}
	})
	s.late.Store(late)
	go func() {
		err := s.starter.start() // waits for as long as the successor lives
		late.Stop()
		s.succeeding.Store(false)
		if !s.gone.Load() {
			s.seen.Log().Error("the successor did not take over, and this process goes on", "failure", err.Error())
		}
	}()
}

func (s *service) maySucceed() error {
	if s.starter == nil {
		return errors.New("it would not find this one; set process.handover")
	}
	if s.options.file == "-" {
		return errors.New("the configuration came by standard input, which cannot be read again; write it to a file")
	}
	c, err := s.options.read(s.cmd)
	if err != nil {
		return err
	}
	if c.Process.Handover != s.handover {
		return fmt.Errorf("process.handover is %q now, and this process hands over at %q; set it back", c.Process.Handover, s.handover)
	}
	if s.succeeding.Swap(true) {
		return errors.New("another is being started")
	}
	return nil
}

// handedOver is told that another process has the sockets.
func (s *service) handedOver(pid int) {
	s.gone.Store(true)
	if late := s.late.Load(); late != nil {
		late.Stop() // at once: it would end the process that serves from now on
	}
	s.seen.Log().Info("another process has the sockets, and takes the connections from now on", "pid", pid)
	s.seen.leave()
	s.told.follow(pid)
}

// tookOver is told that this process serves in place of another.
func (s *service) tookOver(err error) {
	if err != nil {
		s.seen.Log().Warn("this process has the sockets, but not all went well with the one before", "failure", err.Error())
	}
}
