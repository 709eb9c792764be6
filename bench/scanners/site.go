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
	"github.com/vitrine-tls/vitrine/internal/devca"
)

// A site is the nginx that is looked at, on every address of this network, and the relay before it. Many hosts are looked
// at on the port cheap, with a key that costs nginx little: it runs on the processors that the scanner is measured on.
type site struct {
	port, cheap int
	relay       net.Listener
	cmd         *exec.Cmd
}

const nginxFile = `
daemon off;
worker_processes 2;
pid FOLDER/pid;
error_log stderr crit;
events { worker_connections 10000; }
http {
  access_log off;
  client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi; uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_cache shared:s:10m;
  server {
    listen 0.0.0.0:PORT ssl http2 backlog=4096;
    ssl_certificate FOLDER/rsa.pem;
    ssl_certificate_key FOLDER/rsa.pem;
    location / { return 200 "fine"; }
  }
  server {
    listen 0.0.0.0:CHEAP ssl http2 backlog=4096;
    ssl_certificate FOLDER/ecdsa.pem;
    ssl_certificate_key FOLDER/ecdsa.pem;
    location / { return 200 "fine"; }
  }
}
`

// openSite starts nginx with the suites that it has by itself.
func openSite(dir string) (*site, error) {
	if err := certificates(dir); err != nil {
		return nil, err
	}
	path, err := exec.LookPath("nginx")
	if err != nil {
		return nil, fmt.Errorf("the server is missing: %w", err)
	}
	s := &site{port: 8443, cheap: 8445}
	file := filepath.Join(dir, "nginx.conf")
	text := strings.NewReplacer("FOLDER", dir, "PORT", strconv.Itoa(s.port), "CHEAP", strconv.Itoa(s.cheap)).Replace(nginxFile)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(path, "-c", file, "-e", "stderr")
	s.cmd.Stderr = os.Stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := contest.Await(fmt.Sprintf("127.0.0.1:%d", s.port)); err != nil {
		s.close()
		return nil, err
	}
	if s.relay, err = net.Listen("tcp", "198.18.200.1:8444"); err != nil {
		s.close()
		return nil, err
	}
	go distance(s.relay, fmt.Sprintf("127.0.0.1:%d", s.port), oneWay)
	return s, nil
}

func (s *site) close() {
	if s.relay != nil {
		s.relay.Close()
	}
	syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	s.cmd.Wait()
}

// certificates writes the server's certificates with their keys, and the authority's.
func certificates(dir string) error {
	ca, err := devca.New()
	if err != nil {
		return err
	}
	for name, kind := range map[string]devca.KeyType{"rsa.pem": devca.RSA, "ecdsa.pem": devca.ECDSA} {
		if err := contest.Certify(filepath.Join(dir, name), ca, kind); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "ca.pem"), ca.PEM(), 0o644)
}
