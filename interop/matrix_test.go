package interop

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/wire"
)

// cellTimeout bounds one cell.
const cellTimeout = 10 * time.Second

// batchTimeout bounds all cells of a peer that runs them at once.
const batchTimeout = 60 * time.Second

// grace is what one side gets to end in when the other has failed.
const grace = time.Second

// fullLines of a payload are more than one record.
const (
	fullLines = 8
	lineLen   = 3001
)

// workDir holds the certificates of the run.
var workDir string

func TestMain(m *testing.M) {
	manyAtOnce()
	dir, err := os.MkdirTemp("", "vitrine-interop")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	workDir = dir
	code := leak.Tests{M: m}.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// manyAtOnce has more cells run than there are processors, unless -parallel says how many:
// they wait for their peers to start and to end.
func manyAtOnce() {
	flag.Parse()
	set := false
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == "test.parallel" })
	if !set {
		flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0)))
	}
}

// need skips, or where peers are required fails, when a program is missing.
func need(t *testing.T, program, pkg string) {
	t.Helper()
	if program != "" {
		programs.Missing(t, programs.NotInstalled(program, pkg))
	}
}

func TestMatrix(t *testing.T) {
	programs.SkipIfOff(t)
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
	if programs.Brief() || len(can) == 0 {
		return
	}
	for _, c := range mix(versions, func(c cell) bool { return p.cannot(ours, c) == "" }) {
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
func newPayload(lines int) []byte { return newLines(lines, lineLen) }

// newLines is newPayload with lines of another length.
func newLines(lines, length int) []byte {
	var b bytes.Buffer
	for range lines {
		b.WriteByte('p')
		for range length - 2 {
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
	if err := compare("us", n, ownView(r.want(n, r.peer)), c.facts(), true); err != nil {
		return err
	}
	if u.acts(wire.Client) {
		r.pending = c.act
	}
	if err := srv.talk(c); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	if r.midway() && !u.acts(wire.Client) && srv.trigger != nil {
		if err := srv.trigger(c); err != nil {
			return fmt.Errorf("midway: %w", err)
		}
		if err := talkOn(r, c, srv); err != nil {
			return fmt.Errorf("data after that: %w", err)
		}
	}
	if err := checkEnd(r, c, n, wire.Client); err != nil {
		return err
	}
	if srv.closes {
		return nil
	}
	return finish(c)
}

// talkOn sends data until the peer has handshaken again: what it has sent
// before, with its request, may arrive first.
func talkOn(r *run, c *conn, srv *server) error {
	for {
		if err := srv.talk(c); err != nil || r.KeyUpdate != "" || c.again() {
			return err
		}
	}
}

// ownView leaves out what a client does not see of itself.
func ownView(want facts) facts {
	delete(want, "sni")
	delete(want, "client certificate")
	return want
}

// checkEnd checks what holds after the data.
func checkEnd(r *run, c *conn, n int, ours wire.Role) error {
	want := r.want(n, r.peer)
	if r.midwayOn(n, ours) {
		want = r.wantAfter(n, r.peer)
	}
	if ours == wire.Client {
		want = ownView(want)
	}
	if err := compare("us at the end", n, want, c.facts(), true); err != nil {
		return err
	}
	if r.KeyUpdate != "" && r.midwayOn(n, ours) {
		if err := checkUpdates(r, c); err != nil {
			return err
		}
	}
	return checkLongest(r, c)
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
		err = serveOnce(r, u, c, n)
		c.Close()
		if err != nil {
			return fmt.Errorf("connection %d: %w", n+1, err)
		}
	}
	return nil
}

func serveOnce(r *run, u *us, c *conn, n int) error {
	if err := compare("us", n, r.want(n, r.peer), c.facts(), true); err != nil {
		return err
	}
	if u.acts(wire.Server) {
		r.pending = c.act
	}
	if err := r.answer(c); err != nil {
		return err
	}
	return checkEnd(r, c, n, wire.Server)
}

func checkPeer(r *run, theirs []facts) error {
	for n, f := range theirs {
		if n >= r.connections() {
			return fmt.Errorf("%s reports %d connections, want %d", r.peer.Name, len(theirs), r.connections())
		}
		if err := compare(r.peer.Name, n, r.peerWant(n, r.peer), f, false); err != nil {
			return err
		}
	}
	return nil
}

// checkLongest wants records as long as was agreed, and none longer. Some peers
// send a line in a record.
func checkLongest(r *run, c *conn) error {
	limit := max(r.MaxFragment, r.SizeLimit)
	if limit == 0 {
		return nil
	}
	sent, received := c.longest()
	if sent == 0 && r.peer.lastOnly {
		return nil
	}
	if r.SizeLimit != 0 && r.peer.noSizeLimit { // it states no limit of its own
		sent = limit
	}
	least := min(limit, lineLen) - 3 // the content type counts in TLS 1.3: RFC 8449 §4; and a byte is split off
	if sent > limit || sent < least || received > limit || received < least || r.Version == wire.TLS13 && r.SizeLimit == received {
		return fmt.Errorf("records of up to %d bytes sent and %d received, where %d was agreed", sent, received, limit)
	}
	return nil
}

// checkUpdates wants that the side that asked for new keys got the other's too.
func checkUpdates(r *run, c *conn) error {
	sent, received := c.keyUpdates()
	if received == 0 || sent == 0 && r.KeyUpdate == "ours" {
		return fmt.Errorf("%d KeyUpdates sent, %d received", sent, received)
	}
	return nil
}
