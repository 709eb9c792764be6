package httptls_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/tls"
)

// A server that stops cleanly when it is told to.
func ExampleServer() {
	cert, err := tls.LoadX509KeyPair("cert.pem", "key.pem")
	if err != nil {
		log.Fatal(err)
	}
	srv := &httptls.Server{
		HTTP: &http.Server{Addr: ":8443", Handler: http.FileServer(http.Dir("public"))},
		TLS:  &tls.Config{Certificates: []tls.Certificate{cert}},
		OnHandshake: func(h httptls.Handshake) {
			if h.Err != nil {
				log.Printf("%s: %q", h.Conn.RemoteAddr(), h.Err.Error())
			}
		},
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		<-stop.Done()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		done <- srv.Shutdown(ctx)
	}()
	if err := srv.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	if err := <-done; err != nil {
		log.Print(err)
	}
}

// A client and a server that speak HTTP/2 with each other.
func ExampleTransport() {
	site := httptest.NewTLSServer(nil) // its certificate, for example.com, stands for yours
	defer site.Close()
	cert, roots := site.TLS.Certificates[0], x509.NewCertPool()
	roots.AddCert(site.Certificate())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	srv := &httptls.Server{
		HTTP: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s over %s", r.Proto, tls.VersionName(r.TLS.Version))
		})},
		TLS: &tls.Config{Certificates: []tls.Certificate{cert}},
	}
	go srv.Serve(l)
	defer srv.Close()

	client := &http.Client{Transport: &httptls.Transport{TLS: &tls.Config{RootCAs: roots}}}
	resp, err := client.Get("https://" + l.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s; the client agreed on %s\n", body, resp.TLS.NegotiatedProtocol)
	// Output: HTTP/2.0 over TLS 1.3; the client agreed on h2
}

// Certificates from Let's Encrypt: autocert's callback fits as it is.
func ExampleServer_autocert() {
	manager := &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		HostPolicy: autocert.HostWhitelist("example.com"),
		Cache:      autocert.DirCache("certificates"),
	}
	srv := &httptls.Server{
		HTTP: &http.Server{Addr: ":443"},
		TLS: &tls.Config{
			GetCertificate: manager.GetCertificate,
			NextProtos:     []string{"h2", "http/1.1", acme.ALPNProto},
		},
	}
	log.Fatal(srv.ListenAndServe())
}
