//go:build linux && !386 && !s390x && !race && !msan && !asan

package tls

import (
	"bytes"
	"errors"
	"syscall"
	"testing"
)

// The scheduler is told of some short calls, or a goroutine that never waits could not be
// interrupted; and of each long one.
func TestTheSchedulerIsToldOfSomeTransfers(t *testing.T) {
	const calls = 1000 * told
	loud := 0
	for range calls {
		if !quiet(brief) {
			loud++
		}
	}
	if loud < 800 || loud > 1200 { // six standard deviations
		t.Errorf("the scheduler was told of %d of %d short calls, wanted 1,000", loud, calls)
	}
	for range 10 * told {
		if quiet(brief + 1) {
			t.Fatal("the scheduler was not told of a long call")
		}
	}
}

// What the scheduler is not told of must not wait, whatever the socket's own mode.
func TestTransfersDoNotWait(t *testing.T) {
	for _, size := range []int{100, brief + 1} {
		pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0) // it waits
		if err != nil {
			t.Fatal(err)
		}
		a, b := uintptr(pair[0]), uintptr(pair[1])
		room := make([]byte, size)
		if n, err := readSocket(a, room); n != 0 || err != syscall.EAGAIN {
			t.Errorf("a read of nothing returned %d, %v", n, err)
		}
		sent, received := []byte(nil), []byte(nil)
		message := make([]byte, size)
		for i := byte(0); ; i++ {
			message[0], message[size-1] = i, i
			n, err := writeSocket(b, message)
			if sent = append(sent, message[:n]...); err != nil {
				if n != 0 || err != syscall.EAGAIN {
					t.Errorf("a write to a full socket returned %d, %v", n, err)
				}
				break
			}
		}
		for len(received) < len(sent) {
			n, err := readSocket(a, room)
			if err != nil {
				t.Fatal(err)
			}
			received = append(received, room[:n]...)
		}
		if !bytes.Equal(received, sent) {
			t.Error("what was received is not what was sent")
		}
		syscall.Close(pair[0])
		if n, err := writeSocket(b, message); n != 0 || !errors.Is(err, syscall.EPIPE) {
			t.Errorf("a write to a closed socket returned %d, %v", n, err)
		}
		if n, err := readSocket(b, room); n != 0 || err != nil {
			t.Errorf("the end of the stream gives %d, %v", n, err)
		}
		syscall.Close(pair[1])
	}
}
