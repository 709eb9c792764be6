package fleet

import (
	"context"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

// sealed is a Store whose values are sealed in the one below.
type sealed struct {
	vault   vault
	purpose string
	below   session.Store
}

func (s *sealed) Put(ctx context.Context, key string, blob []byte, expiry time.Time) error {
	name := nameOf(s.purpose, key)
	return s.below.Put(ctx, name, s.vault.seal(s.purpose, name, blob), expiry)
}

func (s *sealed) Get(ctx context.Context, key string) ([]byte, error) {
	return s.opened(ctx, key, s.below.Get)
}

func (s *sealed) Take(ctx context.Context, key string) ([]byte, error) {
	return s.opened(ctx, key, s.below.Take)
}

func (s *sealed) opened(ctx context.Context, key string, get func(context.Context, string) ([]byte, error)) ([]byte, error) {
	name := nameOf(s.purpose, key)
	data, err := get(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.vault.open(s.purpose, name, data)
}

func (s *sealed) Delete(ctx context.Context, key string) error {
	return s.below.Delete(ctx, nameOf(s.purpose, key))
}
