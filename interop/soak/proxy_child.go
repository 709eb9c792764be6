package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// proxyChild is vitrine proxy as a process, in its sandbox.
type proxyChild struct {
	dir, program string
	services     *services
	ports        map[string]int
	cmd          *exec.Cmd
	lines        chan string
	files        int // that it may have open; 0 for the limit of this process
}

// newProxyChild builds the command. write makes the first certificate in a folder.
func newProxyChild(ctx context.Context, dir string, s *services, write func(dir string, n int) error) (*proxyChild, error) {
	p := &proxyChild{dir: dir, program: filepath.Join(dir, "vitrine"), services: s, ports: make(map[string]int)}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", p.program, "github.com/vitrine-tls/vitrine/cmd/vitrine")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building vitrine: %w\n%s", err, out)
	}
	for _, name := range []string{"web", "strange"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		p.ports[name] = l.Addr().(*net.TCPAddr).Port
		defer l.Close() // not before the next has another
	}
	return p, errors.Join(write(dir, 0), p.configure(0))
}

func (p *proxyChild) address(name string) string { return fmt.Sprintf("127.0.0.1:%d", p.ports[name]) }

// configure writes the configuration, which differs with n: each reload has something to do.
func (p *proxyChild) configure(n int) error {
	text := fmt.Sprintf(`
listeners:
  - listen: ["%[1]s"]
    tls: {certificates: [{cert: "%[3]s/pair.pem"}], no-stapling: true}
    target: web
  - listen: ["%[2]s"]
    tls: {certificates: [{cert: "%[3]s/pair.pem"}], no-stapling: true}
    target: strange
targets:
  web: {addresses: ["%[4]s"], connect-timeout: %[5]ds}
  strange: {addresses: ["%[6]s"], connect-timeout: 1s}
limits: {idle-timeout: 30s}
`, p.address("web"), p.address("strange"), p.dir, p.services.web.Addr(), 5+n%2, p.services.strange.Addr())
	return os.WriteFile(filepath.Join(p.dir, "proxy.yaml"), []byte(text), 0o600)
}

// start runs the proxy until it listens.
func (p *proxyChild) start(ctx context.Context) error {
	args := []string{p.program, "proxy", "--config", filepath.Join(p.dir, "proxy.yaml")}
	if p.files > 0 {
		args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, p.files)}, args...)
	}
	p.cmd = exec.CommandContext(ctx, args[0], args[1:]...)
	said, err := p.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.lines = make(chan string, 1024)
	go func() {
		defer close(p.lines)
		for lines := bufio.NewScanner(said); lines.Scan(); {
			if text := lines.Text(); strings.Contains(text, "listening on") || strings.Contains(text, "new configuration") || strings.HasPrefix(text, "vitrine:") {
				p.lines <- text
			}
		}
		io.Copy(io.Discard, said)
	}()
	for range p.ports {
		if _, err := p.hear("listening on"); err != nil {
			return err
		}
	}
	return nil
}

// hear waits for a line with a text in it.
func (p *proxyChild) hear(text string) (string, error) {
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	select {
	case line, ok := <-p.lines:
		if !ok || !strings.Contains(line, text) {
			return "", fmt.Errorf("the proxy says %q", line)
		}
		return line, nil
	case <-late.C:
		return "", fmt.Errorf("the proxy does not say %q within 30 s", text)
	}
}

// reload has the proxy read everything again, and waits until that is in force.
func (p *proxyChild) reload(n int) error {
	if err := p.configure(n); err != nil {
		return err
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	line, err := p.hear("new configuration")
	if err == nil && !strings.Contains(line, "is in force") {
		err = errors.New(line)
	}
	return err
}

func (p *proxyChild) usage() (usage, error) { return (&loadChild{cmd: p.cmd}).usage() }

// kill ends the proxy at once, as kill -9 does.
func (p *proxyChild) kill() {
	if p.cmd != nil {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	}
}

// services are what is behind the proxy: web answers each line, strange hangs, resets or ends early, in turn.
type services struct{ web, strange net.Listener }

func startServices() (*services, error) {
	var s services
	var err error
	if s.web, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if s.strange, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		s.web.Close()
		return nil, err
	}
	go accept(s.web, func(_ int, c net.Conn) { echoLines(c) })
	go accept(s.strange, misbehave)
	return &s, nil
}

func (s *services) stop() {
	s.web.Close()
	s.strange.Close()
}

func accept(l net.Listener, serve func(n int, c net.Conn)) {
	for n := 0; ; n++ {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			serve(n, c)
		}()
	}
}

func echoLines(c net.Conn) {
	for r := bufio.NewReaderSize(c, 1<<10); ; {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		if _, err := c.Write(line); err != nil {
			return
		}
	}
}

// misbehave hangs, resets, or ends its half and reads on.
func misbehave(n int, c net.Conn) {
	switch n % 3 {
	case 1:
		c.Read(make([]byte, 1))
		reset(c.(*net.TCPConn))
		return
	case 2:
		c.Write([]byte("bye"))
		c.(*net.TCPConn).CloseWrite()
	}
	io.Copy(io.Discard, c)
}

var requestLine = []byte("a request of one line, which comes back\n")

// exchangeLine makes a request and checks the answer.
func exchangeLine(c net.Conn) error {
	if _, err := c.Write(requestLine); err != nil {
		return err
	}
	answer := make([]byte, len(requestLine))
	if _, err := io.ReadFull(c, answer); err != nil {
		return err
	}
	if !bytes.Equal(answer, requestLine) {
		return fmt.Errorf("the answer is %q", answer)
	}
	return nil
}

// pemOf is a chain and its key in one file.
func pemOf(pair tls.Certificate) (text []byte, err error) {
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return nil, err
	}
	for _, der := range pair.Certificate {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), nil
}
