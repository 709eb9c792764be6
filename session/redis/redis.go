// Package redis is a [session.Store] in Valkey or Redis, from version 6.2 on: one server, a
// cluster, or what sentinels watch over.
//
// Keys are "vitrine:" and the key's bytes as they are. Each expires by the server's clock, after
// the time that was left by ours. Take is GETDEL. [Store.CompareAndSet] is SET NX, or a script that
// compares. The rights that a user needs: +get +set +getdel +del +eval +hello +ping, for ~vitrine:*; with a database
// +select too, in a cluster +cluster|slots +cluster|shards +asking, and with sentinels +role. On the sentinels it needs
// +hello +ping +sentinel +subscribe +unsubscribe, and &* for their channels.
//
// A replica that takes over without the last writes brings back what was taken: [Store.Take] is atomic on one server.
//
// The server should be one that evicts when it is full (maxmemory-policy volatile-ttl or
// allkeys-lru); with noeviction a full one takes no more sessions. What is stored are secrets:
// see package session/fleet, which seals them.
package redis

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/valkey-io/valkey-go"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/session/internal/bound"
	"github.com/vitrine-tls/vitrine/session/internal/guard"
	"github.com/vitrine-tls/vitrine/session/internal/lazy"
)

// Store is a [session.Swapper] in Valkey or Redis.
type Store struct {
	prefix string
	client lazy.Value[valkey.Client]
	calls  bound.Calls // the client waits for its connections whatever the context says
}

var _ session.Swapper = (*Store)(nil)

const (
	// patience is how long a connection may take to be made, and how long the server may be
	// silent on one before another is made.
	patience = time.Second
	buffer   = 32 << 10
	port     = "6379"
)

// Open returns the store at a URL, without connecting yet:
//
//	redis://USER:PASSWORD@HOST:PORT/DB
//	rediss://...                         with TLS
//	?cluster=true                        HOST is a node of a cluster
//	?sentinel=NAME                       HOST is a sentinel; NAME is what it calls the servers
//	?addr=HOST:PORT                      a further node or sentinel; any number of them
//	?ca=FILE                             PEM of the authorities of its certificate
//	?prefix=TEXT                         in front of each key; "vitrine:" by default
//
// A user and its password are for sentinels too.
func Open(address string) (*Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("redis: the address is not a URL like redis://HOST:6379") // err would show the password
	}
	s := &Store{prefix: "vitrine:", calls: bound.New()}
	options, err := s.options(u)
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	s.client.Make = func() (valkey.Client, error) { return connect(options) }
	return s, nil
}

// connect keeps the client of a single server though the server is away: it comes back by itself.
func connect(options valkey.ClientOption) (valkey.Client, error) {
	client, err := valkey.NewClient(options)
	if err != nil && client != nil {
		client.Close()
	}
	if err != nil {
		return nil, err
	}
	if cluster := !options.ForceSingleClient && options.Sentinel.MasterSet == ""; cluster && client.Mode() != valkey.ClientModeCluster {
		client.Close() // it would find the keys of one node alone
		return nil, errors.New("the server does not tell of its cluster: it has none, or the user lacks the rights +cluster|slots and +cluster|shards")
	}
	return client, nil
}

func (s *Store) options(u *url.URL) (o valkey.ClientOption, err error) {
	if u.Scheme != "redis" && u.Scheme != "rediss" {
		return o, fmt.Errorf("the scheme is %q; redis and rediss are possible", u.Scheme)
	}
	if u.Hostname() == "" {
		return o, errors.New("the URL has no host")
	}
	o = valkey.ClientOption{
		InitAddress: []string{withPort(u.Host)}, ForceSingleClient: true,
		Dialer: net.Dialer{Timeout: patience, KeepAlive: patience}, ConnWriteTimeout: patience,
		DisableRetry: true, DisableCache: true, PipelineMultiplex: -1, ClientSetInfo: valkey.DisableClientSetInfo,
		ReadBufferEachConn: buffer, WriteBufferEachConn: buffer, BlockingPoolSize: 8,
	}
	if u.User != nil {
		o.Username = u.User.Username()
		o.Password, _ = u.User.Password()
	}
	if db := strings.TrimPrefix(u.Path, "/"); db != "" {
		if o.SelectDB, err = strconv.Atoi(db); err != nil || o.SelectDB < 0 {
			return o, fmt.Errorf("%q is not the number of a database", db)
		}
	}
	if u.Scheme == "rediss" {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if err := s.query(&o, u.Query()); err != nil {
		return o, err
	}
	pushes := o.Sentinel.MasterSet != ""
	o.DialCtxFn = func(ctx context.Context, address string, d *net.Dialer, config *tls.Config) (net.Conn, error) {
		return dial(ctx, address, d, config, pushes)
	}
	return o, nil
}

func (s *Store) query(o *valkey.ClientOption, q url.Values) error {
	for name, values := range q {
		value := values[0]
		switch name {
		case "cluster":
			on, err := strconv.ParseBool(value)
			if err != nil {
				return fmt.Errorf("cluster=%q is neither true nor false", value)
			}
			o.ForceSingleClient = !on
			o.ClusterOption.MaxMovedRedirections = 4
		case "sentinel":
			o.Sentinel = valkey.SentinelOption{
				Dialer: o.Dialer, TLSConfig: o.TLSConfig, MasterSet: value, Username: o.Username, Password: o.Password,
				TopologyRefreshInterval: patience,
			}
		case "addr":
			for _, a := range values {
				o.InitAddress = append(o.InitAddress, withPort(a))
			}
		case "prefix":
			s.prefix = value
		case "ca":
			if err := trust(o, value); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%q is not a setting; cluster, sentinel, addr, ca and prefix are", name)
		}
	}
	if o.ForceSingleClient && o.Sentinel.MasterSet == "" && len(o.InitAddress) > 1 {
		return errors.New("several addresses are for a cluster or for sentinels; add cluster=true or sentinel=NAME")
	}
	if !o.ForceSingleClient && o.Sentinel.MasterSet != "" {
		return errors.New("cluster and sentinel exclude each other")
	}
	if !o.ForceSingleClient && o.SelectDB != 0 {
		return errors.New("a cluster has no databases beside 0")
	}
	return nil
}

func trust(o *valkey.ClientOption, file string) error {
	if o.TLSConfig == nil {
		return errors.New("ca is for rediss://, which is with TLS")
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("the authorities of the server: %w", err)
	}
	o.TLSConfig.RootCAs = x509.NewCertPool()
	if !o.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s has no certificate in PEM", file)
	}
	return nil
}

func withPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}

// dial takes its own time: a look-up that gives up leaves a connection for the next one.
func dial(ctx context.Context, address string, d *net.Dialer, config *tls.Config, pushes bool) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if config != nil {
		c := config.Clone()
		if c.ServerName == "" {
			c.ServerName, _, _ = net.SplitHostPort(address)
		}
		secure := tls.Client(conn, c)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		conn = secure
	}
	return guarded(conn, pushes), nil
}

// do sends one command.
func (s *Store) do(ctx context.Context, command func(valkey.Builder) valkey.Completed) valkey.ValkeyResult {
	result, err := bound.Run(ctx, s.calls, func() (valkey.ValkeyResult, error) {
		c, err := s.client.Get(ctx)
		if err != nil {
			return valkey.ValkeyResult{}, err
		}
		return c.Do(ctx, command(c.B())), nil
	})
	if err != nil {
		return valkey.NewErrorResult(err)
	}
	return result
}

// Put implements [session.Store]. A blob of more than 512 KiB is refused.
func (s *Store) Put(ctx context.Context, key string, blob []byte, expiry time.Time) error {
	if len(blob) > guard.MaxBlob {
		return fmt.Errorf("redis: a session of %d bytes, at most %d are stored", len(blob), guard.MaxBlob)
	}
	left := time.Until(expiry)
	if left < time.Millisecond {
		return s.Delete(ctx, key)
	}
	text := string(blob) // a copy: the command may be sent after ctx is done
	return explain(s.do(ctx, func(b valkey.Builder) valkey.Completed {
		return b.Set().Key(s.prefix + key).Value(text).Px(left).Build()
	}).Error())
}

// Get implements [session.Store].
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	return value(s.do(ctx, func(b valkey.Builder) valkey.Completed { return b.Get().Key(s.prefix + key).Build() }))
}

// Take implements [session.Store].
func (s *Store) Take(ctx context.Context, key string) ([]byte, error) {
	return value(s.do(ctx, func(b valkey.Builder) valkey.Completed { return b.Getdel().Key(s.prefix + key).Build() }))
}

// Delete implements [session.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	return explain(s.do(ctx, func(b valkey.Builder) valkey.Completed { return b.Del().Key(s.prefix + key).Build() }).Error())
}

const compareAndSet = `if redis.call("GET", KEYS[1]) == ARGV[1] then
redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3]) return 1 end return 0`

// CompareAndSet implements [session.Swapper].
func (s *Store) CompareAndSet(ctx context.Context, key string, old, blob []byte, expiry time.Time) (bool, error) {
	left := time.Until(expiry)
	if len(blob) > guard.MaxBlob || left < time.Millisecond {
		return false, fmt.Errorf("redis: a value of %d bytes for %v cannot be stored", len(blob), left)
	}
	was, text := string(old), string(blob)
	if old == nil {
		err := s.do(ctx, func(b valkey.Builder) valkey.Completed {
			return b.Set().Key(s.prefix + key).Value(text).Nx().Px(left).Build()
		}).Error()
		if valkey.IsValkeyNil(err) {
			return false, nil
		}
		return err == nil, explain(err)
	}
	done, err := s.do(ctx, func(b valkey.Builder) valkey.Completed {
		return b.Eval().Script(compareAndSet).Numkeys(1).Key(s.prefix+key).Arg(was, text, strconv.FormatInt(left.Milliseconds(), 10)).Build()
	}).AsInt64()
	return done == 1, explain(err)
}

// Close ends the connections. The store must not be used by then.
func (s *Store) Close() error {
	s.calls.Drain()
	s.client.Close(func(c valkey.Client) { c.Close() })
	return nil
}

func value(r valkey.ValkeyResult) ([]byte, error) {
	blob, err := r.AsBytes()
	return blob, explain(err)
}

// explain turns an error of the server into one of ours. The server's text is quoted.
func explain(err error) error {
	if err == nil {
		return nil
	}
	if valkey.IsValkeyNil(err) {
		return session.ErrNotFound
	}
	if said, ok := valkey.IsValkeyErr(err); ok {
		return fmt.Errorf("redis: the server says %q", said.Error())
	}
	return fmt.Errorf("redis: %w", err)
}
