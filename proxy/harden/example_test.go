package harden_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/harden"
)

func ExamplePaths_Beyond() {
	now := config.Config{Targets: map[string]config.Target{"web": {Addresses: []string{"127.0.0.1:8080"}}}}
	next := config.Config{Targets: map[string]config.Target{"web": {Addresses: []string{"127.0.0.1:9090"}}}}
	fmt.Println(harden.Of(now, "").Beyond(harden.Of(next, "")))
	// Output: [connecting to TCP port 9090]
}
