package keyprocess

import (
	"bufio"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/tls"
)

// patience is how long an answer may take. A key process that is alive signs in milliseconds; with all requests
// that may wait at once, in a second.
const patience = 10 * time.Second

// pairsAtOnce go in one message: with the longest paths of Linux, 4 KiB each, they fit.
const pairsAtOnce = 32

// ErrEnded is the error of everything that is asked of a key process that is no more.
var ErrEnded = errors.New("the process that holds the private keys has ended, so nothing can be signed: start the proxy again")

// A Pair names the files of a chain and its key in PEM, which may be one file.
type Pair struct{ Cert, Key string }

// Options of [Start].
type Options struct {
	// Command is the program with its arguments that calls [Serve].
	Command []string
	// Pairs are the files that can be loaded, as [Process.Load] will name them. No other pair can
	// be: what breaks into this process has no further files read by the key process, which may
	// run as root.
	Pairs []Pair
	// Sandbox is as in config.Process.
	Sandbox string
	// Stderr takes what the command says; nil for nothing.
	Stderr io.Writer
}

// Process is a key process that was started. Its methods may be called by several goroutines at once.
type Process struct {
	cmd    *exec.Cmd
	out    *os.File // requests
	in     *os.File // answers
	report []string

	mutex   sync.Mutex
	waiting map[uint64]chan answer // nil once it has ended
	last    uint64
	writing sync.Mutex
	done    chan struct{}
}

// Start starts the key process, and waits until it is in its sandbox. Call it before harden.Apply. No program that
// this process starts later inherits a descriptor beyond standard error, unless it is given one.
func Start(o Options) (*Process, error) {
	p := &Process{waiting: make(map[uint64]chan answer), done: make(chan struct{})}
	theirIn, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close()
	in, theirOut, err := os.Pipe()
	if err != nil {
		out.Close()
		return nil, err
	}
	defer theirOut.Close()
	p.in, p.out = in, out
	p.cmd = exec.Command(o.Command[0], o.Command[1:]...)
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = theirIn, theirOut, o.Stderr
	keepDescriptors()
	if err := p.cmd.Start(); err != nil {
		in.Close()
		out.Close()
		return nil, fmt.Errorf("the process for private keys does not start: %w", err)
	}
	go p.listen()
	var a answer
	err = p.permit(o.Pairs)
	if err == nil {
		a, err = p.ask(request{Do: doStart, Sandbox: o.Sandbox})
	}
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("the process for private keys: %w", err)
	}
	p.report = a.Report
	return p, nil
}

// permit tells which pairs may be loaded, in messages within their bound.
func (p *Process) permit(pairs []Pair) error {
	for some := range slices.Chunk(pairs, pairsAtOnce) {
		if _, err := p.ask(request{Do: doPermit, Pairs: some}); err != nil {
			return err
		}
	}
	return nil
}

// Report is what the key process gave away, and what the system lacks; see harden.Apply.
func (p *Process) Report() []string { return p.report }

// Done is closed when the key process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Close ends the key process, and waits for that. One that does not end by itself is killed.
func (p *Process) Close() error {
	err := p.out.Close()
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	<-p.done
	return err
}

// listen hands answers to those that wait, until the process ends.
func (p *Process) listen() {
	buffered := bufio.NewReader(p.in)
	for {
		var a answer
		if decode(buffered, &a) != nil {
			break
		}
		p.mutex.Lock()
		if to := p.waiting[a.ID]; to != nil {
			delete(p.waiting, a.ID)
			to <- a // has room for it
		}
		p.mutex.Unlock()
	}
	p.mutex.Lock()
	for _, to := range p.waiting {
		close(to)
	}
	p.waiting = nil
	p.mutex.Unlock()
	p.in.Close()
	p.cmd.Wait()
	close(p.done)
}

func (p *Process) ask(q request) (answer, error) {
	to := make(chan answer, 1)
	p.mutex.Lock()
	if p.waiting == nil {
		p.mutex.Unlock()
		return answer{}, ErrEnded
	}
	p.last++
	q.ID = p.last
	p.waiting[q.ID] = to
	p.mutex.Unlock()
	defer func() {
		p.mutex.Lock()
		delete(p.waiting, q.ID)
		p.mutex.Unlock()
	}()
	if err := p.send(q); err != nil {
		return answer{}, err
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case a, alive := <-to:
		switch {
		case !alive:
			return answer{}, ErrEnded
		case a.Err != "":
			return answer{}, errors.New(a.Err)
		}
		return a, nil
	case <-late.C:
		return answer{}, fmt.Errorf("the process that holds the private keys does not answer within %v", patience)
	}
}

func (p *Process) send(q request) error {
	message, err := encode(q)
	if err != nil {
		return err
	}
	p.writing.Lock()
	defer p.writing.Unlock()
	p.out.SetWriteDeadline(time.Now().Add(patience)) // where pipes have none, a full one waits
	if _, err := p.out.Write(message); err != nil {
		return ErrEnded
	}
	return nil
}

// Load has the key process read a chain and its key from files in PEM, which may be one file. The key of the result
// signs by asking. The key process forgets it when nothing here uses it any more.
func (p *Process) Load(cert, key string) (tls.Certificate, error) {
	a, err := p.ask(request{Do: doLoad, Cert: cert, Key: key})
	if err != nil {
		return tls.Certificate{}, err
	}
	if len(a.Chain) == 0 {
		return tls.Certificate{}, errors.New("the key process read no certificate")
	}
	leaf, err := x509.ParseCertificate(a.Chain[0])
	if err != nil {
		return tls.Certificate{}, err
	}
	far := &remote{p, a.Handle, otherkeys.Of(leaf)}
	pair := tls.Certificate{Certificate: a.Chain, Leaf: leaf, PrivateKey: far}
	if otherkeys.RSA(leaf) != nil {
		opener := &opener{far}
		pair.PrivateKey = opener
	}
	runtime.AddCleanup(far, func(handle uint64) { p.send(request{Do: doForget, Handle: handle}) }, a.Handle)
	return pair, nil
}
