package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"

	"github.com/spf13/cobra"
)

// A starter is a process that starts the successor of this one, which may not start programs
// itself once it has confined itself. It knows one command line, which nobody can change, and is
// told when to run it.
type starter struct {
	cmd     *exec.Cmd
	ask     io.WriteCloser
	answers *bufio.Scanner
}

// What a starter is told: to start the successor, or to end the one that it has started.
const (
	askStart = 's'
	askEnd   = 'e'
)

const takeOverFlag = "--take-over"

// newStarter starts one. Its successors write where this process does, to standard error.
func newStarter() (*starter, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &starter{cmd: exec.Command(self, append([]string{"proxy", "starter"}, os.Args[1:]...)...)}
	s.cmd.Stderr = os.Stderr // not a pipe of this process, which ends first
	if s.ask, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	answers, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.answers = bufio.NewScanner(answers)
	return s, s.cmd.Start()
}

// start has the successor started. It returns why it ended before it took over.
func (s *starter) start() error {
	if _, err := s.ask.Write([]byte{askStart}); err != nil {
		return fmt.Errorf("the process that starts others has ended: %w", err)
	}
	if !s.answers.Scan() {
		return errors.New("the process that starts others has ended")
	}
	return errors.New(s.answers.Text())
}

// end ends a successor that does not come to take over.
func (s *starter) end() { _, _ = s.ask.Write([]byte{askEnd}) } // it may have ended

// close lets it end. A successor that it has started goes on.
func (s *starter) close() {
	if s == nil {
		return
	}
	s.ask.Close()
	_ = s.cmd.Wait() // nothing depends on how it ends
}

// newStarterCommand makes the command that vitrine proxy starts for process.handover.
func newStarterCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "starter",
		Short:              "Start the successor of vitrine proxy, which starts this by itself",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("there is no command line; vitrine proxy starts this by itself")
			}
			return serveStarter(args, os.Stdin, os.Stdout)
		},
	}
}

// serveStarter starts the command line each time that in asks for it, and writes to out how it ended.
func serveStarter(args []string, in io.Reader, out io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if !slices.Contains(args, takeOverFlag) {
		args = append(args, takeOverFlag)
	}
	var mutex sync.Mutex // of out and running
	var running *os.Process
	for ask := bufio.NewReader(in); ; {
		what, err := ask.ReadByte()
		if err != nil {
			return nil // the process that asks has ended, and the last successor is on its own
		}
		mutex.Lock()
		switch {
		case what == askEnd && running != nil:
			_ = running.Kill() // it may have ended
		case what == askStart && running == nil:
			next := exec.Command(self, args...)
			next.Stderr = os.Stderr
			if err := next.Start(); err != nil {
				fmt.Fprintf(out, "it could not be started: %v\n", err)
				break
			}
			running = next.Process
			go func() {
				err := next.Wait()
				mutex.Lock()
				defer mutex.Unlock()
				running = nil
				fmt.Fprintf(out, "it ended (%v); its own message stands above\n", errOr(err, "exit status 0"))
			}()
		}
		mutex.Unlock()
	}
}

func errOr(err error, other string) any {
	if err == nil {
		return other
	}
	return err
}
