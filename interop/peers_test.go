package interop

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"

	"github.com/vitrine-tls/vitrine/wire"
)

// peer is one TLS implementation.
type peer struct {
	Name     string
	Programs []string // all must be in PATH
	Package  string   // the Debian packages that bring them

	// Connect runs its client against our server at port and returns what it
	// printed of each connection. Nil: it has no client.
	Connect func(r *run, port int) ([]facts, error)
	// Serve starts its server. Nil: it has no server.
	Serve func(r *run) (*server, error)

	// Batch runs its client against our servers for many cells at once, where
	// one process for each would take too long.
	Batch func(ctx context.Context, p *peer, dir string, pki *pki, cells []cell) (map[cell]error, error)

	// suites are those that it has, asked once, and the oldest version that it
	// has each in. Nil: all but those it lacks.
	suites func() map[wire.CipherSuite]wire.Version

	// ClientLacks and ServerLacks say what it cannot do in either role, and
	// why: patterns of path.Match over cell.features. All else it must do.
	ClientLacks, ServerLacks map[string]string

	// anySuite reports that its suites cannot be limited to the cell's, so that
	// we limit ours. Nil: they always can.
	anySuite func(c cell, ours wire.Role) bool
	// remarks are what its programs print between the data.
	remarks []string
	// noEtM is set where it has no encrypt-then-MAC, noSizeLimit where it states no record_size_limit of
	// its own, quiet where data must not come in the middle of its handshakes, and
	// once where its client sends one request only, and lastOnly where it sends on
	// the last connection only.
	noEtM, noSizeLimit, quiet, once, lastOnly bool
	// sample is set where one of its cells takes long.
	sample bool
}

// server is a peer's running server.
type server struct {
	port int
	// talk sends data both ways on our connection and leaves it open.
	talk func(*conn) error
	// trigger has the server do what the cell has it do midway, after which
	// data passes once more. Nil: it does so by itself.
	trigger func(*conn) error
	// facts is what the server printed, after all connections are closed.
	facts func() ([]facts, error)
	// closes is set where it closes first, and talk has read the end.
	closes bool
}

var peers = []*peer{openssl, gnutls, nss, curl, node, gotls, chromium}

// missing is the first program that is not installed, or "".
func (p *peer) missing() string {
	for _, program := range p.Programs {
		if _, err := exec.LookPath(program); err != nil {
			return program
		}
	}
	return ""
}

// noShare reports whether the cell cannot do without a retry, since the peer's
// groups cannot be chosen.
func (p *peer) noShare(c cell) bool {
	return p.Batch != nil && c.Version == wire.TLS13 && !c.Retry && (c.Group == wire.GroupP256 || c.Group == wire.GroupP384)
}

// cannot is why the peer cannot do the cell when we are ours; "" when it can.
func (p *peer) cannot(ours wire.Role, c cell) string {
	lacks, has := p.ServerLacks, p.Serve != nil
	if ours == wire.Server {
		lacks, has = p.ClientLacks, p.Connect != nil || p.Batch != nil
	}
	switch {
	case !has:
		return "has no " + ours.Peer().String()
	case ours == wire.Client && c.Cookie:
		return "its server sends no cookie"
	case ours == wire.Server && c.GREASE:
		return "GREASE is our client's"
	case ours == wire.Client && c.ClientKey == keyDSA:
		return "our client does not sign with DSA"
	}
	if p.suites != nil {
		if oldest, ok := p.suites()[c.Suite]; !ok || c.Version < oldest {
			return noSuite
		}
	}
	if p.sample && c.Version < wire.TLS12 && c.Suite != bases[c.Version].Suite {
		return "runs a sample of the older versions: its library is OpenSSL's, see there"
	}
	if p.noShare(c) {
		return "sends a share of its own first groups only: see retry"
	}
	return lacking(lacks, c)
}

// lacking is the reason of the first pattern that fits the cell, or "".
func lacking(lacks map[string]string, c cell) string {
	for _, pattern := range slices.Sorted(maps.Keys(lacks)) {
		for _, feature := range c.features() {
			if ok, _ := path.Match(pattern, feature); ok {
				return lacks[pattern]
			}
		}
	}
	return ""
}

// run is one cell with one peer.
type run struct {
	cell
	ctx     context.Context
	cancel  context.CancelFunc
	peer    *peer
	pki     *pki
	dir     string // for the peer's files
	payload []byte // printable, with line ends
	procs   []*proc
	// pending is what we have yet to do in the middle of the connection.
	pending func(context.Context) error
}

// rounds is how often data passes on a connection.
func (r *run) rounds() int {
	if r.peer.once {
		return 1
	}
	return r.cell.rounds()
}

// midwayOn reports that something happens in the middle of connection n.
func (r *run) midwayOn(n int, ours wire.Role) bool {
	return r.midway() && (n == r.connections()-1 || ours == wire.Client || !r.peer.lastOnly)
}

// start runs a program that is killed when the cell ends.
func (r *run) start(name string, args ...string) (*proc, error) {
	p, err := start(r.ctx, r.dir, name, args...)
	if err == nil {
		p.remarks = r.peer.remarks
		r.procs = append(r.procs, p)
	}
	return p, err
}

// bindFailed is what gnutls-serv prints when its port is taken, and lives on.
var bindFailed = regexp.MustCompile(`bind\(\) failed`)

// startOnPort starts a server that cannot say which port it got, with -p and a
// free port, and waits until it is ready. Another program may be quicker to take
// the port, so it tries again.
func (r *run) startOnPort(ready *regexp.Regexp, name string, args ...string) (p *proc, port int, err error) {
	for range 3 {
		if port, err = freePort(); err != nil {
			return nil, 0, err
		}
		if p, err = r.start(name, append(args[:len(args):len(args)], "-p", strconv.Itoa(port))...); err != nil {
			return nil, 0, err
		}
		err = p.awaitFunc(r.ctx, ready.String(), func(out []byte) bool { return ready.Match(out) || bindFailed.Match(out) })
		switch {
		case err != nil:
		case ready.MatchString(p.text()):
			return p, port, nil
		default:
			err = fmt.Errorf("%s did not get port %d", name, port)
		}
	}
	return nil, 0, err
}

// freePort is below the ports that kernels give to clients, one of which would
// take it before the server does.
func freePort() (port int, err error) {
	for range 100 {
		port = 10000 + rand.IntN(20000)
		var ln net.Listener
		if ln, err = net.Listen("tcp", fmt.Sprintf(":%d", port)); err == nil {
			return port, ln.Close()
		}
	}
	return 0, err
}

// printed is everything that the children have printed, for a failure.
func (r *run) printed() string {
	var out string
	for i, p := range r.procs {
		text := p.text()
		if len(text) > 6000 {
			text = text[:3000] + "\n...\n" + text[len(text)-3000:]
		}
		out += fmt.Sprintf("--- %s, child %d:\n%s\n", p.name, i+1, text)
	}
	return out
}

// mapped translates a list through a table.
func mapped[T comparable](list []T, table map[T]string) (names []string) {
	for _, v := range list {
		names = append(names, table[v])
	}
	return names
}
