package proxy

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/tls"
)

// asCommand has the test's program be vitrine proxy.
const asCommand = "VITRINE_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "" {
		leak.Main(m)
		return
	}
	cmd := New()
	cmd.SetArgs(os.Args[2:]) // behind the verb
	cmd.SilenceUsage = true
	if cmd.Execute() != nil {
		os.Exit(1)
	}
}

// running is a proxy as a process of its own, and what it tells systemd.
type running struct {
	*exec.Cmd
	folder string
	log    *log
	told   chan string
}

// log is what a process has written up to now.
type log struct {
	mutex sync.Mutex
	text  bytes.Buffer
	more  chan struct{}
}

func (l *log) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

// await waits until the log has a text as often as that.
func (l *log) await(t *testing.T, text string, times int) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		l.mutex.Lock()
		now := l.text.String()
		l.mutex.Unlock()
		if strings.Count(now, text) >= times {
			return
		}
		select {
		case <-l.more:
		case <-limit:
			t.Fatalf("%q is not %d times in\n%s", text, times, now)
		}
	}
}

// run starts a proxy with a configuration, in which FOLDER stands for its folder. files are passed
// as descriptors from 3 on.
func run(t *testing.T, configuration string, env []string, files ...*os.File) *running {
	t.Helper()
	r := &running{folder: t.TempDir(), log: &log{more: make(chan struct{}, 1)}, told: make(chan string, 1000)}
	certify(t, filepath.Join(r.folder, "cert.pem"))
	r.write(t, configuration)
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(r.folder, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		b := make([]byte, 4096)
		for {
			n, err := notify.Read(b)
			if err != nil {
				return
			}
			r.told <- string(b[:n])
		}
	})
	t.Cleanup(func() { notify.Close(); reading.Wait() })
	r.Cmd = exec.Command(os.Args[0], "proxy", "--config", filepath.Join(r.folder, "proxy.yaml"))
	r.Env = append(os.Environ(), asCommand+"=1", "NOTIFY_SOCKET="+filepath.Join(r.folder, "notify"))
	r.Env = append(r.Env, env...)
	r.ExtraFiles = files
	r.begin(t)
	return r
}

// begin starts the process. Its successors write to the same log, longer than it lives.
func (r *running) begin(t *testing.T) {
	t.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Stderr = out
	err = r.Start()
	out.Close()
	if err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() { io.Copy(r.log, in) })
	t.Cleanup(func() {
		r.Process.Kill()
		r.Process.Wait()
		in.Close()
		reading.Wait()
	})
}

// ends waits for the process, which must end well.
func (r *running) ends(t *testing.T) {
	t.Helper()
	if state, err := r.Process.Wait(); err != nil || !state.Success() {
		t.Errorf("the process: %v, %v", state, err)
		r.log.await(t, "\x00", 1)
	}
}

func (r *running) write(t *testing.T, configuration string) {
	t.Helper()
	text := strings.ReplaceAll(configuration, "FOLDER", r.folder)
	if err := os.WriteFile(filepath.Join(r.folder, "proxy.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// hears waits for what systemd is told, and returns it. Other messages are passed over.
func (r *running) hears(t *testing.T, begin string) string {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		select {
		case text := <-r.told:
			if strings.HasPrefix(text, begin) {
				return text
			}
		case <-limit:
			r.log.await(t, "\x00", 1) // which shows the log
		}
	}
}

func certify(t *testing.T, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"front.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// echo is a service that sends everything back.
func echo(t *testing.T) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { l.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { defer conn.Close(); io.Copy(conn, conn) })
		}
	})
	return l.Addr().String()
}

// say sends a word through the proxy and reads it back, so that a ticket has come too.
func say(t *testing.T, address string, own *tls.Config) (resumed bool) {
	t.Helper()
	conn, err := tls.Dial("tcp", address, own)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(conn, "word")
	if got, err := io.ReadAll(io.LimitReader(conn, 4)); string(got) != "word" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	return conn.ConnectionState().DidResume
}

// ready asks an operators' socket.
func ready(t *testing.T, path string) string {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	resp, err := c.Get("http://admin/readyz")
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return string(text)
}

const succession = `
listeners:
  - {listen: [%q], tls: {certificates: [{cert: FOLDER/cert.pem}]}, target: t}
targets:
  t: {addresses: [%q]}
admin: {listen: "unix:FOLDER/admin"}
process: {handover: FOLDER/handover}
`

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// SIGUSR2 starts a successor, which takes over the listeners, the operators' socket and the ticket
// keys. What keeps it from that is in the log, and the old process goes on. systemd is told.
func TestSuccession(t *testing.T) {
	address := freeAddress(t)
	good := fmt.Sprintf(succession, address, echo(t))
	old := run(t, good, []string{"WATCHDOG_USEC=20000"})
	old.hears(t, "READY=1")
	old.hears(t, "WATCHDOG=1")
	own := &tls.Config{InsecureSkipVerify: true, ServerName: "front.test", ClientSessionCache: tls.NewLRUClientSessionCache(10)}
	say(t, address, own)
	old.Process.Signal(syscall.SIGHUP)
	usec, err := strconv.Atoi(strings.TrimPrefix(old.hears(t, "RELOADING=1\n"), "RELOADING=1\nMONOTONIC_USEC="))
	if err != nil || usec <= 0 {
		t.Errorf("a reload begins at %d, %v", usec, err)
	}
	old.hears(t, "READY=1")

	old.write(t, strings.Replace(good, "target: t", "target: nowhere", 1))
	old.Process.Signal(syscall.SIGUSR2)
	old.log.await(t, "no successor is started, and this process goes on", 1)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	old.write(t, strings.Replace(good, "listen: [", fmt.Sprintf("listen: [%q, ", taken.Addr()), 1))
	old.Process.Signal(syscall.SIGUSR2)
	old.log.await(t, "the successor did not take over, and this process goes on", 1)
	if !say(t, address, own) {
		t.Error("the old process does not resume")
	}
	if text := ready(t, filepath.Join(old.folder, "admin")); text != "ready\n" {
		t.Errorf("operators hear %q of the old process", text)
	}

	old.write(t, good)
	old.Process.Signal(syscall.SIGUSR2)
	pid, err := strconv.Atoi(strings.TrimPrefix(old.hears(t, "MAINPID="), "MAINPID="))
	if err != nil || pid == old.Process.Pid {
		t.Fatalf("the successor is process %d, %v", pid, err)
	}
	next, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { next.Kill() })
	old.ends(t)
	if !say(t, address, own) {
		t.Error("the successor does not resume what the old process began")
	}
	if text := ready(t, filepath.Join(old.folder, "admin")); text != "ready\n" {
		t.Errorf("operators hear %q of the successor", text)
	}
	old.hears(t, "WATCHDOG=1")
	next.Signal(syscall.SIGTERM)
	old.hears(t, "STOPPING=1")
}

// systemd passes sockets as descriptors from 3 on.
func TestSocketActivation(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := l.(*net.TCPListener).File()
	l.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	configuration := fmt.Sprintf(succession, "systemd:web", echo(t))
	shell, err := exec.LookPath("sh") // LISTEN_PID is known once the process is there
	if err != nil {
		t.Fatal(err)
	}
	r := &running{folder: t.TempDir(), log: &log{more: make(chan struct{}, 1)}}
	certify(t, filepath.Join(r.folder, "cert.pem"))
	r.write(t, configuration)
	r.Cmd = exec.Command(shell, "-c", `LISTEN_PID=$$ exec "$0" proxy --config "$1"`, os.Args[0], filepath.Join(r.folder, "proxy.yaml"))
	r.Env = append(os.Environ(), asCommand+"=1", "LISTEN_FDS=1", "LISTEN_FDNAMES=web")
	r.ExtraFiles = []*os.File{file}
	r.begin(t)
	say(t, l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	r.Process.Signal(syscall.SIGTERM)
	r.ends(t)
}
