package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// A size says how long a run may take.
type size struct {
	rounds   int // of a handshake or bulk row
	memory   int // rounds of a memory row
	ms       int // of a timed job
	brief    int // of one without a connection, which varies less
	total    int // bytes of a receiving job
	conns    int // idle connections
	listed   int // entries of the longest revocation list
	captured int // connections of the capture, of 1 MB each
	settle   int // milliseconds that they are idle before the heap is looked at
}

var (
	full  = size{rounds: 11, memory: 3, ms: 120, brief: 60, total: 128 << 20, conns: 400, listed: 1_000_000, captured: 1000, settle: 1500}
	quick = size{rounds: 3, memory: 1, ms: 15, brief: 10, total: 16 << 20, conns: 50, listed: 100_000, captured: 30, settle: 1500}
)

// fields are what the job of a row is told of the size.
func (s size) fields(r row) string {
	ms := s.ms
	if r.kind == "primitives" {
		ms = s.brief
	}
	return fmt.Sprintf(" ms=%d total=%d conns=%d settle=%d most=%d captured=%d", ms, s.total, s.conns, s.settle, s.listed, s.captured)
}

// prepare makes the file that a job needs beside the keys.
func (b *bench) prepare(r row) error {
	switch j := parseJob(r.job + b.size.fields(r)); j.verb {
	case "list":
		return writeList(b.dir, j.entries())
	case "sign", "check":
		return writeSigner(b.dir, j.text("key"))
	case "capture":
		return writeCapture(b.dir, j.number("captured"))
	}
	return nil
}

// A contender is a stack under measurement: how to start a process for it, or
// the reason why it cannot take part.
type contender struct {
	name    string
	command func(row) *exec.Cmd
	missing error
}

// bench is one run of the program.
type bench struct {
	dir        string // keys, and the compiled OpenSSL program
	memProfile string // file name for heap profiles, or empty
	size       size
	contenders []contender
	load       *load // nil: the machine is taken as it is
}

// result is what one row gave, by the machine's state and contender name.
type result struct {
	row     row
	samples map[state]map[string][]figures
	errs    map[string]error
}

func newResult(r row) result {
	return result{r, map[state]map[string][]figures{idle: {}, loaded: {}}, map[string]error{}}
}

// goWorker returns the command for this program as a worker of the named stack.
func goWorker(name, dir string, files profiles) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return exec.Command(self, workerVerb, name, dir, files.cpu, files.heap, files.contention)
}

// rounds is how often each contender gets its turn. Memory rows and slow ones need no
// round to warm up, and hardly differ from round to round.
func (b *bench) rounds(r row) int {
	if r.kind == "memory" || r.slow {
		return b.size.memory
	}
	return 1 + b.size.rounds
}

// measureAll runs the rows and hands each result to done, in order. Memory
// rows do not disturb each other and mostly wait, so they run all at once.
func (b *bench) measureAll(rows []row, done func(result)) {
	var waiting []chan result
	for _, r := range rows {
		if r.kind == "memory" {
			c := make(chan result, 1)
			go func() { c <- b.measure(r) }()
			waiting = append(waiting, c)
			continue
		}
		done(b.measure(r))
	}
	for _, c := range waiting {
		done(<-c)
	}
}

// measure runs one row: the contenders take turns, round after round, in each state of
// the machine, and the first round only warms up.
func (b *bench) measure(r row) result {
	res := newResult(r)
	pairs := map[string]*pair{}
	if err := b.prepare(r); err != nil {
		res.errs[vitrineName] = err
		return res
	}
	for _, c := range b.contenders {
		p, err := b.startPair(r, c)
		if err != nil {
			res.errs[c.name] = err
			continue
		}
		defer p.stop()
		pairs[c.name] = p
	}
	warm := r.kind == "memory" || r.slow
	for range b.rounds(r) {
		for _, now := range b.states(r) {
			if err := b.load.set(now); err != nil {
				res.errs[vitrineName] = err
				return res
			}
			b.turns(r, pairs, func(name string, f figures, err error) {
				switch {
				case err != nil:
					res.errs[name] = err
				case warm:
					res.samples[now][name] = append(res.samples[now][name], f)
				}
			}, res.errs)
		}
		warm = true
	}
	return res
}

// turns has each contender do the row's job once, save those that have failed.
func (b *bench) turns(r row, pairs map[string]*pair, done func(name string, f figures, err error), failed map[string]error) {
	for _, c := range b.contenders {
		if p := pairs[c.name]; p != nil && failed[c.name] == nil {
			f, err := p.round(r, b.size)
			done(c.name, f, err)
		}
	}
}

// pair is the measured process and, in bulk and memory rows, its peer.
type pair struct{ measured, peer *process }

func (b *bench) startPair(r row, c contender) (*pair, error) {
	if c.missing != nil {
		return nil, c.missing
	}
	cmd := c.command(r)
	cmd.Env = os.Environ()
	if b.memProfile != "" {
		cmd.Env = append(cmd.Env, "GODEBUG=memprofilerate=1")
	}
	if r.procs > 0 {
		cmd.Env = append(cmd.Env, "GOMAXPROCS="+strconv.Itoa(r.procs))
	}
	p := &pair{}
	var err error
	if p.measured, err = start(cmd); err != nil {
		return nil, err
	}
	if r.peer != "" {
		if p.peer, err = start(goWorker(r.driver(), b.dir, profiles{})); err != nil {
			p.measured.stop()
			return nil, err
		}
	}
	return p, nil
}

// profileName puts row and contender into the file name given: cpu.prof
// becomes cpu.ROW.CONTENDER.prof.
func profileName(file, row, contender string) string {
	if file == "" {
		return ""
	}
	ext := filepath.Ext(file)
	return fmt.Sprintf("%s.%s.%s%s", strings.TrimSuffix(file, ext), row, strings.ReplaceAll(contender, "/", "-"), ext)
}

// round does the row's job once. The end that listens gets its job first and
// says on which port.
func (p *pair) round(r row, s size) (figures, error) {
	scale := s.fields(r)
	if p.peer == nil {
		if err := p.measured.ask(r.job + scale); err != nil {
			return nil, err
		}
		return p.measured.answer()
	}
	server, serverJob, client, clientJob := p.peer, r.peer, p.measured, r.job
	if parseJob(r.job).text("role") == "server" {
		server, serverJob, client, clientJob = client, clientJob, server, serverJob
	}
	if err := server.ask(serverJob + scale); err != nil {
		return nil, err
	}
	port, err := server.port()
	if err != nil {
		return nil, err
	}
	if err := client.ask(clientJob + scale + " port=" + port); err != nil {
		return nil, err
	}
	f, err := p.measured.answer()
	if err != nil {
		return nil, err
	}
	_, err = p.peer.answer()
	return f, err
}

func (p *pair) stop() {
	p.measured.stop()
	if p.peer != nil {
		p.peer.stop()
	}
}

// failures are the errors of a result that are not just a missing ability.
func (r result) failures() error {
	var all []error
	for name, err := range r.errs {
		var cannot unsupported
		if !errors.As(err, &cannot) {
			all = append(all, fmt.Errorf("%s, %s: %w", r.row.name, name, err))
		}
	}
	return errors.Join(all...)
}
