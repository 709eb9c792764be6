package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/session/internal/storetest"
)

func TestMain(m *testing.M) { leak.Main(m) }

func open(t *testing.T, folder string, o Options) *Store {
	t.Helper()
	s, err := Open(folder, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// either is one of two stores in the same folder, as two processes have them.
type either struct {
	session.Swapper
	other session.Swapper
}

func (e either) Take(ctx context.Context, key string) ([]byte, error) {
	if time.Now().UnixNano()&1 == 0 {
		return e.other.Take(ctx, key)
	}
	return e.Swapper.Take(ctx, key)
}

func (e either) CompareAndSet(ctx context.Context, key string, old, blob []byte, expiry time.Time) (bool, error) {
	if time.Now().UnixNano()&1 == 0 {
		return e.other.CompareAndSet(ctx, key, old, blob, expiry)
	}
	return e.Swapper.CompareAndSet(ctx, key, old, blob, expiry)
}

func TestStore(t *testing.T) {
	folder := t.TempDir()
	storetest.Run(t, either{open(t, folder, Options{}), open(t, folder, Options{Sync: true})}, 256<<10)
}

func TestBudget(t *testing.T) {
	s, ctx := open(t, t.TempDir(), Options{Budget: 1 << 20}), t.Context()
	for i := range 64 {
		if err := s.Put(ctx, fmt.Sprint(i), make([]byte, 64<<10), time.Now().Add(time.Hour+time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	var size int64
	filepath.Walk(s.folder, func(_ string, info os.FileInfo, _ error) error {
		if info.Mode().IsRegular() {
			size += info.Size()
		}
		return nil
	})
	if size > 1<<20 {
		t.Errorf("%d bytes are kept", size)
	}
	if _, err := s.Get(ctx, "63"); err != nil {
		t.Errorf("the last one: %v", err)
	}
	if _, err := s.Get(ctx, "0"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("the one that expires first: %v", err)
	}
}

// Expired files and leftovers go; a file that was cut short is not there.
func TestSweep(t *testing.T) {
	s, ctx := open(t, t.TempDir(), Options{}), t.Context()
	for _, key := range []string{"damaged", "expired"} {
		if err := s.Put(ctx, key, []byte("blob"), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	path := s.place("damaged").path
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, data[:10], append(data[:len(data)-1:len(data)-1], 'x')} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(ctx, "damaged"); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("%q, %v", got, err)
		}
	}
	left := filepath.Join(filepath.Dir(path), newPrefix+"1000-x")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.sweep(time.Now().Add(2 * time.Hour))
	for _, p := range []string{left, s.place("expired").path} {
		if _, err := os.Stat(p); err == nil {
			t.Errorf("%s is left", p)
		}
	}
}

// A lock that another process holds costs no more than the context allows.
func TestLocked(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	f, err := os.Create(filepath.Join(filepath.Dir(s.place("key").path), lockName))
	if err == nil {
		err = tryLock(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Put(ctx, "key", nil, time.Now().Add(time.Hour)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("under a lock: %v", err)
	}
}
