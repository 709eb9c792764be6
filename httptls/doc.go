// Package httptls is HTTPS over vitrine's TLS: HTTP/1.1 and HTTP/2, server and
// client, on net/http.
//
// A server is an [http.Server] and a TLS configuration:
//
//	srv := &httptls.Server{
//		HTTP: &http.Server{Addr: ":443", Handler: mux},
//		TLS:  &tls.Config{Certificates: []tls.Certificate{cert}},
//	}
//	err := srv.ListenAndServe()
//
// A client is an [http.Client] whose transport is a [Transport]:
//
//	client := &http.Client{Transport: &httptls.Transport{TLS: config}}
//	resp, err := client.Get("https://example.com/")
//
// Handlers see Request.TLS and callers Response.TLS as they do with crypto/tls,
// and Shutdown waits for requests in flight in both versions of HTTP. [TLSConn] gives a
// handler that has hijacked a connection its *tls.Conn.
//
// # How it fits
//
// net/http of Go 1.26 recognises TLS only by the type *crypto/tls.Conn. So a
// Server does the handshakes itself, before a connection is accepted. If
// net/http can see a ConnectionState on the connection that it gets, it serves
// HTTP/1.1; if not, HTTP/2 with prior knowledge. A Transport does the same the
// other way round. The hidden state is put back
// into each request and response.
package httptls
