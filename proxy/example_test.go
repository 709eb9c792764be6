package proxy_test

import (
	"context"
	"log"
	"os"
	"os/signal"

	"github.com/vitrine-tls/vitrine/proxy"
	"github.com/vitrine-tls/vitrine/proxy/config"
)

func ExampleProxy() {
	p, err := proxy.New(config.Config{
		Listeners: []config.Listener{{
			Listen: []string{":443"},
			TLS:    &config.ServerTLS{Certificates: []config.Certificate{{Cert: "chain.pem", Key: "key.pem"}}},
			Target: "web",
		}},
		Targets: map[string]config.Target{"web": {Addresses: []string{"127.0.0.1:8080"}}},
	}, proxy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := p.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
