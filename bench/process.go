package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// answerLimit is how long a job may take before its child is ended.
const answerLimit = 60 * time.Second

// process is a child that works off jobs.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Reader
	said  strings.Builder // its standard error
}

func start(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdin, p.lines = stdin, bufio.NewReader(stdout)
	cmd.Stderr = &p.said
	return p, cmd.Start()
}

// ask hands out a job; its answer is the next line, or the one after a "port" line.
func (p *process) ask(line string) error {
	_, err := fmt.Fprintln(p.stdin, line)
	return err
}

// line waits for the child's next line.
func (p *process) line() (string, error) {
	overdue := time.AfterFunc(answerLimit, func() { p.cmd.Process.Kill() })
	defer overdue.Stop()
	line, err := p.lines.ReadString('\n')
	if err == nil {
		return line, nil
	}
	p.cmd.Wait()
	return "", errors.New("the measuring process ended early: " + firstLine(p.said.String()))
}

// port waits for a "port N" line.
func (p *process) port() (string, error) {
	line, err := p.line()
	if err != nil {
		return "", err
	}
	number, found := strings.CutPrefix(strings.TrimSpace(line), "port ")
	if !found {
		if _, err := parseAnswer(line); err != nil {
			return "", err
		}
		return "", fmt.Errorf("expected a port, got %q", line)
	}
	return number, nil
}

func (p *process) answer() (figures, error) {
	line, err := p.line()
	if err != nil {
		return nil, err
	}
	return parseAnswer(line)
}

// stop lets the child end by itself, so that it can write its profile; one
// that is stuck in a job is ended.
func (p *process) stop() {
	p.stdin.Close()
	overdue := time.AfterFunc(5*time.Second, func() { p.cmd.Process.Kill() })
	defer overdue.Stop()
	p.cmd.Wait()
}

// firstLine shortens what a child printed to what fits into a note.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
