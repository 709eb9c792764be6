package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

const (
	defaultInterval = 5 * time.Second
	defaultTimeout  = 2 * time.Second
	defaultFall     = 2
	defaultRise     = 1

	// answerMost bounds how much of an answer is read, with what its body's end is looked for in.
	answerMost = 64 << 10
)

// check watches one address until ctx ends.
func (t *target) check(ctx context.Context, at *place) {
	h := t.config.Health
	timer := time.NewTimer(0)
	defer timer.Stop()
	good, bad, told := 0, 0, false
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		err := t.probe(ctx, at)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			good, bad = good+1, 0
		} else {
			good, bad = 0, bad+1
		}
		switch {
		case (at.down.Load() || !told) && good >= orInt(h.Rise, defaultRise):
			told = true // also of one that was never down: under the configuration of before it may have been
			t.turned(at, true, nil)
		case !at.down.Load() && bad >= orInt(h.Fall, defaultFall):
			told = true
			t.turned(at, false, err)
		}
		timer.Reset(h.Interval.Or(defaultInterval))
	}
}

func (t *target) turned(at *place, up bool, why error) {
	at.down.Store(!up)
	if t.report != nil {
		t.report(at.name, up, why)
	}
}

func orInt(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

// probe connects, and asks for a path where the configuration has one.
func (t *target) probe(ctx context.Context, at *place) error {
	limit := t.config.Health.Timeout.Or(defaultTimeout)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := t.reach(ctx, t.forProbe(at), nil, "")
	if err != nil {
		return err
	}
	defer conn.Close()
	if t.config.Health.HTTP == "" {
		return nil
	}
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // a stop does not wait for the answer
	defer stop()
	host := at.address
	if at.network == "unix" {
		host = "localhost"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+t.config.Health.HTTP, nil)
	if err != nil {
		return err
	}
	req.Close = true
	if err := req.Write(conn); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, answerMost)), req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode >= 400 {
		return fmt.Errorf("GET %s is answered with %s", t.config.Health.HTTP, resp.Status)
	}
	return nil
}

// forProbe is the address as a check speaks to it: a request of HTTP/1.1 is none for a target
// that has agreed to HTTP/2.
func (t *target) forProbe(at *place) *place {
	if t.config.Health.HTTP == "" || at.tls == nil || !slices.Contains(at.tls.NextProtos, "h2") {
		return at
	}
	own := &place{name: at.name, network: at.network, address: at.address, tls: at.tls.Clone()}
	own.tls.NextProtos = []string{"http/1.1"}
	return own
}
