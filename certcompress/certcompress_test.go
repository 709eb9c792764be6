package certcompress_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	upstream "github.com/andybalholm/brotli"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/certcompress/brotli"
	"github.com/vitrine-tls/vitrine/certcompress/zstd"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

var all = []certcompress.Algorithm{certcompress.Zlib(), brotli.Algorithm(), zstd.Algorithm()}

func TestAlgorithms(t *testing.T) {
	random := make([]byte, 5000)
	rand.Read(random)
	for _, a := range all {
		for _, src := range [][]byte{{1}, random, bytes.Repeat([]byte("certificate "), 1000), make([]byte, 256<<10)} {
			small, err := a.Compress(src)
			if err != nil {
				t.Fatalf("%v: %v", a.ID, err)
			}
			dst := make([]byte, len(src))
			if err := a.Decompress(dst, small); err != nil || !bytes.Equal(dst, src) {
				t.Errorf("%v of %d bytes: %v", a.ID, len(src), err)
			}
			if err := a.Decompress(make([]byte, len(src)+1), small); err == nil {
				t.Errorf("%v of %d bytes inflates to one more", a.ID, len(src))
			}
			if err := a.Decompress(make([]byte, len(src)-1), small); err == nil {
				t.Errorf("%v of %d bytes inflates to one less", a.ID, len(src))
			}
			if err := a.Decompress(dst, append(small, 0)); err == nil {
				t.Errorf("%v of %d bytes: something behind it is taken", a.ID, len(src))
			}
			if err := a.Decompress(dst, small[:len(small)-1]); err == nil {
				t.Errorf("%v of %d bytes: the end is missing", a.ID, len(src))
			}
		}
	}
}

// A bomb stops at the length that was asked for, and holds what a window needs, not more.
func TestBombs(t *testing.T) {
	bomb := make([]byte, 8<<20)
	for _, a := range all {
		small, err := a.Compress(bomb)
		if err != nil {
			t.Fatal(err)
		}
		a.Decompress(make([]byte, 1000), small) // what is made once is made
		dst := make([]byte, 1000)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := a.Decompress(dst, small); err == nil {
			t.Errorf("%v: a bomb was taken", a.ID)
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 2<<20 {
			t.Errorf("%v: %d bytes were allocated for 1000", a.ID, grown)
		}
	}
}

// A stream of brotli that claims the largest window that is taken, and a block that fills it.
func TestWindowOfBrotli(t *testing.T) {
	var out bytes.Buffer
	w := upstream.NewWriterOptions(&out, upstream.WriterOptions{Quality: 9, LGWin: 22})
	w.Write(make([]byte, 4<<20))
	w.Close()
	err := brotli.Algorithm().Decompress(make([]byte, 1000), out.Bytes())
	if !errors.Is(err, certcompress.ErrLong) {
		t.Error(err)
	}
}

func TestFill(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		r    io.Reader
		want error
	}{
		{strings.NewReader("abc"), nil}, {strings.NewReader("ab"), certcompress.ErrShort}, {strings.NewReader("abcd"), certcompress.ErrLong},
		{strings.NewReader(""), certcompress.ErrShort}, {io.MultiReader(strings.NewReader("ab"), failing{broken}), broken},
		{io.MultiReader(strings.NewReader("abc"), failing{broken}), broken},
	} {
		if err := certcompress.Fill(make([]byte, 3), test.r); err != test.want {
			t.Errorf("%v, want %v", err, test.want)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func FuzzDecompress(f *testing.F) {
	for i, a := range all {
		small, _ := a.Compress([]byte("a certificate, or what is called one"))
		f.Add(uint8(i), uint16(36), small)
	}
	f.Fuzz(func(t *testing.T, which uint8, size uint16, src []byte) {
		a := all[int(which)%len(all)]
		dst := make([]byte, size)
		if err := a.Decompress(dst, src); err != nil {
			return
		}
		small, err := a.Compress(dst)
		if err != nil {
			t.Fatal(err)
		}
		again := make([]byte, size)
		if err := a.Decompress(again, small); err != nil || !bytes.Equal(again, dst) {
			t.Errorf("%v: %v", a.ID, err)
		}
	})
}
