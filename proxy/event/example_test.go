package event_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/proxy/event"
)

func ExampleHooks() {
	hooks := event.Hooks{Health: func(target, address string, up bool, why error) {
		fmt.Println(target, address, up)
	}}
	hooks.Health("web", "127.0.0.1:8080", true, nil)
	// Output: web 127.0.0.1:8080 true
}
