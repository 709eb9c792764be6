//go:build linux

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/vitrine-tls/vitrine/bench/contest"
)

// A program is one terminator: where it is, and how it is told what to do.
type program struct {
	name string
	// find returns the path of its executable.
	find func(dir string) (string, error)
	// file is its configuration. PORT is where it listens, SERVICE the port behind it, CERTIFICATE a file with the key too.
	file string
	args func(file string) []string
}

var programs = []program{
	{"vitrine", contest.Vitrine, `
listeners:
  - listen: ["127.0.0.1:PORT"]
    tls: {certificates: [{cert: CERTIFICATE}], no-stapling: true}
    target: service
targets:
  service: {addresses: ["127.0.0.1:SERVICE"]}
`, func(file string) []string { return []string{"proxy", "--config", file} }},
	{"hitch", contest.Installed("hitch"), `
frontend = "[127.0.0.1]:PORT"
backend = "[127.0.0.1]:SERVICE"
workers = 2
backlog = 4096
daemon = off
quiet = on
user = "nobody"
tls-protos = TLSv1.2 TLSv1.3
pem-file = "CERTIFICATE"
`, func(file string) []string { return []string{"--config=" + file} }},
	{"haproxy", contest.Installed("haproxy"), `
global
  nbthread 2
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend tls
  bind 127.0.0.1:PORT ssl crt CERTIFICATE
  default_backend service
backend service
  server one 127.0.0.1:SERVICE
`, func(file string) []string { return []string{"-db", "-q", "-f", file} }},
	{"stunnel", contest.Installed("stunnel"), `
foreground = yes
syslog = no
debug = 3
pid =
[tls]
accept = 127.0.0.1:PORT
connect = 127.0.0.1:SERVICE
cert = CERTIFICATE
`, func(file string) []string { return []string{file} }},
	{"nginx", contest.Installed("nginx"), `
include /etc/nginx/modules-enabled/*-stream.conf;
daemon off;
worker_processes 2;
pid FOLDER/nginx.pid;
error_log stderr crit;
events { worker_connections 100000; }
stream {
  server {
    listen 127.0.0.1:PORT ssl backlog=4096;
    proxy_pass 127.0.0.1:SERVICE;
    proxy_timeout 1h;
    ssl_certificate CERTIFICATE;
    ssl_certificate_key CERTIFICATE;
    ssl_session_cache shared:s:10m;
    ssl_session_tickets on;
    ssl_protocols TLSv1.2 TLSv1.3;
  }
}
`, func(file string) []string { return []string{"-c", file, "-e", "stderr"} }},
}

// running is a terminator at work.
type running struct {
	cmd     *exec.Cmd
	address string
	said    strings.Builder
}

// start runs p in front of the service at port service, and waits until it accepts.
func (p program) start(dir, cert string, service int) (*running, error) {
	path, err := p.find(dir)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, p.name+".conf")
	text := strings.NewReplacer("PORT", strconv.Itoa(port), "SERVICE", strconv.Itoa(service), "CERTIFICATE", cert, "FOLDER", dir).Replace(p.file)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	r := &running{cmd: exec.Command(path, p.args(file)...), address: fmt.Sprintf("127.0.0.1:%d", port)}
	r.cmd.Stdout, r.cmd.Stderr = &r.said, &r.said
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	if err := contest.Await(r.address); err != nil {
		r.stop()
		return nil, fmt.Errorf("%s does not listen: %w %s", p.name, err, r.said.String())
	}
	return r, nil
}

// stop ends the program and its workers.
func (r *running) stop() {
	syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
	r.cmd.Wait()
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
