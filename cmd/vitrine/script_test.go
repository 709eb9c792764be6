package main

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) {
	testscript.Main(leak.Tests{M: m}, map[string]func(){"vitrine": main})
}

// TestScripts runs testdata/*.txt. Beside testscript's own commands there are:
//
//	exits CODE COMMAND...   run a command, which must end with that exit code
//	serve [FLAG...] [DIR]   start vitrine serve on a free port, with $WORK/ca;
//	                        sets $ADDR, $PORT and $URL
//	halt                    SIGTERM the server, which must exit with 0; its
//	                        output is then in server.log
//	logged PATTERN          wait until the server's output matches
//	tcp WORDS               answer one connection on $ADDR with WORDS in the clear
//	send WORDS              send WORDS in the clear to $PORT, and read to the end
//	openssl-server FLAG...  start openssl s_server on a free port, with the
//	                        certificate in server.pem; sets $ADDR
//	issue NAME DNSNAME      certify DNSNAME by the authority in $WORK/ca, into
//	                        NAME.pem with its key, which NAME-key.pem has alone;
//	                        "client" makes a client's certificate
//	free-port VAR           sets a variable to a free loopback address and port
//	listen [FLAG...]        start vitrine explain --listen on a free port, with
//	                        $WORK/ca; sets $ADDR, $PORT and $URL
//	heard CODE [stop]       wait for its end, or stop it by a signal; what it wrote
//	                        is then in heard.out and heard.err
//	responder FOLDER|halt   start vitrine cert ca ocsp for an authority, or stop it
//	                        by a signal
//	clear-server HOW        start a server with the certificate server.pem that turns to
//	                        TLS; script_starttls_test.go has the ways
//	tunnel                  start an HTTP proxy, and set PROXY
//
// and the condition [race], for the race detector: it makes each start of the command
// slow, and has nothing to look for where the command does one thing at a time.
func TestScripts(t *testing.T) { runScripts(t, "testdata") }

// TestCertificateScripts runs testdata/certificates/*.txt in the same way.
func TestCertificateScripts(t *testing.T) { runScripts(t, "testdata/certificates") }

func runScripts(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			captures, err := filepath.Abs("../../capture/testdata")
			if err != nil {
				return err
			}
			env.Setenv("CAPTURES", captures)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, "config"))
			env.Values[serverKey{}] = &serverProcess{}
			env.Values[responderKey{}] = &responderProcess{}
			env.Values[listenKey{}] = &listener{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits, "serve": cmdServe, "halt": cmdHalt, "logged": cmdLogged, "tcp": cmdTCP, "send": cmdSend, "openssl-server": cmdOpenSSLServer, "issue": cmdIssue,
			"clear-server": cmdClearServer, "tunnel": cmdTunnel, "copied": cmdCopied,
			"free-port": cmdFreePort, "responder": cmdResponder, "listen": cmdListen, "heard": cmdHeard,
		},
		Condition: func(name string) (bool, error) {
			if name != "race" {
				return false, fmt.Errorf("there is no condition %q", name)
			}
			return race, nil
		},
	})
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want || neg {
		ts.Fatalf("%q ended with exit code %d, want %d\n%s", args[1:], got, want, ts.ReadFile("stderr"))
	}
}

// hint is the line that a failure gives to be copied.
var hint = regexp.MustCompile(`(?m)^  find out(?: more:)? +(vitrine explain --diagnose .*)$`)

// cmdCopied gives the hint of the last command to a shell, as it stands.
func cmdCopied(ts *testscript.TestScript, neg bool, args []string) {
	line := hint.FindStringSubmatch(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	if line == nil {
		ts.Fatalf("there is no hint in %q", ts.ReadFile("stderr"))
	}
	cmdExits(ts, neg, []string{args[0], "sh", "-c", line[1]})
}

type serverKey struct{}

type serverProcess struct {
	cmd    *exec.Cmd
	output *lockedBuffer
	done   chan struct{} // closed when all output is read
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func cmdServe(ts *testscript.TestScript, _ bool, args []string) {
	program, err := exec.LookPath("vitrine") // testscript puts it into its own PATH as well
	ts.Check(err)
	p := ts.Value(serverKey{}).(*serverProcess)
	p.output = new(lockedBuffer) // a script may start one server after another
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--ca-dir", ts.MkAbs("ca")}, args...)
	p.cmd = exec.Command(program, args...)
	p.cmd.Dir = ts.MkAbs(".")
	p.cmd.Env = append(os.Environ(), "SSLKEYLOGFILE="+ts.Getenv("SERVER_KEYLOG"), "HOME="+ts.Getenv("HOME"), "XDG_CACHE_HOME=")
	stderr, err := p.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	p.done = make(chan struct{})
	ready, output, done := make(chan string, 1), p.output, p.done
	go func() {
		defer close(done)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			fmt.Fprintln(output, lines.Text())
			if _, url, ok := strings.Cut(lines.Text(), " on https://"); ok {
				ready <- "https://" + url
			}
		}
		if err := lines.Err(); err != nil {
			fmt.Fprintln(output, err)
		}
		close(ready)
	}()
	cmd := p.cmd
	ts.Defer(func() {
		cmd.Process.Kill()
		<-done
		cmd.Wait()
	})
	where, ok := <-ready
	if !ok {
		ts.Fatalf("vitrine serve did not start:\n%s", p.output.String())
	}
	u, err := url.Parse(where)
	ts.Check(err)
	ts.Setenv("URL", where)
	ts.Setenv("PORT", u.Port())
	ts.Setenv("ADDR", u.Host)
}

func cmdHalt(ts *testscript.TestScript, _ bool, _ []string) {
	p := ts.Value(serverKey{}).(*serverProcess)
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	<-p.done
	err := p.cmd.Wait()
	ts.Check(os.WriteFile(ts.MkAbs("server.log"), p.output.Bytes(), 0o600))
	if err != nil {
		ts.Fatalf("vitrine serve: %v\n%s", err, p.output.String())
	}
}

func cmdLogged(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile("(?m)" + args[0])
	output := ts.Value(serverKey{}).(*serverProcess).output
	for begun := time.Now(); time.Since(begun) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		if want.MatchString(output.String()) {
			return
		}
	}
	ts.Fatalf("no match for %q in the log:\n%s", args[0], output.String())
}

func cmdTCP(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv("ADDR", l.Addr().String())
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		if answer := strings.Join(args, " "); answer == "silence" {
			io.Copy(io.Discard, conn)
		} else {
			io.ReadFull(conn, make([]byte, 64)) // closing before would be a reset
			io.WriteString(conn, answer)
			conn.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, conn)
		}
	}()
}

func cmdSend(ts *testscript.TestScript, _ bool, args []string) {
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", ts.Getenv("PORT")))
	ts.Check(err)
	defer conn.Close()
	ts.Check(conn.SetDeadline(time.Now().Add(5 * time.Second)))
	_, err = io.WriteString(conn, strings.Join(args, " "))
	ts.Check(err)
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		ts.Fatalf("the server neither answered nor hung up")
	}
}

func cmdOpenSSLServer(ts *testscript.TestScript, _ bool, flags []string) {
	cert := ts.MkAbs("server.pem")
	cmd := exec.Command("openssl", append([]string{"s_server", "-accept", "127.0.0.1:0", "-cert", cert, "-key", cert, "-www"}, flags...)...)
	var problem lockedBuffer
	cmd.Stderr = &problem
	cmd.Dir = ts.MkAbs(".")
	stdout, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if addr, ok := strings.CutPrefix(lines.Text(), "ACCEPT "); ok {
			ts.Setenv("ADDR", addr)
			go io.Copy(io.Discard, stdout)
			return
		}
	}
	ts.Fatalf("openssl s_server did not start: %s", problem.String())
}

func cmdIssue(ts *testscript.TestScript, _ bool, args []string) {
	ca, _, err := devca.Open(ts.MkAbs("ca"))
	ts.Check(err)
	leaf := devca.Leaf{Names: args[1:2], Client: args[0] == "client"}
	if args[0] == "expired" {
		leaf.NotBefore, leaf.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	}
	cert, err := ca.Issue(leaf)
	ts.Check(err)
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	ts.Check(err)
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	file := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), key...)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+"-key.pem"), key, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), file, 0o600))
}
