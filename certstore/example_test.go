package certstore_test

import (
	"context"
	"log"

	"github.com/vitrine-tls/vitrine/certstore"
	"github.com/vitrine-tls/vitrine/tls"
)

// A server takes up new certificates as soon as their files change.
func ExampleOpen() {
	store, err := certstore.Open([]certstore.Pair{{Cert: "fullchain.pem", Key: "key.pem"}}, certstore.Options{})
	if err != nil {
		log.Print(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go store.Run(ctx)
	config := &tls.Config{GetCertificate: store.GetCertificate}
	_ = config
}
