package tls

import (
	"context"
	"errors"
	"testing"
)

// A server takes its turns once the client has spoken, gives each back before it waits for
// the client, and fails where it gets none.
func TestHandshakeTurn(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	taken, held := 0, 0
	server.HandshakeTurn = func(context.Context) (func(), error) {
		if held++; held > 1 {
			t.Error("a second turn is taken while the first is held")
		}
		taken++
		return func() { held-- }, nil
	}
	if _, _, clientErr, serverErr := connectInMemory(client, server); clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	if taken != 2 || held != 0 { // the hello, and the client's Finished
		t.Errorf("%d turns were taken, %d are held", taken, held)
	}
	full := errors.New("too many wait")
	server.HandshakeTurn = func(context.Context) (func(), error) { return nil, full }
	if _, _, clientErr, serverErr := connectInMemory(client, server); clientErr == nil || !errors.Is(serverErr, full) {
		t.Errorf("client: %v; server: %v", clientErr, serverErr)
	}
}
