package web_test

import (
	"context"
	"log"
	"net"
	"net/http"
	"net/url"

	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/web"
	"github.com/vitrine-tls/vitrine/tls"
)

func ExampleNew() {
	dial := func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:8080")
	}
	place := web.Place{URL: &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}, Transport: web.Transport(dial, nil)}
	route := &web.Route{Places: func() []web.Place { return []web.Place{place} }}
	handler, err := web.New(web.Options{
		HTTP:  &config.HTTP{ClientCert: "leaf"},
		Route: func(*http.Request, string) *web.Route { return route },
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = &httptls.Server{HTTP: web.Server(handler), TLS: &tls.Config{}} // with a certificate
}
