// Package files is a [session.Store] in a folder, for the processes of one machine.
//
// Each key is a file whose name is the SHA-256 of the key, in one of 256 folders. A file is written
// beside its place and renamed, so that nobody reads half of one; a digest finds what a crash of
// the machine has left. What changes a key holds the lock of its folder (flock, LockFileEx), so
// that [Store.Take] and [Store.CompareAndSet] are atomic between processes too.
//
// The time of a file is when it expires. Expired ones are removed once a minute, and when the
// budget is used up; then those that expire first go as well. Processes count what they write
// themselves and look at the folder once a minute: two of them may exceed the budget for so long.
//
// Files are not synced to the disk unless you say so: a crash of the machine costs some full
// handshakes. What is stored are secrets: see package session/fleet, which seals them. The folder must be on
// a local file system.
package files

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/session/internal/guard"
)

// Options of a store.
type Options struct {
	// Budget is how many bytes the files may take; 256 MiB by default, at least 1 MiB.
	Budget int64
	// Sync has each file on the disk before Put returns.
	Sync bool
}

// Store is a [session.Swapper] in a folder.
type Store struct {
	folder  string
	options Options
	used    atomic.Int64 // bytes, as far as known
	turns   [256]chan struct{}
	sweeps  sync.Mutex
	stop    context.CancelFunc
	ended   chan struct{}
}

var _ session.Swapper = (*Store)(nil)

const (
	lockName   = ".lock"
	newPrefix  = ".new-"
	magic      = "vts1"
	headerSize = len(magic) + 8 + 8
	maxFile    = guard.MaxBlob + int64(headerSize)
	// overhead is what a file takes beside its bytes.
	overhead = 256
)

// Open returns the store in folder, which it makes if it is missing, for this user alone.
func Open(folder string, options Options) (*Store, error) {
	if options.Budget == 0 {
		options.Budget = 256 << 20
	}
	if options.Budget < 1<<20 {
		return nil, fmt.Errorf("files: a budget of %d bytes; 1 MiB is the least", options.Budget)
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	for i := range 256 {
		if err := makeShard(folder, fmt.Sprintf("%02x", i)); err != nil {
			return nil, fmt.Errorf("files: %w", err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Store{folder: folder, options: options, stop: stop, ended: make(chan struct{})}
	for i := range s.turns {
		s.turns[i] = make(chan struct{}, 1)
	}
	go s.sweepOften(ctx)
	return s, nil
}

// Close ends the sweeping. The store must not be used by then.
func (s *Store) Close() error {
	s.stop()
	<-s.ended
	return nil
}

// A place is where a key's file is.
type place struct {
	shard int
	path  string
}

func (s *Store) place(key string) place {
	sum := sha256.Sum256([]byte(key))
	name := hex.EncodeToString(sum[:])
	return place{int(sum[0]), filepath.Join(s.folder, name[:2], name)}
}

// lock keeps others from changing the keys of a shard. The lock of the process comes first: the
// file's is asked for again and again.
func (s *Store) lock(ctx context.Context, shard int) (unlock func(), err error) {
	select {
	case s.turns[shard] <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f, err := openLock(filepath.Join(s.folder, fmt.Sprintf("%02x", shard), lockName))
	if err == nil {
		if err = lockFile(ctx, f); err != nil {
			f.Close()
		}
	}
	if err != nil {
		<-s.turns[shard]
		return nil, fmt.Errorf("files: the lock of the folder: %w", err)
	}
	return func() {
		f.Close() // and so gives the lock back
		<-s.turns[shard]
	}, nil
}

func lockFile(ctx context.Context, f *os.File) error {
	for {
		if err := tryLock(f); err == nil || !errors.Is(err, errLocked) {
			return err
		}
		timer := time.NewTimer(time.Millisecond)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

var errLocked = errors.New("another process has it")

// Put implements [session.Store]. A blob of more than 512 KiB is refused.
func (s *Store) Put(ctx context.Context, key string, blob []byte, expiry time.Time) error {
	p := s.place(key)
	if err := s.room(blob); err != nil {
		return err
	}
	unlock, err := s.lock(ctx, p.shard)
	if err != nil {
		return err
	}
	defer unlock()
	return s.write(p, blob, expiry)
}

// room makes room for a blob.
func (s *Store) room(blob []byte) error {
	if len(blob) > guard.MaxBlob {
		return fmt.Errorf("files: a session of %d bytes, at most %d are stored", len(blob), guard.MaxBlob)
	}
	size := int64(len(blob)+headerSize) + overhead
	if s.used.Load()+size <= s.options.Budget {
		return nil
	}
	if !s.sweeps.TryLock() { // one sweep at a time: the others must not queue behind it
		return errors.New("files: room is being made")
	}
	s.sweepHeld(time.Now())
	s.sweeps.Unlock()
	if s.used.Load()+size > s.options.Budget {
		return errors.New("files: the budget is used up")
	}
	return nil
}

// write puts a file in its place. The shard is locked.
func (s *Store) write(p place, blob []byte, expiry time.Time) error {
	now := time.Now()
	if !expiry.After(now) {
		return s.remove(p)
	}
	beside := filepath.Join(filepath.Dir(p.path), newPrefix+strconv.FormatInt(now.Unix(), 10)+"-"+rand.Text())
	if err := s.create(beside, encode(blob, expiry), expiry); err != nil {
		os.Remove(beside)
		return fmt.Errorf("files: %w", err)
	}
	was := sizeOf(p.path)
	if err := os.Rename(beside, p.path); err != nil {
		os.Remove(beside)
		return fmt.Errorf("files: %w", err)
	}
	s.used.Add(int64(len(blob)+headerSize) + overhead - was)
	if s.options.Sync {
		return syncFolder(filepath.Dir(p.path))
	}
	return nil
}

func (s *Store) create(path string, data []byte, expiry time.Time) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = giveToOwner(f, filepath.Dir(path))
	}
	if err == nil && s.options.Sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Chtimes(path, expiry, expiry)
}

// encode writes what a file has: a mark, the expiry in Unix milliseconds, 8 bytes of a SHA-256
// over that and the blob, the blob.
func encode(blob []byte, expiry time.Time) []byte {
	at := binary.BigEndian.AppendUint64(nil, uint64(expiry.UnixMilli()))
	sum := sha256.Sum256(append(at, blob...))
	out := append(make([]byte, 0, headerSize+len(blob)), magic...)
	return append(append(append(out, at...), sum[:8]...), blob...)
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size() + overhead
}

// Get implements [session.Store].
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return read(s.place(key).path)
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, session.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	if len(data) < headerSize || int64(len(data)) > maxFile || string(data[:len(magic)]) != magic {
		return nil, errDamaged
	}
	at, sum, blob := data[len(magic):len(magic)+8], data[len(magic)+8:headerSize], data[headerSize:]
	digest := sha256.New()
	digest.Write(at)
	digest.Write(blob)
	if !bytes.Equal(digest.Sum(nil)[:8], sum) {
		return nil, errDamaged
	}
	if int64(binary.BigEndian.Uint64(at)) <= time.Now().UnixMilli() {
		return nil, session.ErrNotFound
	}
	return blob, nil
}

var errDamaged = fmt.Errorf("%w: the file is damaged", session.ErrNotFound)

// Take implements [session.Store].
func (s *Store) Take(ctx context.Context, key string) ([]byte, error) {
	p := s.place(key)
	unlock, err := s.lock(ctx, p.shard)
	if err != nil {
		return nil, err
	}
	defer unlock()
	blob, err := read(p.path)
	if err != nil {
		return nil, err
	}
	if err := s.remove(p); err != nil {
		return nil, err
	}
	if s.options.Sync { // a crash must not bring back what was taken
		if err := syncFolder(filepath.Dir(p.path)); err != nil {
			return nil, fmt.Errorf("files: %w", err)
		}
	}
	return blob, nil
}

// Delete implements [session.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	p := s.place(key)
	unlock, err := s.lock(ctx, p.shard)
	if err != nil {
		return err
	}
	defer unlock()
	return s.remove(p)
}

// remove removes a file, if there is one. The shard is locked.
func (s *Store) remove(p place) error {
	size := sizeOf(p.path)
	if err := os.Remove(p.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("files: %w", err)
	}
	s.used.Add(-size)
	return nil
}

// CompareAndSet implements [session.Swapper].
func (s *Store) CompareAndSet(ctx context.Context, key string, old, blob []byte, expiry time.Time) (bool, error) {
	p := s.place(key)
	if err := s.room(blob); err != nil {
		return false, err
	}
	unlock, err := s.lock(ctx, p.shard)
	if err != nil {
		return false, err
	}
	defer unlock()
	there, err := read(p.path)
	missing := errors.Is(err, session.ErrNotFound)
	if err != nil && !missing {
		return false, err
	}
	if missing != (old == nil) || !missing && !bytes.Equal(there, old) {
		return false, nil
	}
	if err := s.write(p, blob, expiry); err != nil {
		return false, err
	}
	return true, nil
}
