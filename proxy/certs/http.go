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
	address net.Addr
	server  *http.Server
	done    chan struct{}
	users   map[*func(http.ResponseWriter, *http.Request) bool]bool
}

var files struct {
	sync.Mutex
	at map[string]*fileServer
}

// joinHTTP has answer asked for requests to addr, until leave is called.
func joinHTTP(ctx context.Context, addr string, answer func(http.ResponseWriter, *http.Request) bool) (on net.Addr, leave func(), err error) {
	files.Lock()
	defer files.Unlock()
	f := files.at[addr]
	if f == nil {
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", addr)
		if err != nil {
			return nil, nil, err
		}
		f = &fileServer{address: l.Addr(), done: make(chan struct{}), users: map[*func(http.ResponseWriter, *http.Request) bool]bool{}}
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
	return f.address, func() { f.leave(addr, &answer) }, nil
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
