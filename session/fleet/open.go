package fleet

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/session/files"
	"github.com/vitrine-tls/vitrine/session/memcached"
	"github.com/vitrine-tls/vitrine/session/nats"
	"github.com/vitrine-tls/vitrine/session/redis"
)

// closer is a store of ours.
type closer interface {
	session.Swapper
	Close() error
}

// openStore opens the store that a URL names. Only folders can fail here: servers are reached later.
func openStore(address string) (closer, error) {
	scheme, _, _ := strings.Cut(address, ":")
	var store closer
	var err error
	switch scheme {
	case "redis", "rediss":
		store, err = redis.Open(address)
	case "memcached":
		store, err = memcached.Open(address)
	case "nats", "tls":
		store, err = nats.Open(address)
	case "file":
		store, err = openFolder(address)
	default:
		return nil, fmt.Errorf("fleet: the session store is %q; redis://, rediss://, memcached://, nats://, tls:// and file: are known", scheme+":")
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: the session store: %w", err)
	}
	return store, nil
}

// openFolder opens file:FOLDER or file:///FOLDER, with ?budget=BYTES and ?sync=true.
func openFolder(address string) (*files.Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if u.Host != "" {
		return nil, fmt.Errorf("%q names a machine; write file:FOLDER, or file:///FOLDER with three strokes", address)
	}
	folder := u.Path
	if u.Opaque != "" {
		if folder, err = url.PathUnescape(u.Opaque); err != nil {
			return nil, err
		}
	}
	if folder == "" {
		return nil, errors.New("file: is without a folder")
	}
	var o files.Options
	for name, values := range u.Query() {
		switch name {
		case "budget":
			o.Budget, err = strconv.ParseInt(values[0], 10, 64)
		case "sync":
			o.Sync, err = strconv.ParseBool(values[0])
		default:
			err = errors.New("it is not a setting; budget and sync are")
		}
		if err != nil {
			return nil, fmt.Errorf("%s=%q: %w", name, values[0], err)
		}
	}
	return files.Open(folder, o)
}
