//go:build valgrind && linux && amd64

package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/session"
)

// ticketOperations are to seal tickets and to open them: what they hold, and the
// keys, are secret.
func ticketOperations() []operation {
	return []operation{
		{"ticket/good", func() error { return openTicket(func([]byte) {}, "aad", nil) }},
		{"ticket/changed", func() error { return openTicket(func(b []byte) { b[40] ^= 1 }, "aad", session.ErrNotFound) }},
		{"ticket/changed tag", func() error { return openTicket(func(b []byte) { b[len(b)-1] ^= 1 }, "aad", session.ErrNotFound) }},
		{"ticket/bound to something else", func() error { return openTicket(func([]byte) {}, "other", session.ErrNotFound) }},
		{"ticket/of an unknown key", func() error { return openTicket(func(b []byte) { b[0] ^= 1 }, "aad", session.ErrNotFound) }},
	}
}

func openTicket(change func([]byte), aad string, want error) error {
	var ticketKeys [2][32]byte
	ticketKeys[1][0] = 1
	secret(ticketKeys[0][:], ticketKeys[1][:])
	keys := session.NewTicketKeys(nil)
	keys.Set(ticketKeys[:])

	blob := bytes.Repeat([]byte{4}, 200)
	ticket, err := keys.Seal(nil, secretCopy(blob), []byte("aad"))
	if err != nil {
		return err
	}
	public(ticket) // it goes out
	change(ticket)
	got, err := keys.Open(nil, ticket, []byte(aad))
	public(got) // to be compared here
	if !errors.Is(err, want) || want == nil && !equal(got, blob) {
		return fmt.Errorf("%x, %v", got, err)
	}
	return nil
}
