package config_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

func ExampleConfig() {
	c := config.Config{
		Listeners: []config.Listener{{
			Listen: []string{":443"},
			TLS:    &config.ServerTLS{Certificates: []config.Certificate{{Cert: "chain.pem", Key: "key.pem"}}},
			Target: "web",
		}},
		Targets: map[string]config.Target{"web": {Addresses: []string{"127.0.0.1:8080"}}},
	}
	fmt.Println(c.Listeners[0].Listen, c.Targets["web"].Addresses)
	// Output: [:443] [127.0.0.1:8080]
}
