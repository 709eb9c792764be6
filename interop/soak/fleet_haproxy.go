package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// balancer is HAProxy in front of the members: each connection goes to the next one, also of the same client.
type balancer struct {
	cmd            *exec.Cmd
	address, admin string
}

func startBalancer(ctx context.Context, dir string, members []*member) (*balancer, error) {
	program, err := exec.LookPath("haproxy")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	b := &balancer{address: "127.0.0.1:" + port, admin: filepath.Join(dir, "haproxy.sock")}
	text := fmt.Sprintf(`
global
  stats socket %s level admin
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen fleet
  bind %s
  balance roundrobin
`, b.admin, b.address)
	for _, m := range members {
		text += fmt.Sprintf("  server %s %s\n", m.name, m.address)
	}
	config := filepath.Join(dir, "haproxy.cfg")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	b.cmd = exec.CommandContext(ctx, program, "-db", "-f", config)
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err = b.say("show info"); err == nil {
			return b, nil
		}
		if time.Now().After(end) {
			b.stop()
			return nil, fmt.Errorf("HAProxy does not come up: %w", err)
		}
	}
}

func (b *balancer) stop() {
	b.cmd.Process.Kill()
	b.cmd.Wait()
}

// say is a command to HAProxy and its answer.
func (b *balancer) say(command string) (string, error) {
	c, err := net.Dial("unix", b.admin)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, command+"\n"); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(bufio.NewReader(c))
	return string(answer), err
}

// set takes a member out or in. An answer is a refusal.
func (b *balancer) set(m *member, state string) error {
	answer, err := b.say("set server fleet/" + m.name + " state " + state)
	if err == nil && strings.TrimSpace(answer) != "" {
		err = fmt.Errorf("HAProxy says %q", answer)
	}
	return err
}

// idle waits until a member has no connection by the balancer.
func (b *balancer) idle(ctx context.Context, m *member) error {
	for range 1000 {
		answer, err := b.say("show stat")
		if err != nil {
			return err
		}
		for line := range strings.Lines(answer) {
			if cells := strings.Split(line, ","); len(cells) > 5 && cells[0] == "fleet" && cells[1] == m.name && cells[4] == "0" {
				return nil
			}
		}
		if !sleep(ctx, 10*time.Millisecond) {
			return ctx.Err()
		}
	}
	return fmt.Errorf("%s does not become idle", m.name)
}

// balanced has HAProxy choose the member of each connection, and take each out while it is started anew.
func (f *fleet) balanced(ctx context.Context) error {
	if _, err := exec.LookPath("haproxy"); err != nil {
		f.Logf("behind HAProxy: left out, %v (Debian: apt-get install haproxy)", err)
		return nil
	}
	b, err := startBalancer(ctx, filepath.Dir(f.members[0].config), f.members)
	if err != nil {
		return err
	}
	defer b.stop()
	before := f.crowd.addresses.Swap(&[]string{b.address})
	defer func() {
		f.crowd.addresses.Store(before)
		sleep(ctx, time.Second) // until nobody is on the way by it
	}()
	if err := f.steady(ctx, " behind HAProxy"); err != nil {
		return err
	}
	from := time.Now()
	for _, m := range f.members {
		if err := b.set(m, "maint"); err != nil {
			return err
		}
		if err := b.idle(ctx, m); err != nil {
			return err
		}
		if err := m.restart(ctx); err != nil {
			return fmt.Errorf("%s is started anew: %w", m.name, err)
		}
		if err := b.set(m, "ready"); err != nil {
			return err
		}
		if !sleep(ctx, f.campaign.over/10) {
			return ctx.Err()
		}
	}
	f.restarted("rolling restart by SIGTERM behind HAProxy", from)
	return nil
}
