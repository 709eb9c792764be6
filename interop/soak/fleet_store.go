package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/session/memcached"
	"github.com/vitrine-tls/vitrine/session/nats"
	"github.com/vitrine-tls/vitrine/session/redis"
)

// engine is a store's server as a process, at the same address through all its lives. Each life begins empty.
type engine interface {
	address() string // HOST:PORT
	url(address string) string
	open() (store, error)
	start() error // and waits until it answers
	kill()
	freeze() error // returns when it stands still
	thaw() error
	wipe() error
	fill(full bool) error                 // it takes nothing more; errUnable where it cannot be so
	sizes() (count, bytes int, err error) // what it keeps, and what it takes for that
}

// store is what the members have of a store.
type store interface {
	session.Swapper
	Close() error
}

// errUnable says that an engine has no such state.
var errUnable = errors.New("this store has no such state")

var engines = map[string]func(s *storeServer, folder string) (engine, error){
	"redis":     newRedis,
	"memcached": newMemcached,
	"nats":      newNATS,
}

func engineNames() string { return strings.Join(slices.Sorted(maps.Keys(engines)), ", ") }

func openEngine(name, folder string) (engine, error) {
	if engines[name] == nil {
		return nil, fmt.Errorf("there is no store %q; there are %s", name, engineNames())
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return engines[name](&storeServer{port: port}, folder)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// storeServer is what the engines have in common.
type storeServer struct {
	port string
	make func() *exec.Cmd
	cmd  *exec.Cmd
}

func (s *storeServer) address() string { return "127.0.0.1:" + s.port }

func (s *storeServer) start() error {
	s.cmd = s.make()
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		return err
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", s.address())
		if err == nil {
			return c.Close()
		}
		if time.Now().After(end) {
			return fmt.Errorf("the store does not come up: %w", err)
		}
	}
}

func (s *storeServer) kill() {
	if s.cmd != nil {
		s.cmd.Process.Kill()
		s.cmd.Wait()
		s.cmd = nil
	}
}

// say sends a line and returns what comes up to a line that begins with one of the ends.
func (s *storeServer) say(line string, ends ...string) (all []string, err error) {
	c, err := net.DialTimeout("tcp", s.address(), time.Second)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, line+"\r\n"); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(c); lines.Scan(); {
		all = append(all, lines.Text())
		for _, end := range ends {
			if strings.HasPrefix(lines.Text(), end) {
				return all, nil
			}
		}
	}
	return all, fmt.Errorf("%q is answered with %.200q", line, all)
}

// number finds the number behind a name in lines.
func number(lines []string, name string) (int, error) {
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strconv.Atoi(strings.TrimSpace(rest))
		}
	}
	return 0, fmt.Errorf("the store does not say %q", name)
}

type redisEngine struct{ *storeServer }

func newRedis(s *storeServer, _ string) (engine, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("redis-server is not installed (Debian: apt-get install redis-server): %w", err)
	}
	s.make = func() *exec.Cmd {
		return exec.Command(program, "--port", s.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	}
	return redisEngine{s}, nil
}

func (e redisEngine) url(address string) string { return "redis://" + address }

func (e redisEngine) open() (store, error) { return redis.Open(e.url(e.address())) }

func (e redisEngine) wipe() error { _, err := e.say("FLUSHALL", "+OK"); return err }

func (e redisEngine) fill(full bool) error {
	most := "0"
	if full {
		most = "1mb" // it has taken as much before the first session
	}
	_, err := e.say("CONFIG SET maxmemory "+most+" maxmemory-policy noeviction", "+OK")
	return err
}

func (e redisEngine) sizes() (count, bytes int, err error) {
	lines, err := e.say("DBSIZE", ":")
	if err == nil {
		count, err = number(lines, ":")
	}
	if err == nil {
		lines, err = e.say("INFO memory", "used_memory_human")
	}
	if err == nil {
		bytes, err = number(lines, "used_memory:")
	}
	return count, bytes, err
}

type memcachedEngine struct{ *storeServer }

func newMemcached(s *storeServer, _ string) (engine, error) {
	program, err := exec.LookPath("memcached")
	if err != nil {
		return nil, fmt.Errorf("memcached is not installed (Debian: apt-get install memcached): %w", err)
	}
	s.make = func() *exec.Cmd {
		return exec.Command(program, "-l", "127.0.0.1", "-p", s.port, "-u", "nobody", "-m", "256")
	}
	return memcachedEngine{s}, nil
}

func (e memcachedEngine) url(address string) string { return "memcached://" + address }
func (e memcachedEngine) open() (store, error)      { return memcached.Open(e.url(e.address())) }
func (e memcachedEngine) wipe() error               { _, err := e.say("flush_all", "OK"); return err }
func (e memcachedEngine) fill(bool) error           { return errUnable } // it drops what is old

func (e memcachedEngine) sizes() (count, bytes int, err error) {
	lines, err := e.say("stats", "END")
	if err == nil {
		count, err = number(lines, "STAT curr_items")
	}
	if err == nil {
		bytes, err = number(lines, "STAT bytes ")
	}
	return count, bytes, err
}

// natsEngine is nats-server with its JetStream in a child of this program.
type natsEngine struct {
	*storeServer
	monitor string
}

func newNATS(s *storeServer, folder string) (engine, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	monitor, err := freePort()
	if err != nil {
		return nil, err
	}
	s.make = func() *exec.Cmd {
		os.RemoveAll(folder) // as the others, it begins with nothing
		return exec.Command(self, "nats-server", s.port, monitor, folder)
	}
	return natsEngine{s, monitor}, nil
}

// natsServer is the child.
func natsServer(args []string) error {
	if len(args) != 3 {
		return errors.New("it wants two ports and a folder")
	}
	port, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	monitor, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, HTTPHost: "127.0.0.1", HTTPPort: monitor, JetStream: true, StoreDir: args[2], NoSigs: true})
	if err != nil {
		return err
	}
	s.Start()
	s.WaitForShutdown()
	return nil
}

func (e natsEngine) url(address string) string { return "nats://" + address + "/sessions" }
func (e natsEngine) open() (store, error)      { return nats.Open(e.url(e.address())) }
func (e natsEngine) fill(bool) error           { return errUnable } // the bucket has no bound of its own

// wipe is a new process: the server's own tools are not needed for that.
func (e natsEngine) wipe() error {
	e.kill()
	return e.start()
}

func (e natsEngine) sizes() (count, bytes int, err error) {
	answer, err := http.Get("http://127.0.0.1:" + e.monitor + "/jsz")
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	var said struct{ Memory, Messages int }
	err = json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&said)
	return said.Messages, said.Memory, err
}
