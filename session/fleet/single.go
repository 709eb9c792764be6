package fleet

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// ticketSize is that of a ticket whose session is in the store: its name there, which nobody guesses.
const ticketSize = 32

// ticketLife is how long a session can be resumed, and so how long it is kept.
const ticketLife = 24 * time.Hour

// wrap keeps a session in the store. On an error there is no ticket.
func (s *Sessions) wrap(_ tls.ConnectionState, state *tls.SessionState) ([]byte, error) {
	blob, err := state.Bytes()
	if err != nil {
		return nil, err
	}
	defer clear(blob)
	ticket := make([]byte, ticketSize)
	rand.Read(ticket)
	ctx, cancel := context.WithTimeout(context.Background(), s.settings.Timeout)
	defer cancel()
	if err := s.tickets.Put(ctx, string(ticket), blob, time.Now().Add(ticketLife)); err != nil {
		return nil, err
	}
	return ticket, nil
}

// unwrap takes a session out of the store: nobody gets it again.
func (s *Sessions) unwrap(ticket []byte, _ tls.ConnectionState) (*tls.SessionState, error) {
	if len(ticket) != ticketSize {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.settings.Timeout)
	defer cancel()
	blob, err := s.tickets.Take(ctx, string(ticket))
	if err != nil {
		return nil, nil
	}
	return tls.ParseSessionState(blob)
}

const maxKeyFile = 64 << 10

func readKeyFile(path string) ([][32]byte, error) {
	if path == "" {
		return nil, errors.New("fleet: a store needs a file of fleet keys, the same for all members; make a key with: openssl rand -hex 32")
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("fleet: the file of fleet keys: %w", err)
	}
	if info.Size() > maxKeyFile {
		return nil, fmt.Errorf("fleet: %s has %d bytes, too many for a file of fleet keys", path, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("fleet: the file of fleet keys: %w", err)
	}
	defer clear(text)
	var keys [][32]byte
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, err := hex.DecodeString(line)
		if err != nil || len(key) != 32 {
			return nil, fmt.Errorf("fleet: %s:%d is not a key of 64 hex digits; make one with: openssl rand -hex 32", path, n)
		}
		keys = append(keys, [32]byte(key))
		clear(key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("fleet: %s has no key; make one with: openssl rand -hex 32", path)
	}
	return keys, nil
}
