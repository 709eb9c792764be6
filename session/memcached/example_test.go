package memcached_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/session/memcached"
	"github.com/vitrine-tls/vitrine/tls"
)

func ExampleOpen() {
	store, err := memcached.Open("memcached://127.0.0.1:11211") // it is reached when a session is first looked for
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	config := new(tls.Config)
	config.Resumption.Store = store // session/fleet seals what is stored
	fmt.Println(config.Resumption.Store != nil)
	// Output: true
}
