package interop

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"sync"
	"time"
)

// proc is a running child, whose output is kept and can be waited for.
type proc struct {
	io.WriteCloser // its standard input
	name           string
	pid            int
	done           chan struct{}
	ended          error    // how; valid after done
	remarks        []string // what it prints between the data

	mu       sync.Mutex
	out, err []byte        // its two streams, apart, so that neither cuts the other
	grown    chan struct{} // closed and replaced when either grows
}

// start runs a program until ctx ends, when it is killed.
func start(ctx context.Context, dir, name string, args ...string) (*proc, error) {
	return startWith(ctx, dir, nil, name, args...)
}

// startWith is start with more environment variables.
func startWith(ctx context.Context, dir string, env []string, name string, args ...string) (*proc, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	cmd.Env = append(cmd.Environ(), env...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p := &proc{WriteCloser: stdin, name: name, done: make(chan struct{}), grown: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &stream{p, &p.out}, &stream{p, &p.err}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p.pid = cmd.Process.Pid
	go func() {
		p.ended = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// maxOutput bounds what is kept of a child that prints without end, as
// tstclnt -v can.
const maxOutput = 4 << 20

// stream is the writer behind one of a child's outputs.
type stream struct {
	p  *proc
	to *[]byte
}

func (s *stream) Write(b []byte) (int, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if len(*s.to) < maxOutput {
		*s.to = append(*s.to, b...)
		close(s.p.grown)
		s.p.grown = make(chan struct{})
	}
	return len(b), nil
}

// text is the output so far, standard output before standard error.
func (p *proc) text() string { return string(p.both()) }

func (p *proc) both() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Concat(p.out, p.err)
}

// awaitFunc waits until the output satisfies ok, the child ends or ctx does.
func (p *proc) awaitFunc(ctx context.Context, what string, ok func([]byte) bool) error {
	for {
		p.mu.Lock()
		grown := p.grown
		p.mu.Unlock()
		if ok(p.both()) {
			return nil
		}
		select {
		case <-grown:
		case <-p.done:
			if ok(p.both()) {
				return nil
			}
			return fmt.Errorf("%s ended (%v) before it printed %s", p.name, p.ended, what)
		case <-ctx.Done():
			return fmt.Errorf("%s did not print %s: %w", p.name, what, ctx.Err())
		}
	}
}

// await waits for a pattern and returns its submatches.
func (p *proc) await(ctx context.Context, pattern *regexp.Regexp) ([]string, error) {
	var found []string
	err := p.awaitFunc(ctx, pattern.String(), func(out []byte) bool {
		for _, m := range pattern.FindSubmatch(out) {
			found = append(found, string(m))
		}
		return found != nil
	})
	return found, err
}

// awaitCount waits until the output holds text n times.
func (p *proc) awaitCount(ctx context.Context, text string, n int) error {
	return p.awaitFunc(ctx, fmt.Sprintf("%q %d times", text, n), func(out []byte) bool {
		return bytes.Count(out, []byte(text)) >= n
	})
}

// awaitPayload waits for data as it stands in the output, but for remarks.
func (p *proc) awaitPayload(ctx context.Context, data []byte) error {
	return p.awaitFunc(ctx, fmt.Sprintf("our %d bytes of data", len(data)), func(out []byte) bool {
		for _, remark := range p.remarks {
			out = bytes.ReplaceAll(out, []byte(remark), nil)
		}
		return bytes.Contains(out, data)
	})
}

// wait waits for the end of the child and returns how it ended.
func (p *proc) wait(ctx context.Context) error {
	select {
	case <-p.done:
		if p.ended != nil {
			return fmt.Errorf("%s: %w", p.name, p.ended)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s did not end: %w", p.name, ctx.Err())
	}
}
