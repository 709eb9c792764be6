// Package nats is a [session.Store] in a key-value bucket of NATS JetStream.
//
// A key is the SHA-256 of the key's bytes in base64, as subjects are text. The bucket keeps a
// value for 25 hours at most, and each value has its own expiry in front. [Store.Take] reads
// the value with its revision and purges it on the condition that the revision is still the
// last one: the server lets one caller do that. What is taken or deleted leaves a marker of some
// 200 bytes for a second. Servers before 2.11 keep it for those 25 hours, and so do buckets without a time for markers.
//
// The bucket is made when it is missing, with one replica in memory; make it yourself to have
// it otherwise, with a time for markers (nats kv add --marker-ttl=1s). What is stored are secrets: see package session/fleet, which seals them.
package nats

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/session/internal/guard"
	"github.com/vitrine-tls/vitrine/session/internal/lazy"
)

// Store is a [session.Swapper] in NATS.
type Store struct {
	bucket   string
	link     lazy.Value[*link]
	mending  atomic.Bool
	once     sync.Once
	finished chan struct{} // has an element while the bucket is made again
}

type link struct {
	conn *nats.Conn
	js   jetstream.JetStream
	kv   jetstream.KeyValue
	// brief says that the bucket takes markers with a time of their own.
	brief atomic.Bool
}

var _ session.Swapper = (*Store)(nil)

const (
	patience = time.Second
	keep     = 25 * time.Hour
	// markerTime is how long the bucket keeps what says that a value was taken. It does not guard single use: a
	// revision that was read before is not the last one either once nothing is left.
	markerTime = time.Second
	headerSize = 8
	maxMessage = 4 << 20
)

// Open returns the store at a URL, without connecting yet:
//
//	nats://USER:PASSWORD@HOST:4222/BUCKET    tls://... with TLS; the bucket is "vitrine" by default
//	?ca=FILE                                 PEM of the authorities of the server's certificate
//	?credentials=FILE                        a file of credentials, in place of user and password
func Open(address string) (*Store, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("nats: the address is not a URL like nats://HOST:4222/BUCKET") // err would show the password
	}
	if u.Scheme != "nats" && u.Scheme != "tls" || u.Host == "" {
		return nil, errors.New("nats: the address is not a URL like nats://HOST:4222/BUCKET or tls://HOST:4222/BUCKET")
	}
	s := &Store{bucket: strings.Trim(u.Path, "/"), finished: make(chan struct{}, 1)}
	if s.bucket == "" {
		s.bucket = "vitrine"
	}
	if strings.ContainsAny(s.bucket, "/. *>\t") {
		return nil, fmt.Errorf("nats: %q is not a name of a bucket: letters, digits, - and _ are", s.bucket)
	}
	options := []nats.Option{
		nats.Name("vitrine"), nats.Timeout(patience), nats.SetCustomDialer(dialer{}),
		nats.MaxReconnects(-1), nats.ReconnectWait(100 * time.Millisecond), nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		nats.ReconnectBufSize(-1), nats.PingInterval(patience), nats.MaxPingsOutstanding(2), nats.IgnoreDiscoveredServers(),
	}
	for name, values := range u.Query() {
		switch name {
		case "ca":
			options = append(options, nats.RootCAs(values[0]))
		case "credentials":
			options = append(options, nats.UserCredentials(values[0]))
		default:
			return nil, fmt.Errorf("nats: %q is not a setting; ca and credentials are", name)
		}
	}
	u.Path, u.RawQuery = "", ""
	server := u.String()
	s.link.Make = func() (*link, error) { return s.connect(server, options) }
	return s, nil
}

func (s *Store) connect(server string, options []nats.Option) (*link, error) {
	conn, err := nats.Connect(server, options...)
	if err != nil {
		return nil, explain(err)
	}
	js, err := jetstream.New(conn)
	if err == nil {
		l := &link{conn: conn, js: js}
		if err = s.makeBucket(l); err == nil {
			return l, nil
		}
	}
	conn.Close()
	return nil, explain(err)
}

// makeBucket finds the bucket, or makes it.
func (s *Store) makeBucket(l *link) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	kv, err := l.js.KeyValue(ctx, s.bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = s.create(ctx, l.js)
		if errors.Is(err, jetstream.ErrBucketExists) { // another member was faster
			kv, err = l.js.KeyValue(ctx, s.bucket)
		}
	}
	if err != nil {
		return err
	}
	status, err := kv.Status(ctx)
	if err != nil {
		return err
	}
	l.brief.Store(status.LimitMarkerTTL() > 0)
	if l.kv == nil {
		l.kv = kv // one that was made again goes by the same name
	}
	return nil
}

// create makes the bucket, with a time for markers if the server knows of such.
func (s *Store) create(ctx context.Context, js jetstream.JetStream) (jetstream.KeyValue, error) {
	config := jetstream.KeyValueConfig{
		Bucket: s.bucket, Description: "TLS sessions", TTL: keep, Storage: jetstream.MemoryStorage,
		MaxValueSize: guard.MaxBlob + headerSize, LimitMarkerTTL: markerTime,
	}
	kv, err := js.CreateKeyValue(ctx, config)
	if errors.Is(err, jetstream.ErrLimitMarkerTTLNotSupported) {
		config.LimitMarkerTTL = 0
		kv, err = js.CreateKeyValue(ctx, config)
	}
	return kv, err
}

// purge leaves nothing of a key but a marker.
func (l *link) purge(ctx context.Context, key string, options ...jetstream.KVDeleteOpt) error {
	if !l.brief.Load() {
		return l.kv.Purge(ctx, nameOf(key), options...)
	}
	err := l.kv.Purge(ctx, nameOf(key), append(options, jetstream.PurgeTTL(markerTime))...)
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == errCodeNoTTL { // somebody has made the bucket again
		l.brief.Store(false)
		return l.kv.Purge(ctx, nameOf(key), options...)
	}
	return err
}

// errCodeNoTTL is the server's JSMessageTTLDisabledErr.
const errCodeNoTTL = 10166

// dialer puts the guard in. From where TLS begins, it is TLS that decides what is to be believed.
type dialer struct{}

func (dialer) Dial(network, address string) (net.Conn, error) {
	conn, err := net.DialTimeout(network, address, patience)
	if err != nil {
		return nil, err
	}
	return &guard.Conn{Conn: conn, In: &guard.Scanner{Line: line}}, nil
}

// line looks at a line of the server. The last field of MSG and HMSG is how many bytes follow.
func line(text []byte) (skip int, err error) {
	fields := bytes.Fields(text)
	if len(fields) == 0 {
		return 0, guard.ErrNonsense
	}
	switch strings.ToUpper(string(fields[0])) {
	case "INFO":
		if bytes.Contains(text, []byte(`"tls_required":true`)) {
			return math.MaxInt, nil
		}
		return 0, nil
	case "MSG", "HMSG":
		n, err := guard.Number(fields[len(fields)-1], maxMessage)
		return n + 2, err
	case "PING", "PONG", "+OK", "-ERR":
		return 0, nil
	}
	return 0, guard.ErrNonsense
}

func nameOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (s *Store) open(ctx context.Context) (*link, error) { return s.link.Get(ctx) }

// failed explains an error. If it may be that the bucket is gone, it is made again.
func (s *Store) failed(l *link, err error) error {
	gone := errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrNoStreamResponse) ||
		errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrBucketNotFound)
	if gone && s.mending.CompareAndSwap(false, true) {
		select {
		case s.finished <- struct{}{}:
			go func() {
				if err := s.makeBucket(l); err != nil {
					timer := time.NewTimer(100 * time.Millisecond) // the next failure tries again
					<-timer.C
				}
				s.mending.Store(false)
				<-s.finished
			}()
		default:
		}
	}
	return explain(err)
}

func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrKeyNotFound), errors.Is(err, jetstream.ErrKeyDeleted):
		return session.ErrNotFound
	case strings.HasPrefix(err.Error(), "nats: "):
		return err
	}
	return fmt.Errorf("nats: %w", err)
}

func check(blob []byte) error {
	if len(blob) > guard.MaxBlob {
		return fmt.Errorf("nats: a session of %d bytes, at most %d are stored", len(blob), guard.MaxBlob)
	}
	return nil
}

func valueOf(blob []byte, expiry time.Time) []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, headerSize+len(blob)), uint64(expiry.UnixMilli())), blob...)
}

// Put implements [session.Store]. A blob of more than 512 KiB is refused.
func (s *Store) Put(ctx context.Context, key string, blob []byte, expiry time.Time) error {
	if err := check(blob); err != nil {
		return err
	}
	l, err := s.open(ctx)
	if err != nil {
		return err
	}
	if _, err = l.kv.Put(ctx, nameOf(key), valueOf(blob, expiry)); err != nil {
		return s.failed(l, err)
	}
	return nil
}

// Get implements [session.Store].
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	l, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	blob, _, err := s.read(ctx, l, key)
	return blob, err
}

// read returns a live blob, and the revision of the value, if there is one, live or not.
func (s *Store) read(ctx context.Context, l *link, key string) (blob []byte, revision uint64, err error) {
	e, err := l.kv.Get(ctx, nameOf(key))
	if err != nil {
		return nil, 0, s.failed(l, err)
	}
	v := e.Value()
	if len(v) < headerSize || int64(binary.BigEndian.Uint64(v)) <= time.Now().UnixMilli() {
		return nil, e.Revision(), session.ErrNotFound
	}
	return v[headerSize:], e.Revision(), nil
}

// Take implements [session.Store]; see the package.
func (s *Store) Take(ctx context.Context, key string) ([]byte, error) {
	l, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	blob, revision, err := s.read(ctx, l, key)
	if err != nil {
		return nil, err
	}
	if err := l.purge(ctx, key, jetstream.LastRevision(revision)); err != nil {
		if changed(err) {
			return nil, session.ErrNotFound
		}
		return nil, s.failed(l, err)
	}
	return blob, nil
}

// changed reports that another revision is the last one.
func changed(err error) bool {
	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return true
	}
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}

// Delete implements [session.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	l, err := s.open(ctx)
	if err != nil {
		return err
	}
	if err = l.purge(ctx, key); err != nil {
		return s.failed(l, err)
	}
	return nil
}

// CompareAndSet implements [session.Swapper], by revisions.
func (s *Store) CompareAndSet(ctx context.Context, key string, old, blob []byte, expiry time.Time) (bool, error) {
	if err := check(blob); err != nil {
		return false, err
	}
	l, err := s.open(ctx)
	if err != nil {
		return false, err
	}
	there, revision, err := s.read(ctx, l, key)
	missing := errors.Is(err, session.ErrNotFound)
	if err != nil && !missing {
		return false, err
	}
	if missing != (old == nil) || !missing && !bytes.Equal(there, old) {
		return false, nil
	}
	if revision == 0 {
		_, err = l.kv.Create(ctx, nameOf(key), valueOf(blob, expiry))
	} else {
		_, err = l.kv.Update(ctx, nameOf(key), valueOf(blob, expiry), revision)
	}
	if err != nil && changed(err) {
		return false, nil
	}
	if err != nil {
		return false, s.failed(l, err)
	}
	return true, nil
}

// Close ends the connection. The store must not be used by then.
func (s *Store) Close() error {
	s.link.Close(func(l *link) { l.conn.Close() })
	s.once.Do(func() { s.finished <- struct{}{} }) // after the bucket that is made, which fails without its connection
	return nil
}
