package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"strings"
)

// workerVerb as first argument makes this program a child that works off jobs.
const workerVerb = "worker"

// runWorker is the child: name is the Go stack to use, dir the key folder, and
// profile, if not empty, a file for a CPU profile of all its jobs.
func runWorker(name, dir, profile string, in io.Reader, out io.Writer) error {
	k, err := readKeys(dir)
	if err != nil {
		return err
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	answer := func(line string) { fmt.Fprintln(out, strings.ReplaceAll(line, "\n", " ")) }
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var cannot unsupported
		switch f, err := work(goStacks[name], k, parseJob(lines.Text()), answer); {
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

// work does one job. announce sends a line ahead of the answer.
func work(s stack, k *keys, j job, announce func(string)) (figures, error) {
	if s == nil {
		return nil, errors.New("no such stack")
	}
	p, err := newParams(j, k)
	if err != nil {
		return nil, err
	}
	e := s(p)
	if j.verb == "handshake" {
		return handshakes(e, p, j)
	}
	l, err := newLink(j, announce)
	if err != nil {
		return nil, err
	}
	defer l.close()
	if j.verb == "hold" {
		return hold(e, l, j)
	}
	tcp, err := l.open()
	if err != nil {
		return nil, err
	}
	defer tcp.Close()
	if j.verb == "source" {
		h := &holdback{Conn: tcp}
		p.server.DynamicRecordSizingDisabled = true
		c := e.server(h)
		if err := c.Handshake(); err != nil {
			return nil, err
		}
		return source(c, j, h)
	}
	do := overTCP[j.verb]
	if do == nil {
		return nil, fmt.Errorf("unknown job %q", j.verb)
	}
	c := e.end(j.text("role") == "server")(tcp)
	if err := c.Handshake(); err != nil {
		return nil, err
	}
	if err := p.check(c); err != nil {
		return nil, err
	}
	return do(c, j)
}
