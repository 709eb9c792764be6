package interop

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/tls"
)

// earlyPayload is what a client sends before it has heard of the server.
const earlyPayload = "early data that the server has not asked for\n"

// A hasty client gets a session from a server of its own kind, which takes early data, and
// sends such data to ours.
type hasty struct {
	name string
	// command returns how the program begins, or ends the test where it is not installed.
	command func(t testing.TB) []string
	// serve starts the server of its own kind.
	serve func(ctx context.Context, command []string, p *pki, dir string, port int) (*proc, error)
	// connect connects twice, by a port where the one server answers first, and then ours.
	connect func(ctx context.Context, command []string, p *pki, dir string, port int, own *proc) (*proc, error)
	refused string // what the client says of early data that was not taken; empty for nothing
	noRetry string // why it sends none where the server asks for another hello; empty if it does
}

// installed is a program of the system, of a package.
func installed(program, pkg string) func(testing.TB) []string {
	return func(t testing.TB) []string {
		programs.Need(t, program, pkg)
		return []string{program}
	}
}

// openssl35 is the newer OpenSSL.
func openssl35(t testing.TB) []string { return programs.OpenSSL35(t)().Args }

// startAfter starts a command with more arguments.
func startAfter(ctx context.Context, dir string, command []string, args ...string) (*proc, error) {
	args = append(slices.Clone(command), args...)
	return start(ctx, dir, args[0], args[1:]...)
}

func hastyOpenSSL(more ...string) func(ctx context.Context, command []string, p *pki, dir string, port int, own *proc) (*proc, error) {
	return func(ctx context.Context, command []string, p *pki, dir string, port int, own *proc) (*proc, error) {
		session := filepath.Join(dir, "session")
		args := append([]string{"s_client", "-connect", "127.0.0.1:" + strconv.Itoa(port), "-CAfile", p.caFile(), "-servername", serverName, "-tls1_3"}, more...)
		first, err := startAfter(ctx, dir, command, append(args, "-sess_out", session)...)
		if err != nil {
			return nil, err
		}
		if err := first.awaitCount(ctx, "Verify return code", 1); err != nil {
			return nil, err
		}
		if own != nil {
			io.WriteString(own, "behind the ticket\n") // which has come when this has
		}
		if err := first.awaitCount(ctx, "behind the ticket", 1); err != nil {
			return nil, err
		}
		first.Close()
		<-first.done
		return startAfter(ctx, dir, command, append(args, "-sess_in", session, "-early_data", filepath.Join(dir, "early"))...)
	}
}

func serveOpenSSL(ctx context.Context, command []string, p *pki, dir string, port int) (*proc, error) {
	s, err := startAfter(ctx, dir, command, "s_server", "-accept", "127.0.0.1:"+strconv.Itoa(port), "-tls1_3", "-early_data",
		"-cert", p.certFile(keyP256), "-key", p.keyFile(keyP256))
	if err != nil {
		return nil, err
	}
	return s, s.awaitCount(ctx, "ACCEPT", 1)
}

func serveGnuTLS(ctx context.Context, _ []string, p *pki, dir string, port int) (*proc, error) {
	s, err := start(ctx, dir, "gnutls-serv", "--echo", "--earlydata", "--maxearlydata", "16384", "--disable-client-cert",
		"--x509certfile", p.certFile(keyP256), "--x509keyfile", p.keyFile(keyP256), "-p", strconv.Itoa(port))
	if err != nil {
		return nil, err
	}
	return s, s.awaitFunc(ctx, gnutlsListening.String(), gnutlsListening.Match)
}

func hastyGnuTLS(ctx context.Context, _ []string, p *pki, dir string, port int, _ *proc) (*proc, error) {
	return start(ctx, dir, "gnutls-cli", "--resume", "--waitresumption", "--earlydata", filepath.Join(dir, "early"), "--x509cafile", p.caFile(),
		"--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3", "--sni-hostname", serverName, "--verify-hostname", serverName, "127.0.0.1", "-p", strconv.Itoa(port))
}

var hastyClients = []hasty{
	{"openssl", installed("openssl", "openssl"), serveOpenSSL, hastyOpenSSL(), "Early data was rejected", ""},
	{"openssl 3.5", openssl35, serveOpenSSL, hastyOpenSSL(), "Early data was rejected", ""},
	{"openssl without compatibility mode", installed("openssl", "openssl"), serveOpenSSL, hastyOpenSSL("-no_middlebox"), "Early data was rejected", ""},
	{"gnutls", installed("gnutls-cli", "gnutls-bin"), serveGnuTLS, hastyGnuTLS, "", "after early data, gnutls-cli 3.7 leaves a HelloRetryRequest unanswered, of OpenSSL's server too"},
}

// Early data of real clients is passed over, whatever stands between it and the second
// ClientHello, and the connection goes on. RFC 8446 §4.2.10.
func TestEarlyDataIsPassedOver(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range hastyClients {
		for name, change := range map[string]func(*tls.Config){
			"at once":       func(*tls.Config) {},
			"another group": func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP384} },
			"a cookie":      func(c *tls.Config) { c.HelloRetryCookie, c.CurvePreferences = true, []tls.CurveID{tls.CurveP521} },
		} {
			t.Run(client.name+"/"+name, func(t *testing.T) {
				command := client.command(t)
				t.Parallel()
				config := &tls.Config{MinVersion: tls.VersionTLS13}
				if change(config); len(config.CurvePreferences) > 0 && client.noRetry != "" {
					t.Skip(client.noRetry)
				}
				passesOver(t, material, client, command, config)
			})
		}
	}
}

func passesOver(t *testing.T, p *pki, client hasty, command []string, config *tls.Config) {
	ctx, cancel := context.WithTimeout(t.Context(), cellTimeout)
	defer cancel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "early"), []byte(earlyPayload), 0o600); err != nil {
		t.Fatal(err)
	}
	cert, err := tls.LoadX509KeyPair(p.certFile(keyP256), p.keyFile(keyP256))
	if err != nil {
		t.Fatal(err)
	}
	config.Certificates = []tls.Certificate{cert}
	theirs, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	own, err := client.serve(ctx, command, p, dir, theirs)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	type outcome struct {
		raw []byte // what the client sent, as it came
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		raw, err := answerTwice(ctx, l, theirs, config)
		done <- outcome{raw, err}
	}()
	child, err := client.connect(ctx, command, p, dir, l.Addr().(*net.TCPAddr).Port, own)
	if err != nil {
		t.Fatal(err)
	}
	if err := child.awaitPayload(ctx, []byte("the answer")); err != nil {
		t.Errorf("%v: %s", err, child.text())
	}
	if !strings.Contains(child.text(), client.refused) {
		t.Errorf("the client does not say %q: %s", client.refused, child.text())
	}
	child.Close()
	got := <-done
	if got.err != nil {
		t.Errorf("the server: %v", got.err)
	}
	// The hello announces early data (extension 42, empty), and a record of it follows.
	if !bytes.Contains(got.raw, []byte{0, 42, 0, 0}) || !bytes.Contains(got.raw, []byte{23, 3, 3, 0}) {
		t.Errorf("the client sent no early data: %x", got.raw)
	}
}

// recorded keeps what is read.
type recorded struct {
	net.Conn
	raw []byte
}

func (r *recorded) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.raw = append(r.raw, b[:n]...)
	return n, err
}

// answerTwice hands the first connection to another server, and answers the second. It
// returns what came in that up to the end of the handshake.
func answerTwice(ctx context.Context, l net.Listener, theirs int, config *tls.Config) ([]byte, error) {
	first, err := l.Accept()
	if err != nil {
		return nil, err
	}
	defer first.Close()
	onward, err := new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(theirs))
	if err != nil {
		return nil, err
	}
	defer onward.Close()
	go io.Copy(onward, first)
	go func() {
		io.Copy(first, onward)
		first.Close()
	}()
	second, err := l.Accept()
	if err != nil {
		return nil, err
	}
	defer second.Close()
	second.SetDeadline(time.Now().Add(cellTimeout))
	r := &recorded{Conn: second}
	c := tls.Server(r, config)
	if err := c.HandshakeContext(ctx); err != nil {
		return r.raw, err
	}
	if want := len(config.CurvePreferences) > 0; c.State().HelloRetry != want {
		return r.raw, fmt.Errorf("a HelloRetryRequest: %v; want %v", c.State().HelloRetry, want)
	}
	if _, err := io.WriteString(c, "the answer\n"); err != nil {
		return r.raw, err
	}
	got, err := io.ReadAll(c) // nothing that was early
	if strings.Contains(string(got), "early") {
		err = fmt.Errorf("the server was given %q", got)
	}
	if err == tls.ErrUnexpectedEOF {
		err = nil // a client that is told to end just does
	}
	return r.raw, err
}
