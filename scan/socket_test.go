package scan

import (
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A unix socket is scanned as another target is, without a bound on the rate.
func TestScanOfAUnixSocket(t *testing.T) {
	server := serveTLS(t, old(t, wire.TLS12, wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256))
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() { relay(in, server.Address) })
		}
	})
	at := Target{Address: "unix:" + path}
	if at.ServerName() != "localhost" || !loopback(at.host()) || (Target{Address: "example.com:1"}).socket() != "" {
		t.Errorf("it is %q", at.ServerName())
	}
	r, err := (&Prober{}).Scan(t.Context(), at, Options{ConfigurationOnly: true})
	l.Close()
	wait.Wait()
	if err != nil || r.Failure != "" || r.Target != at.Address || !r.Offers("TLS 1.2") || r.Offers("TLS 1.3") {
		t.Errorf("%v, %+v", err, r)
	}
}

// relay joins a connection and a new one to an address, until either ends.
func relay(in net.Conn, address string) {
	defer in.Close()
	out, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer out.Close()
	done := make(chan struct{})
	go func() {
		io.Copy(out, in)
		out.(*net.TCPConn).CloseWrite()
		close(done)
	}()
	io.Copy(in, out)
	in.Close()
	<-done
}
