package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// check fails where a shard contradicts itself: each cell must be free or of one
// record, each record in its bucket, each entry in the list, and each terms
// counted as often as entries have them.
func check(t testing.TB, m *Memory) {
	t.Helper()
	for _, s := range m.shards {
		refs, entries, used := map[uint32]uint32{}, 0, 0
		var before uint32
		for i := s.newest; i != 0; before, i = i, s.at(i).get(offOlder) {
			if s.at(i).get(offNewer) != before {
				t.Fatalf("entry %d does not know the one before it", i)
			}
			if terms := s.at(i).get(offTerms); terms != 0 {
				refs[terms]++
			}
			entries++
		}
		if s.oldest != before || entries != s.count.Entries {
			t.Fatalf("%d entries in the list, %d counted", entries, s.count.Entries)
		}
		for b := range s.index {
			for i := s.index[b]; i != 0; i = s.at(i).get(offChain) {
				if s.bucket(s.at(i).get(offHash)) != &s.index[b] {
					t.Fatalf("record %d is in the wrong bucket", i)
				}
				if s.at(i).get(offSize)&isTerms == 0 {
					entries--
				} else if n := s.at(i).get(offRefs); n == 0 || n != refs[i] {
					t.Fatalf("terms %d count %d entries, %d have them", i, n, refs[i])
				} else {
					delete(refs, i)
				}
				for c := i; c != 0; c = s.at(c).get(offMore) {
					used++
				}
			}
		}
		for i := s.free; i != 0; i = s.at(i).get(offMore) {
			used++
			if !bytes.Equal(s.at(i)[offRest:], make([]byte, cellSize-offRest)) {
				t.Fatalf("free cell %d is not wiped", i)
			}
		}
		free := s.made - s.used
		if entries != 0 || len(refs) != 0 || used != s.made || free < 0 || s.used > s.most {
			t.Fatalf("%d entries too many in the list, %d terms in no bucket; of %d cells, at most %d, %d are used and %d found",
				entries, len(refs), s.made, s.most, s.used, used)
		}
		if n := s.stats(); n.Used > n.Held {
			t.Fatalf("%+v", n)
		}
	}
}

// blobs are what the laws put: sessions of few hosts, sessions with chains, and
// bytes that are no session at all. No two are equal.
func lawBlob(r *rand.Rand, serial int) []byte {
	var s Session
	switch r.IntN(4) {
	case 0:
		b := fmt.Appendf(nil, "%d:", serial)
		return append(b, make([]byte, r.IntN(700))...)
	case 1:
		s.PeerChain = [][]byte{make([]byte, 1+r.IntN(900))}
	}
	s.Secret = fmt.Appendf(nil, "%048d", serial)
	s.ServerName = "host" + string(make([]byte, r.IntN(120)/40*40))
	b, err := s.Append(nil)
	if err != nil {
		panic(err)
	}
	if r.IntN(8) == 0 {
		b = b[:blobHead+r.IntN(len(b)-blobHead)] // a blob cut anywhere is some bytes
		b = fmt.Appendf(b, ":%d", serial)
	}
	return b
}

// TestMemoryLaws does random things to a store and to a map. What the store
// returns is what the map has; it may have lost it, but not when nothing was
// evicted; and each shard stays whole and within its budget.
func TestMemoryLaws(t *testing.T) {
	for _, test := range []struct{ budget, steps int }{
		{1 << 20, 4000}, {8 << 20, 4000}, {1500, 4000}, {4 << 10, 8000}, {40 << 10, 8000},
	} {
		t.Run(fmt.Sprint(test.budget), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { law(t, NewMemory(test.budget), test.steps) })
		})
	}
}

type modelEntry struct {
	blob   []byte
	expiry time.Time
}

func law(t *testing.T, m *Memory, steps int) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(1, uint64(m.budget)))
	model := map[string]modelEntry{}
	refused := 0
	for step := range steps {
		key := fmt.Sprint(r.IntN(500))
		want, known := model[key]
		known = known && time.Now().Before(want.expiry)
		read := m.Get
		switch r.IntN(10) {
		case 0:
			time.Sleep(time.Duration(r.IntN(10)) * tick)
			continue
		case 1:
			m.Delete(ctx, key)
			delete(model, key)
			continue
		case 2, 3, 4, 5:
			e := modelEntry{lawBlob(r, step), time.Now().Add(time.Duration(r.IntN(1000)) * tick)}
			delete(model, key)
			if m.Put(ctx, key, e.blob, e.expiry) == nil {
				model[key] = e
			} else {
				refused++
			}
			continue
		case 6, 7:
			read = m.Take
			delete(model, key)
		}
		evictions := m.Stats().Evictions
		switch got, err := read(ctx, key); {
		case err == nil && (!known || !bytes.Equal(got, want.blob)):
			t.Fatalf("step %d: %q returned %x, want %x (known: %v)", step, key, got, want.blob, known)
		case err != nil && (!errors.Is(err, ErrNotFound) || known && evictions == 0):
			t.Fatalf("step %d: %q is lost: %v", step, key, err)
		}
		if step%50 == 0 {
			check(t, m)
		}
	}
	check(t, m)
	n := m.Stats()
	if n.Held > max(n.Budget, 0) {
		t.Errorf("%d bytes held of %d", n.Held, n.Budget)
	}
	small := m.budget < leastShard
	if small != (n.Evictions > 0) || n.Expired == 0 || n.Hits == 0 || n.Misses == 0 {
		t.Errorf("the test proves little: %+v, %d refused", n, refused)
	}
}

// FuzzMemory reads a program of operations from its input.
func FuzzMemory(f *testing.F) {
	f.Add([]byte("\x00a\x10\x01a\x00\x02a\x00\x00b\xff\x03b\x00"))
	f.Add(bytes.Repeat([]byte("\x00a\x80\x00b\xff\x00c\x01\x01a\x00"), 20))
	f.Fuzz(func(t *testing.T, program []byte) {
		ctx := context.Background()
		m := NewMemory(3000)
		model := map[string][]byte{}
		for serial := 0; len(program) >= 3; serial++ {
			op, key, size := program[0], string(program[1:2]), int(program[2])
			program = program[3:]
			switch op % 4 {
			case 0:
				blob := bytes.Repeat([]byte{byte(serial)}, 5*size)
				if op&4 != 0 { // with terms in front
					blob = append([]byte{blobFormat, 0, byte(size), 15: 0}, blob...)
				}
				if m.Put(ctx, key, blob, time.Now().Add(time.Hour)) == nil {
					model[key] = blob
				} else {
					delete(model, key)
				}
			case 1, 2:
				read := m.Get
				if op%4 == 2 {
					read = m.Take
				}
				if got, err := read(ctx, key); err == nil && !bytes.Equal(got, model[key]) {
					t.Fatalf("%q returned %x, want %x", key, got, model[key])
				} else if _, known := model[key]; err == nil && !known {
					t.Fatalf("%q was returned, and is not there", key)
				}
				if op%4 == 2 {
					delete(model, key)
				}
			case 3:
				m.Delete(ctx, key)
				delete(model, key)
			}
			check(t, m)
		}
	})
}
