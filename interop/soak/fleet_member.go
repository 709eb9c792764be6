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
	"strings"
	"syscall"
	"time"
)

// member is one proxy of the fleet, with a configuration of its own and a relay to the store.
type member struct {
	name, program, config, address string

	relay *relay
	lives *life
}

// life is a process of a member.
type life struct {
	cmd   *exec.Cmd
	lines chan string // that say something of listening or of an end
	ended chan error
}

func newMember(dir, program string, i int, f *fleet, target string) (*member, error) {
	r, err := newRelay(f.engine.address())
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	m := &member{name: fmt.Sprintf("member%d", i), program: program, address: "127.0.0.1:" + port, relay: r}
	m.config = filepath.Join(dir, m.name+".yaml")
	text := fmt.Sprintf(`
listeners:
  - listen: [%q]
    tls: {certificates: [{cert: %q}], no-stapling: true}
    target: web
targets:
  web: {addresses: [%q]}
sessions: {store: %q, key-file: %q, timeout: %v, %s}
process: {handover: %q, grace: 10s}
`, m.address, filepath.Join(dir, "pair.pem"), target, f.engine.url(r.address()), filepath.Join(dir, "fleet.key"), f.campaign.wait, f.custom.settings,
		filepath.Join(dir, m.name+".sock"))
	return m, os.WriteFile(m.config, []byte(text), 0o600)
}

// begin starts a process, and waits until it listens.
func (m *member) begin(ctx context.Context, more ...string) (*life, error) {
	l := &life{cmd: exec.CommandContext(ctx, m.program, append([]string{"proxy", "--config", m.config}, more...)...), lines: make(chan string, 64), ended: make(chan error, 1)}
	said, err := l.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := l.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		for lines := bufio.NewScanner(said); lines.Scan(); {
			if text := lines.Text(); strings.Contains(text, "listening on") || strings.HasPrefix(text, "vitrine:") {
				select {
				case l.lines <- text:
				default:
				}
			}
		}
		io.Copy(io.Discard, said)
		l.ended <- l.cmd.Wait()
	}()
	select {
	case line := <-l.lines:
		if !strings.Contains(line, "listening on") {
			l.cmd.Process.Kill()
			return nil, fmt.Errorf("%s says %q", m.name, line)
		}
		return l, nil
	case err := <-l.ended:
		return nil, fmt.Errorf("%s ends before it listens: %v", m.name, err)
	case <-time.After(30 * time.Second):
		l.cmd.Process.Kill()
		return nil, fmt.Errorf("%s does not listen within 30 s", m.name)
	}
}

func (m *member) start(ctx context.Context) (err error) {
	m.lives, err = m.begin(ctx)
	return err
}

// end waits until a process is gone by itself.
func (l *life) end() error {
	select {
	case err := <-l.ended:
		return err
	case <-time.After(30 * time.Second):
		l.cmd.Process.Kill()
		return errors.New("the old process does not end within 30 s")
	}
}

// handOver has a new process take the sockets of the one that runs.
func (m *member) handOver(ctx context.Context) error {
	next, err := m.begin(ctx, "--take-over")
	if err != nil {
		return err
	}
	old := m.lives
	m.lives = next
	return old.end()
}

// restart ends the process by SIGTERM and starts another; nobody may connect meanwhile.
func (m *member) restart(ctx context.Context) error {
	if err := m.lives.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := m.lives.end(); err != nil {
		return err
	}
	return m.start(ctx)
}

func (m *member) stop() {
	if m.lives != nil {
		m.lives.cmd.Process.Kill()
		<-m.lives.ended
	}
	m.relay.stop()
}
