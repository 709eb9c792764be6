package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// cellTimeout bounds one cell.
const cellTimeout = 10 * time.Second

// batchTimeout bounds all cells of a peer that runs them at once.
const batchTimeout = 60 * time.Second

// grace is what one side gets to end in when the other has failed.
const grace = time.Second

// fullLines of a payload are more than one record.
const fullLines = 8

// workDir holds the certificates of the run.
var workDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "vitrine-interop")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	workDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// required reports whether a missing peer is a failure.
func required() bool {
	return os.Getenv("VITRINE_INTEROP") == "require" || os.Getenv("CI") == "true"
}

// need skips, or where peers are required fails, when a program is missing.
func need(t *testing.T, program, pkg string) {
	t.Helper()
	if program == "" {
		return
	}
	msg := fmt.Sprintf("%s is not installed (Debian: apt-get install %s)", program, pkg)
	if required() {
		t.Fatal(msg)
	}
	t.Skip(msg)
}

func unlessOff(t *testing.T) {
	if os.Getenv("VITRINE_INTEROP") == "off" {
		t.Skip("VITRINE_INTEROP=off")
	}
}

func TestMatrix(t *testing.T) {
	unlessOff(t)
	table := newTable()
	for _, ours := range []wire.Role{wire.Client, wire.Server} {
		t.Run(ours.String(), func(t *testing.T) {
			for _, p := range peers {
				t.Run(p.Name, func(t *testing.T) {
					need(t, p.missing(), p.Package)
					runPeer(t, table, ours, p)
				})
			}
		})
	}
	t.Log(table)
}

// runPeer runs all cells of one peer in one role, several at a time.
func runPeer(t *testing.T, table *table, ours wire.Role, p *peer) {
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	var can []cell
	for _, c := range rows() {
		if why := p.cannot(ours, c); why != "" {
			table.cannot(ours, p, c.String(), why)
		} else {
			can = append(can, c)
		}
	}
	if p.Batch != nil && ours == wire.Server {
		runBatch(t, table, p, material, can)
		return
	}
	one := func(c cell, row string) {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			err := runCell(t, material, ours, p, c)
			table.done(ours, p, row, c, err, time.Since(start))
			if err != nil {
				t.Error(err)
			}
		})
	}
	for _, c := range can {
		one(c, c.String())
	}
	if testing.Short() || len(can) == 0 {
		return
	}
	for _, c := range mix(func(c cell) bool { return p.cannot(ours, c) == "" }) {
		if !slices.Contains(can, c) {
			one(c, mixRow)
		}
	}
}

func runBatch(t *testing.T, table *table, p *peer, material *pki, can []cell) {
	ctx, cancel := context.WithTimeout(t.Context(), batchTimeout)
	defer cancel()
	start := time.Now()
	results, err := p.Batch(ctx, p, t.TempDir(), material, can)
	if err != nil {
		t.Error(err)
	}
	for _, c := range can {
		err, ok := results[c]
		if !ok {
			err = errors.New("did not run")
		}
		table.done(wire.Server, p, c.String(), c, err, time.Since(start))
		if err != nil {
			t.Errorf("%s: %v", c, err)
		}
	}
}

// runCell makes the cell's connections and checks everything.
func runCell(t *testing.T, material *pki, ours wire.Role, p *peer, c cell) error {
	ctx, cancel := context.WithTimeout(t.Context(), cellTimeout)
	defer cancel()
	r := &run{cell: c, ctx: ctx, cancel: cancel, peer: p, pki: material, dir: t.TempDir(), payload: newPayload(fullLines)}
	u := &us{cell: c, pki: material, only: p.anySuite != nil && p.anySuite(c, ours)}
	do := weDial
	if ours == wire.Server {
		do = weServe
	}
	err := do(r, u)
	cancel() // kills the children, whose output is whole after that
	for _, child := range r.procs {
		<-child.done
	}
	if err != nil {
		return fmt.Errorf("%w\n%s\n%s", err, u.account(), r.printed())
	}
	return nil
}

// newPayload is random printable data in lines that begin with a letter which
// no peer takes for a command.
func newPayload(lines int) []byte {
	var b bytes.Buffer
	for range lines {
		b.WriteByte('p')
		for range 2999 {
			b.WriteByte("0123456789abcdef"[rand.IntN(16)])
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// weDial is a cell with us as client.
func weDial(r *run, u *us) error {
	srv, err := r.peer.Serve(r)
	if err != nil {
		return fmt.Errorf("start the peer: %w", err)
	}
	for n := range r.connections() {
		if err := dialOnce(r, u, srv, n); err != nil {
			return fmt.Errorf("connection %d: %w", n+1, err)
		}
	}
	theirs, err := srv.facts()
	if err != nil {
		return err
	}
	return checkPeer(r, theirs)
}

func dialOnce(r *run, u *us, srv *server, n int) error {
	c, err := u.dial(r.ctx, fmt.Sprintf("127.0.0.1:%d", srv.port))
	if err != nil {
		return err
	}
	defer c.Close()
	if r.KeyUpdate == "ours" {
		if err := c.keyUpdate(); err != nil {
			return err
		}
	}
	if err := srv.talk(c); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	want := r.want(n, r.peer)
	delete(want, "sni") // a client's own view has none
	delete(want, "client certificate")
	if err := compare("us", n, want, c.facts(), true); err != nil {
		return err
	}
	if err := checkUpdates(r, c, n); err != nil {
		return err
	}
	if srv.closes {
		return nil
	}
	return finish(c)
}

// finish sends close_notify and wants the peer's: without it, EOF is an error.
func finish(c *conn) error {
	if err := c.CloseWrite(); err != nil {
		return fmt.Errorf("close_notify: %w", err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		return fmt.Errorf("the peer's close: %w", err)
	}
	return nil
}

// weServe is a cell with us as server.
func weServe(r *run, u *us) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer ln.Close()
	served := make(chan error, 1)
	go func() {
		err := serveAll(r, u, ln)
		if err != nil { // some clients would wait for us until the cell's time is over
			time.AfterFunc(grace, r.cancel)
		}
		served <- err
	}()
	theirs, err := r.peer.Connect(r, ln.Addr().(*net.TCPAddr).Port)
	if err != nil {
		time.AfterFunc(grace, func() { ln.Close() })
		return errors.Join(<-served, err)
	}
	if err := <-served; err != nil {
		return err
	}
	return checkPeer(r, theirs)
}

func serveAll(r *run, u *us, ln net.Listener) error {
	cfg := u.serverConfig()
	for n := range r.connections() {
		raw, err := ln.Accept()
		if err != nil {
			return fmt.Errorf("connection %d: %w", n+1, err)
		}
		c, err := u.accept(r.ctx, raw, cfg)
		if err != nil {
			return fmt.Errorf("connection %d: %w", n+1, err)
		}
		err = serveOnce(r, c, n)
		c.Close()
		if err != nil {
			return fmt.Errorf("connection %d: %w", n+1, err)
		}
	}
	return nil
}

func serveOnce(r *run, c *conn, n int) error {
	if r.KeyUpdate == "ours" {
		if err := c.keyUpdate(); err != nil {
			return err
		}
	}
	if err := answer(c, r.rounds()); err != nil {
		return err
	}
	if err := compare("us", n, r.want(n, r.peer), c.facts(), true); err != nil {
		return err
	}
	return checkUpdates(r, c, n)
}

func checkPeer(r *run, theirs []facts) error {
	for n, f := range theirs {
		if n >= r.connections() {
			return fmt.Errorf("%s reports %d connections, want %d", r.peer.Name, len(theirs), r.connections())
		}
		if err := compare(r.peer.Name, n, r.want(n, r.peer), f, false); err != nil {
			return err
		}
	}
	return nil
}

// checkUpdates wants that whoever asked for new keys got the other's too. Only
// the last connection counts: gnutls-cli sends nothing on those before.
func checkUpdates(r *run, c *conn, n int) error {
	if r.KeyUpdate == "" || n < r.connections()-1 {
		return nil
	}
	sent, received := c.keyUpdates()
	if received == 0 || sent == 0 && r.KeyUpdate == "ours" {
		return fmt.Errorf("%d KeyUpdates sent, %d received", sent, received)
	}
	return nil
}
