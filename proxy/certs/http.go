package certs

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// fileServer answers http-01 on one address, for all sources of this process: the
// source of a new configuration opens before that of the old one is closed.
type fileServer struct {
	listener net.Listener
	server   *http.Server
	done     chan struct{}
	users    map[*func(http.ResponseWriter, *http.Request) bool]bool
}

var files struct {
	sync.Mutex
	at map[string]*fileServer
}

// joinHTTP has answer asked for requests to addr, until leave is called. inherited returns the listener
// of the process before; nil where there is none.
func joinHTTP(ctx context.Context, addr string, inherited func(addr string) net.Listener, answer func(http.ResponseWriter, *http.Request) bool) (on *fileServer, leave func(), err error) {
	files.Lock()
	defer files.Unlock()
	f := files.at[addr]
	if f == nil {
		l, err := listenHTTP(ctx, addr, inherited)
		if err != nil {
			return nil, nil, err
		}
		f = &fileServer{listener: l, done: make(chan struct{}), users: map[*func(http.ResponseWriter, *http.Request) bool]bool{}}
		f.server = &http.Server{Handler: f, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 10 * time.Second, MaxHeaderBytes: 8 << 10}
		go func() {
			defer close(f.done)
			_ = f.server.Serve(l) // until it is closed
		}()
		if files.at == nil {
			files.at = map[string]*fileServer{}
		}
		files.at[addr] = f
	}
	f.users[&answer] = true
	return f, func() { f.leave(addr, &answer) }, nil
}

func listenHTTP(ctx context.Context, addr string, inherited func(addr string) net.Listener) (net.Listener, error) {
	if inherited != nil {
		if l := inherited(addr); l != nil {
			return l, nil
		}
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", addr)
}

// HTTPListeners are those that answer http-01 for s, by the address that the configuration writes.
// They stay s's.
func (s *Source) HTTPListeners() map[string]net.Listener {
	all := map[string]net.Listener{}
	for _, a := range s.acme {
		if a.http != nil {
			all[a.httpAt] = a.http.listener
		}
	}
	return all
}

// LeaveHTTP ends the answers to http-01: another process has the listeners.
func (s *Source) LeaveHTTP() {
	for _, a := range s.acme {
		if a.http != nil {
			a.http.server.Close()
		}
	}
}

func (f *fileServer) leave(addr string, user *func(http.ResponseWriter, *http.Request) bool) {
	files.Lock()
	defer files.Unlock()
	delete(f.users, user)
	if len(f.users) == 0 && files.at[addr] == f {
		delete(files.at, addr)
		f.server.Close()
		<-f.done
	}
}

// ServeHTTP answers the authority, and nobody else.
func (f *fileServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	files.Lock()
	var all []func(http.ResponseWriter, *http.Request) bool
	for user := range f.users {
		all = append(all, *user)
	}
	files.Unlock()
	for _, answer := range all {
		if answer(w, r) {
			return
		}
	}
	http.NotFound(w, r)
}

// roots reads the authorities that an ACME directory is trusted by.
func roots(file string) (*x509.CertPool, error) {
	text, err := readFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificates in PEM", file)
	}
	return pool, nil
}
