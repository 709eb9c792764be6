package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// loadChild is the server's process, seen from the driver.
type loadChild struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *json.Decoder
	addrs []string
}

// usage is what the system says of a process.
type usage struct {
	resident, peak int // KiB
	files          int
}

func startLoadServer(ctx context.Context, caDir string) (*loadChild, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &loadChild{cmd: exec.CommandContext(ctx, self, "load-server", caDir)}
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.out = json.NewDecoder(bufio.NewReader(out))
	if err := c.out.Decode(&c.addrs); err != nil {
		c.stop()
		return nil, fmt.Errorf("the server does not start: %w", err)
	}
	return c, nil
}

// stop ends the server and says how it ended.
func (c *loadChild) stop() error {
	c.in.Close()
	return c.cmd.Wait()
}

// stats asks the server; "free" has it return its memory first.
func (c *loadChild) stats(command string) (s serverStats, err error) {
	if _, err = io.WriteString(c.in, command+"\n"); err == nil {
		err = c.out.Decode(&s)
	}
	return s, err
}

// usage reads /proc.
func (c *loadChild) usage() (u usage, err error) {
	dir := fmt.Sprint("/proc/", c.cmd.Process.Pid)
	status, err := os.ReadFile(dir + "/status")
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		into, ok := map[string]*int{"VmRSS": &u.resident, "VmHWM": &u.peak}[name]
		if !ok {
			continue
		}
		if *into, err = strconv.Atoi(strings.Fields(value)[0]); err != nil {
			return u, err
		}
	}
	d, err := os.Open(dir + "/fd")
	if err != nil {
		return u, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	u.files = len(names)
	return u, err
}
