package brotli

import (
	"bytes"
	"errors"
	"testing"

	"github.com/andybalholm/brotli"
)

// What a stream says of its window is read as encoders write it, and more than 4 MiB is refused
// before anything is allocated.
func TestWindows(t *testing.T) {
	plain := bytes.Repeat([]byte("certificate "), 100)
	for window := 10; window <= 24; window++ {
		var out bytes.Buffer
		w := brotli.NewWriterOptions(&out, brotli.WriterOptions{Quality: 5, LGWin: window})
		if _, err := w.Write(plain); err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		if got := windowOf(out.Bytes()); got != window {
			t.Errorf("a window of %d reads as %d", window, got)
		}
		dst := make([]byte, len(plain))
		err := decompress(dst, out.Bytes())
		if refused := window > maxWindow; refused != errors.Is(err, errWindow) || !refused && !bytes.Equal(dst, plain) {
			t.Errorf("window %d: %v", window, err)
		}
	}
	if windowOf([]byte{0x11}) != 30 || windowOf(nil) > maxWindow {
		t.Error("a large window, or nothing at all")
	}
}
