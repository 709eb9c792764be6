//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// A row is one measurement. key is the kind of certificate; run returns figures by their units.
type row struct {
	name, key string
	run       func(t *trial) (figures, error)
}

// figures are results by name, with the unit in the name.
type figures map[string]float64

// trial is one round of one row with one program.
type trial struct {
	r      *running
	client *tls.Config
	dir    string
	span   time.Duration // of one measurement
}

var rows = []row{
	{"new-ecdsa", "ecdsa", func(t *trial) (figures, error) { return t.connections(false) }},
	{"new-rsa", "rsa", func(t *trial) (figures, error) { return t.connections(false) }},
	{"new-resumed", "ecdsa", func(t *trial) (figures, error) { return t.connections(true) }},
	{"bulk", "ecdsa", (*trial).bulk},
	{"requests", "ecdsa", (*trial).requests},
	{"idle", "ecdsa", (*trial).idle},
	{"rest", "ecdsa", (*trial).rest},
}

// count measures what do does in the span, which returns how much that was.
func (t *trial) count(unit string, do func(stop func() bool) (float64, error)) (figures, error) {
	if _, err := do(until(t.span / 4)); err != nil { // not counted
		return nil, err
	}
	before, began := t.r.processor(), time.Now()
	n, err := do(until(t.span))
	if err != nil {
		return nil, err
	}
	took, used := time.Since(began), t.r.processor()-before
	return figures{unit + " a second of processor": n / used.Seconds(), unit + " a second": n / took.Seconds()}, nil
}

func until(d time.Duration) func() bool {
	end := time.Now().Add(d)
	return func() bool { return time.Now().After(end) }
}

// clients is how many connect at once: enough to keep two workers busy.
const clients = 32

func (t *trial) connections(resumed bool) (figures, error) {
	return t.count("connections", func(stop func() bool) (float64, error) {
		var n atomic.Int64
		err := together(clients, func(int) error {
			config := t.client.Clone()
			if resumed {
				config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			}
			for again := false; !stop(); again = true {
				c, err := tls.Dial("tcp", t.r.address, config)
				if err != nil {
					return err
				}
				if resumed && again && !c.ConnectionState().DidResume {
					c.Close()
					return errors.New("a connection was not resumed")
				}
				err = get(c, 16, nil)
				c.Close()
				if err != nil {
					return err
				}
				n.Add(1)
			}
			return nil
		})
		return float64(n.Load()), err
	})
}

// get asks for n bytes and reads them, into buffer where that is not nil.
func get(c io.ReadWriter, n int, buffer []byte) error {
	if _, err := fmt.Fprintf(c, "GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n", n); err != nil {
		return err
	}
	head := len("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n") + len(strconv.Itoa(n))
	if buffer == nil {
		buffer = make([]byte, 512)
	}
	for left := head + n; left > 0; {
		got, err := c.Read(buffer[:min(left, len(buffer))])
		if left -= got; err != nil && left > 0 {
			return err
		}
	}
	return nil
}

func (t *trial) bulk() (figures, error) {
	const size = 64 << 20
	return t.count("MB", func(stop func() bool) (float64, error) {
		c, err := tls.Dial("tcp", t.r.address, t.client)
		if err != nil {
			return 0, err
		}
		defer c.Close()
		n, buffer := 0, make([]byte, 256<<10)
		for ; n == 0 || !stop(); n++ {
			if err := get(c, size, buffer); err != nil {
				return 0, err
			}
		}
		return float64(n) * size / 1e6, nil
	})
}

// requests has h2load keep 1,000 connections busy, and reads the times of answers from its log.
func (t *trial) requests() (figures, error) {
	load, err := exec.LookPath("h2load")
	if err != nil {
		return nil, errors.New("h2load is not installed (Debian: apt-get install nghttp2-client)")
	}
	log := filepath.Join(t.dir, "h2load.log")
	defer os.Remove(log)
	before, began := t.r.processor(), time.Now()
	seconds := strconv.Itoa(max(2, int(3*t.span.Seconds()))) // the handshakes at the beginning count too, and should not weigh
	// h2load waits for ever where a server leaves connections without an answer.
	ctx, cancel := context.WithTimeout(context.Background(), 6*t.span+30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, load, "--h1", "-c", "1000", "-t", "1", "-D", seconds, "--log-file", log, "https://"+t.r.address+"/1024").CombinedOutput()
	if ctx.Err() != nil {
		return nil, errors.New("h2load did not end: some of its 1,000 connections got no answer")
	}
	if err != nil {
		return nil, fmt.Errorf("h2load: %w\n%s", err, out[max(0, len(out)-300):])
	}
	took, used := time.Since(began), t.r.processor()-before
	times, err := answerTimes(log)
	if err != nil || len(times) == 0 {
		return nil, fmt.Errorf("h2load measured nothing: %w\n%s", err, out[max(0, len(out)-300):])
	}
	slices.Sort(times)
	return figures{
		"requests a second of processor": float64(len(times)) / used.Seconds(), "requests a second": float64(len(times)) / took.Seconds(),
		"ms for half of the answers": times[len(times)/2] / 1e3, "ms for 99 of 100 answers": times[len(times)*99/100] / 1e3,
	}, nil
}

// answerTimes are the third column of each answer with status 200, in microseconds.
func answerTimes(name string) (times []float64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) == 3 && fields[1] == "200" {
			if us, err := strconv.ParseFloat(fields[2], 64); err == nil {
				times = append(times, us)
			}
		}
	}
	return times, nil
}

// hold opens n connections that have each made one request, and says nothing more on them.
func (t *trial) hold(n int) (release func(), err error) {
	list := make([]*tls.Conn, n)
	release = func() {
		for _, c := range list {
			if c != nil {
				c.Close()
			}
		}
	}
	err = together(clients, func(worker int) error {
		for i := worker; i < n; i += clients {
			c, err := tls.Dial("tcp", t.r.address, t.client)
			if err != nil {
				return err
			}
			list[i] = c
			if err := get(c, 16, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		release()
	}
	return release, err
}

// settled is how long a program may give memory back before it is measured.
const settled = 5 * time.Second

func (t *trial) idle() (figures, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil, err
	}
	// This process holds the clients' side and the service's, the program two of its own.
	n := min(20_000, int(limit.Cur/2)-500)
	warm, err := t.hold(100)
	if err != nil {
		return nil, err
	}
	defer warm()
	before := t.r.memory()
	release, err := t.hold(n)
	if err != nil {
		return nil, fmt.Errorf("%d connections: %w", n, err)
	}
	defer release()
	time.Sleep(settled)
	return figures{"connections": float64(n), "KiB a connection": float64(t.r.memory()-before) / float64(n) / 1024}, nil
}

func (t *trial) rest() (figures, error) {
	release, err := t.hold(1000)
	if err != nil {
		return nil, err
	}
	defer release()
	time.Sleep(settled)
	before := t.r.processor()
	span := 5 * t.span
	time.Sleep(span)
	return figures{"ms of processor a minute": float64((t.r.processor() - before).Milliseconds()) * time.Minute.Seconds() / span.Seconds()}, nil
}

// together runs do n times at once, and returns the first error.
func together(n int, do func(i int) error) error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs[i] = do(i) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
