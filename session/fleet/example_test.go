package fleet_test

import (
	"context"
	"fmt"

	"github.com/vitrine-tls/vitrine/session/fleet"
	"github.com/vitrine-tls/vitrine/tls"
)

// Without a store the sessions are those of this process; with one, every member says the same.
func ExampleOpen() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	sessions, err := fleet.Open(ctx, fleet.Settings{SessionIDs: true}, fleet.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		sessions.Run(ctx) // changes the ticket keys
	}()
	config := new(tls.Config)
	sessions.Apply(config)
	fmt.Println(config.TicketKeys()[0].Stage)
	stop()
	<-done
	sessions.Close()
	// Output: sealing
}
