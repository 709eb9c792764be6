package redis_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/session/redis"
	"github.com/vitrine-tls/vitrine/tls"
)

func ExampleOpen() {
	store, err := redis.Open("redis://127.0.0.1:6379/0") // it is reached when a session is first looked for
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
