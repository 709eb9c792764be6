package rsa

import (
	"crypto"
	"crypto/rand"
	std "crypto/rsa"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/primitive/modexp"
)

// newJob is a job of a key of 2048 bits.
func newJob(t testing.TB, made *key) *job {
	digest := make([]byte, 32)
	rand.Read(digest)
	x := modexp.FromBytes(padPKCS1(256, prefixes[crypto.SHA256], digest), 32)
	return made.job(x)
}

func (j *job) check(t *testing.T, made *key) {
	t.Helper()
	if !made.fits(made.joined(j.XP, j.XQ), j.X) {
		t.Error("a wrong power")
	}
}

// A caller that leads takes those that wait, four at most, and they find their results.
func TestLeaderTakesThoseThatWait(t *testing.T) {
	needBatches(t)
	made := newKey(keyOf(t, 2048))
	for n := 1; n <= 6; n++ {
		var b batcher
		var all []*job
		for range n {
			all = append(all, newJob(t, made))
			b.join(all[len(all)-1])
		}
		own := all[n-1]
		if !b.lead(own) {
			t.Fatal("nobody leads")
		}
		count := 0
		for _, j := range all {
			select {
			case <-j.done:
				count++
				if !j.taken || !j.computed {
					t.Error("done, and not computed")
				}
				j.check(t, made)
				if b.lead(j) {
					t.Error("a job that is done is taken again")
				}
			default:
				if j.computed {
					t.Error("computed, and not done")
				}
			}
		}
		want := min(n, modexp.MaxTogether)
		if n < worthwhile {
			want = 0
		}
		if left := max(n-max(want, 1), 0); count != want || len(b.waiting) != left {
			t.Errorf("of %d: %d are done, %d wait; want %d and %d", n, count, len(b.waiting), want, left)
		}
	}
}

// A leader that fails leaves nobody waiting: they compute for themselves.
func TestLeaderThatFails(t *testing.T) {
	needBatches(t)
	made := newKey(keyOf(t, 2048))
	var b batcher
	waiting := []*job{newJob(t, made), newJob(t, made)}
	for _, j := range waiting {
		b.join(j)
	}
	bad := newJob(t, made)
	bad.Pair = nil
	b.join(bad)
	var group sync.WaitGroup
	for _, j := range waiting {
		group.Go(func() {
			<-j.done
			if j.computed {
				t.Error("computed by a leader that failed")
			}
		})
	}
	failed := func() (v any) {
		defer func() { v = recover() }()
		b.lead(bad)
		return nil
	}()
	if failed == nil {
		t.Fatal("the leader did not fail")
	}
	group.Wait()
	b.atWork.Add(1)
	j := newJob(t, made)
	b.do(j)
	j.check(t, made)
}

// Many callers at once get signatures that verify, each its own, and nothing is left.
func TestManyCallersAtOnce(t *testing.T) {
	needBatches(t)
	keysOfTwo := []*std.PrivateKey{keyOf(t, 2048), nil, keyOf(t, 3072)}
	other, err := std.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keysOfTwo[1] = other
	var group sync.WaitGroup
	for i := range 24 {
		group.Go(func() {
			k := keysOfTwo[i%len(keysOfTwo)]
			for range 6 {
				digest := make([]byte, 32)
				rand.Read(digest)
				signature := sign(k, rand.Reader, digest, crypto.SHA256)
				if err := std.VerifyPKCS1v15(&k.PublicKey, crypto.SHA256, digest, signature); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if n := together.atWork.Load(); n != 0 || len(together.waiting) != 0 {
		t.Errorf("%d at work and %d waiting", n, len(together.waiting))
	}
}

// A caller that finds somebody at work computes alone if nobody comes.
func TestNobodyWaitsForCompany(t *testing.T) {
	needBatches(t)
	made := newKey(keyOf(t, 2048))
	var b batcher
	b.atWork.Add(1) // somebody, who does not finish before this test
	j := newJob(t, made)
	b.do(j)
	if j.check(t, made); j.computed || len(b.waiting) != 0 {
		t.Errorf("computed by another: %v; %d wait", j.computed, len(b.waiting))
	}
}

// On one processor, those that come soon after another are computed together.
func TestOneProcessor(t *testing.T) {
	needBatches(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	made := newKey(keyOf(t, 2048))
	var b batcher
	b.last.Store(int64(time.Since(start) + time.Hour)) // just done, however long this test takes
	var all []*job
	var group sync.WaitGroup
	for range 8 {
		j := newJob(t, made)
		all = append(all, j)
		group.Go(func() { b.do(j) })
	}
	group.Wait()
	count := 0
	for _, j := range all {
		if j.check(t, made); j.computed {
			count++
		}
	}
	if count < modexp.MaxTogether {
		t.Errorf("%d of 8 were computed together", count)
	}
}

func BenchmarkSignAtOnce(b *testing.B) {
	needBatches(b)
	k, digest := keyOf(b, 2048), make([]byte, 32)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			Sign(k, rand.Reader, digest, crypto.SHA256)
		}
	})
}

// What each of eight signatures costs that are made together, as they come from two
// leaders: powers, both halves joined, and the check.
func BenchmarkEightTogether(b *testing.B) {
	needBatches(b)
	made := newKey(keyOf(b, 2048))
	var all []*job
	for range 8 {
		all = append(all, newJob(b, made))
	}
	for b.Loop() {
		for four := range slices.Chunk(all, modexp.MaxTogether) {
			for _, j := range four {
				j.EP, j.EQ, j.done = made.inP.exponent(), made.inQ.exponent(), make(chan struct{})
			}
			compute(four)
			for _, j := range four {
				if !made.fits(made.joined(j.XP, j.XQ), j.X) {
					b.Fatal("a wrong power")
				}
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/8, "µs/signature")
}
