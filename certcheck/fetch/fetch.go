// Package fetch brings OCSP responses and certificate revocation lists by HTTP, for
// package certcheck/revocation to verify, and keeps them on disk. It also brings the
// certificates of issuers that a peer has not sent, for package certcheck.
package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
)

const (
	// Timeout is how long a fetch may take where none is given.
	Timeout = 3 * time.Second
	// Pause is how long a place that failed is left alone, so that a responder that is
	// down delays one handshake and not each.
	Pause = 30 * time.Second

	maxRedirects = 3
	maxFailures  = 1024 // places whose failure is remembered
)

// A Client is a [revocation.Fetcher] that speaks HTTP. The zero value is ready: it keeps
// nothing on disk. It is safe for use by several goroutines at once. A place that is asked by
// several at the same moment is asked once.
type Client struct {
	// Dir is a folder in which answers are kept for as long as they hold; "" for none. It
	// is made when it is first needed. Nothing in it is believed: what is read is
	// verified as if it came from the network, and what cannot be read is thrown away.
	Dir string
	// Timeout bounds a fetch, redirects included; 0 for [Timeout].
	Timeout time.Duration
	// Transport carries the requests; nil for one of its own with the environment's
	// proxies.
	Transport http.RoundTripper
	// Now is the clock; nil for time.Now.
	Now func() time.Time

	mu      sync.Mutex
	flights map[string]*flight
	failed  map[string]failure
	issuers map[string][]byte // by their address
}

// flight is a fetch that several wait for.
type flight struct {
	done chan struct{}
	body []byte
	err  error
}

type failure struct {
	at  time.Time
	err error
}

var transport = &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// Fetch brings what r asks for: from disk, or from the network. It waits no longer than
// ctx, though a fetch that others wait for as well goes on.
func (c *Client) Fetch(ctx context.Context, r revocation.Request) ([]byte, error) {
	limit, known := limits[r.Source]
	if !known {
		return nil, fmt.Errorf("%v is not fetched", r.Source)
	}
	if err := fetchable(r.URL); err != nil {
		return nil, err
	}
	key := keyOf(r)
	if !r.Anew && !r.Once {
		if body := c.load(key, r.Source); body != nil {
			return body, nil
		}
	}
	f, err := c.join(key, func() ([]byte, error) {
		body, err := c.get(r, limit)
		if err == nil && !r.Once {
			c.save(key, r.Source, body)
		}
		return body, err
	})
	if err != nil {
		return nil, err
	}
	return f.wait(ctx)
}

// wait waits no longer than ctx.
func (f *flight) wait(ctx context.Context) ([]byte, error) {
	select {
	case <-f.done:
		return f.body, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// limits are the sizes of the largest answers, in bytes.
var limits = map[revocation.Source]int64{revocation.OCSP: revocation.MaxOCSP, revocation.CRL: revocation.MaxCRL}

// fetchable refuses what is no place on the web: a certificate may name a file, or LDAP.
func fetchable(place string) error {
	u, err := url.Parse(place)
	switch {
	case err != nil:
		return errors.New("its address cannot be read")
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("it is not fetched by HTTP")
	case u.Host == "":
		return errors.New("its address has no host")
	}
	return nil
}

// join starts a fetch, or finds the one that is under way.
func (c *Client) join(key string, get func() ([]byte, error)) (*flight, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights[key]; f != nil {
		return f, nil
	}
	if last, ok := c.failed[key]; ok && c.now().Sub(last.at) < Pause {
		return nil, fmt.Errorf("%w (tried %v ago)", last.err, c.now().Sub(last.at).Round(time.Second))
	}
	f := &flight{done: make(chan struct{})}
	if c.flights == nil {
		c.flights, c.failed = map[string]*flight{}, map[string]failure{}
	}
	c.flights[key] = f
	go func() {
		body, err := get()
		c.land(key, f, body, err)
	}()
	return f, nil
}

func (c *Client) land(key string, f *flight, body []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.body, f.err = body, err
	delete(c.flights, key)
	delete(c.failed, key)
	if err != nil {
		if len(c.failed) >= maxFailures {
			clear(c.failed)
		}
		c.failed[key] = failure{c.now(), err}
	}
	close(f.done)
}

// get asks the network.
func (c *Client) get(r revocation.Request, limit int64) ([]byte, error) {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = Timeout
	}
	// The context is the fetch's own: the one that asked first may lose patience, and the others not.
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	request, err := newRequest(ctx, r)
	if err != nil {
		return nil, err
	}
	var carrier http.RoundTripper = transport
	if c.Transport != nil {
		carrier = c.Transport
	}
	response, err := (&http.Client{Transport: carrier, CheckRedirect: redirect}).Do(request)
	if err != nil {
		return nil, plain(err, timeout)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is HTTP %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	switch {
	case err != nil:
		return nil, plain(err, timeout)
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("it has more than %d bytes", limit)
	}
	return body, nil
}

func newRequest(ctx context.Context, r revocation.Request) (*http.Request, error) {
	if r.Source != revocation.OCSP {
		return http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(r.Body))
	if err == nil {
		request.Header.Set("Content-Type", "application/ocsp-request")
		request.Header.Set("Accept", "application/ocsp-response")
	}
	return request, err
}

// redirect follows to the web alone, and not for ever.
func redirect(to *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("it was redirected more than %d times", maxRedirects)
	}
	return fetchable(to.URL.String())
}

// plain says in words what went wrong, without the URL, which the caller names.
func plain(err error, timeout time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %v", timeout)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
