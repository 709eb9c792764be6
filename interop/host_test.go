package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// host is a child that plays its part in many cells, as testdata/peer.js does. It starts
// with the first cell, and ends when it has had none for a while. The zero value of all
// but name and script is a host that has not started.
type host struct {
	name, script string

	mu    sync.Mutex
	stdin io.WriteCloser // nil: it does not run
	last  int
	cells map[int]*proc // those that it plays now
	quiet *time.Timer   // ends it
}

// idleHost is how long a host lives without cells: less than what goroutines may take to
// end after the last test.
const idleHost = 500 * time.Millisecond

// hostLine is what a host prints of a cell.
type hostLine struct {
	ID       int
	Out, Err string
	Ended    *bool // whether all went well
}

// begin has the host play a cell until ctx ends, by its settings, to which it adds the
// number. The process returned stands for the cell: it has the cell's output, and its end.
func (h *host) begin(ctx context.Context, settings map[string]any) (*proc, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stdin == nil {
		if err := h.start(); err != nil {
			return nil, err
		}
	}
	h.quiet.Stop()
	h.last++
	id := h.last
	settings["id"] = id
	line, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	p := &proc{name: h.name, done: make(chan struct{}), grown: make(chan struct{})}
	h.cells[id] = p
	if _, err := h.stdin.Write(append(line, '\n')); err != nil {
		h.end(id, err)
		return nil, err
	}
	context.AfterFunc(ctx, func() { h.stop(id) })
	return p, nil
}

// start starts the child, and reads what it prints until it ends.
func (h *host) start() error {
	cmd := exec.Command(h.name, "-e", h.script)
	trouble := &proc{grown: make(chan struct{})}
	cmd.Stderr = &stream{trouble, &trouble.err}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	h.stdin, h.cells = stdin, map[int]*proc{}
	h.quiet = time.AfterFunc(idleHost, h.close)
	go func() {
		in := bufio.NewScanner(stdout)
		in.Buffer(nil, maxOutput)
		for in.Scan() {
			h.heard(in.Bytes())
		}
		h.ended(stdin, fmt.Errorf("%s ended: %w\n%s", h.name, errors.Join(in.Err(), cmd.Wait()), trouble.text()))
	}()
	return nil
}

// heard takes a line that the host has printed.
func (h *host) heard(text []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var line hostLine
	err := json.Unmarshal(text, &line)
	p := h.cells[line.ID]
	if err != nil || p == nil {
		return
	}
	for text, to := range map[string]*[]byte{line.Out: &p.out, line.Err: &p.err} {
		if text != "" {
			(&stream{p, to}).Write([]byte(text + "\n"))
		}
	}
	switch {
	case line.Ended == nil:
	case *line.Ended:
		h.end(line.ID, nil)
	default:
		h.end(line.ID, errors.New("it failed"))
	}
}

// stop has the host end a cell, if it has not.
func (h *host) stop(id int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cells[id] != nil {
		fmt.Fprintln(h.stdin, id) // where that fails, the host ends
	}
}

// end ends a cell. It is for those that hold the lock.
func (h *host) end(id int, err error) {
	p := h.cells[id]
	delete(h.cells, id)
	p.ended = err
	close(p.done)
	if len(h.cells) == 0 {
		h.quiet.Reset(idleHost)
	}
}

// close ends the host if it has no cells.
func (h *host) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.cells) == 0 && h.stdin != nil {
		h.stdin.Close()
		h.stdin = nil
	}
}

// ended ends the cells of a host that has ended with them, by its standard input.
func (h *host) ended(stdin io.Closer, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stdin != stdin {
		return
	}
	for id := range h.cells {
		h.end(id, err)
	}
	h.quiet.Stop()
	h.stdin = nil
}
