package certs_test

import (
	"context"
	"fmt"

	"github.com/vitrine-tls/vitrine/proxy/certs"
	"github.com/vitrine-tls/vitrine/proxy/config"
)

func ExampleOpen() {
	_, err := certs.Open(context.Background(), []config.Certificate{{Cert: "chain.pem", PKCS12: "chain.p12"}}, certs.Options{})
	fmt.Println(err)
	// Output: certificates[0]: give one of cert, pkcs12, acme and development
}
