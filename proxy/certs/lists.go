package certs

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
)

// How CRL files are read.
const (
	maxCRL    = 64 << 20
	lookAtCRL = 5 * time.Second
)

// Lists are the revocation lists of files. They are read again when they change, by one of
// the handshakes that need them. A list that cannot be read again stays until its own end,
// after which it says nothing.
type Lists struct {
	files   []string
	report  func(file string, err error)
	current atomic.Pointer[[]*revocation.List]
	mutex   sync.Mutex // of what follows
	looked  time.Time
	seen    []stamp
	now     func() time.Time
}

type stamp struct {
	at   time.Time
	size int64
}

// OpenLists reads the files, in PEM or DER, which must all be good. report is told of each
// that was read again, or could not be; nil tells nobody.
func OpenLists(files []string, report func(file string, err error)) (*Lists, error) {
	l := &Lists{files: files, report: report, now: time.Now, seen: make([]stamp, len(files))}
	lists := make([]*revocation.List, len(files))
	for i, file := range files {
		var err error
		if lists[i], l.seen[i], err = readList(file); err != nil {
			return nil, err
		}
	}
	l.current.Store(&lists)
	l.looked = l.now()
	return l, nil
}

// Now returns the lists as they are. It is for revocation.Checker.ListsNow.
func (l *Lists) Now() []*revocation.List {
	if l.mutex.TryLock() { // another handshake is at it: what is there does
		if now := l.now(); now.Sub(l.looked) >= lookAtCRL || now.Before(l.looked) {
			l.looked = now
			l.look()
		}
		l.mutex.Unlock()
	}
	return *l.current.Load()
}

// look reads files that have changed.
func (l *Lists) look() {
	lists := append([]*revocation.List(nil), *l.current.Load()...)
	changed := false
	for i, file := range l.files {
		info, err := os.Stat(file)
		if err == nil && (stamp{info.ModTime(), info.Size()}) == l.seen[i] {
			continue
		}
		list, seen, err := readList(file)
		if err == nil {
			lists[i], changed = list, true
		} else if info != nil {
			seen = stamp{info.ModTime(), info.Size()}
		}
		if seen == l.seen[i] {
			continue // gone, and told already
		}
		l.seen[i] = seen
		if l.report != nil {
			l.report(file, err)
		}
	}
	if changed {
		l.current.Store(&lists)
	}
}

func readList(file string) (*revocation.List, stamp, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, stamp{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, stamp{}, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxCRL+1))
	switch {
	case err != nil:
		return nil, stamp{}, err
	case len(text) > maxCRL:
		return nil, stamp{}, fmt.Errorf("%s is larger than %d MiB", file, maxCRL>>20)
	}
	list, err := revocation.ParseCRL(text)
	if err != nil {
		return nil, stamp{}, fmt.Errorf("%s is not a certificate revocation list in PEM or DER: %w", file, err)
	}
	return list, stamp{info.ModTime(), info.Size()}, nil
}
