package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// workerVerb as first argument makes this program a child that works off jobs.
const workerVerb = "worker"

// workerArgs is how many arguments a worker has: workerVerb, the Go stack to use, the key
// folder, and the file names of the profiles.
const workerArgs = 6

// worker is what a child works with.
type worker struct {
	name        string
	stack       stack
	dir         string // of the keys
	keys        *keys
	heapProfile string
	announce    func(string) // sends a line ahead of the answer
}

// runWorker is the child.
func runWorker(args []string, in io.Reader, out io.Writer) error {
	name, dir, files := args[1], args[2], profiles{args[3], args[4], args[5]}
	k, err := readKeys(dir)
	if err != nil {
		return err
	}
	stop, err := files.start()
	if err != nil {
		return err
	}
	defer stop()
	answer := func(line string) { fmt.Fprintln(out, strings.ReplaceAll(line, "\n", " ")) }
	w := &worker{name, goStacks[name], dir, k, files.heap, answer}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var cannot unsupported
		switch f, err := w.work(parseJob(lines.Text())); {
		case errors.As(err, &cannot):
			answer("unsupported " + cannot.Error())
		case err != nil:
			answer("error " + err.Error())
		default:
			answer(f.String())
		}
	}
	return lines.Err()
}

// overTCP are the jobs on one established TCP connection.
var overTCP = map[string]func(conn, job) (figures, error){
	"send": send, "sink": sink,
	"recv": receive, "pingpong": pingPong, "echo": echo,
}

// withoutTLS are the jobs for which no connection is made.
var withoutTLS = map[string]func(stack, dir string, j job) (figures, error){
	"aead": sealing, "sign": signing, "check": checking, "agree": agreeing,
	"verify": verifyChain, "list": searchList, "capture": readCapture, "spin": spin,
}

// work does one job.
func (w *worker) work(j job) (figures, error) {
	if w.stack == nil {
		return nil, errors.New("no such stack")
	}
	if alone := withoutTLS[j.verb]; alone != nil {
		return alone(w.name, w.dir, j)
	}
	p, err := newParams(j, w.keys)
	if err != nil {
		return nil, err
	}
	e, err := w.stack(p)
	if err != nil {
		return nil, err
	}
	switch j.verb {
	case "handshake":
		return handshakes(e, p, j)
	case "scaling":
		return scaling(e, p, j)
	}
	l, err := newLink(j, w.announce)
	if err != nil {
		return nil, err
	}
	defer l.close()
	if j.verb == "hold" {
		return hold(e, l, j, w.heapProfile)
	}
	tcp, err := l.open()
	if err != nil {
		return nil, err
	}
	defer tcp.Close()
	switch j.verb {
	case "serve":
		return serve(e, tcp, j)
	case "drive":
		clients, err := w.clients(p, j.number("batch"))
		if err != nil {
			return nil, err
		}
		return drive(clients, p, tcp, j)
	case "source":
		p.server.DynamicRecordSizingDisabled = true
		return source(e, tcp, j)
	}
	return connected(e.end(j.text("role") == "server")(tcp), p, j)
}

// clients are n clients that share nothing but p.
func (w *worker) clients(p params, n int) ([]func(net.Conn) conn, error) {
	list := make([]func(net.Conn) conn, n)
	for i := range list {
		e, err := w.stack(p)
		if err != nil {
			return nil, err
		}
		list[i] = e.client
	}
	return list, nil
}

// connected makes the handshake and does the job on the connection.
func connected(c conn, p params, j job) (figures, error) {
	do := overTCP[j.verb]
	if do == nil {
		return nil, fmt.Errorf("unknown job %q", j.verb)
	}
	if err := c.Handshake(); err != nil {
		return nil, err
	}
	if err := p.check(c, false); err != nil {
		return nil, err
	}
	return do(c, j)
}
