//go:build linux && !386 && !s390x && !race

package tls

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"syscall"
	"testing"
)

// The scheduler is told of every 64th of many short calls, or a goroutine that never waits
// could not be interrupted; and of each long one.
func TestTheSchedulerIsToldOfSomeTransfers(t *testing.T) {
	var calls transfers
	told, inARow := 0, 0
	for range 6400 {
		if inARow++; !calls.quiet(brief) {
			told, inARow = told+1, 0
		}
		if inARow > silent {
			t.Fatalf("%d calls in a row were silent", inARow)
		}
	}
	if told != 100 {
		t.Errorf("the scheduler was told of %d of 6,400 short calls, wanted 100", told)
	}
	if calls.quiet(brief + 1) {
		t.Error("the scheduler was not told of a long call")
	}
}

// A connection whose reader waits again and again, as in a dialogue, gives the scheduler its
// turns. So it is not told of what is sent.
func TestADialogueIsSilent(t *testing.T) {
	c, s, clientErr, serverErr := connect(t, testPKI().client(), testPKI().server("ecdsa-p256"))
	if clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	defer c.Close()
	defer s.Close()
	message := make([]byte, 10)
	for range 3 * silent {
		read := make(chan error, 1)
		go func() {
			_, err := io.ReadFull(c, make([]byte, len(message)))
			read <- err
		}()
		for !c.flags.has(waited) {
			runtime.Gosched()
		}
		if _, err := s.Write(message); err != nil {
			t.Fatal(err)
		}
		if err := <-read; err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := c.Write(message); err != nil {
				t.Fatal(err)
			}
		}
		if c.sender.calls.count != 2 || c.reader.calls.count > 1 {
			t.Fatalf("since the reader has waited there were %d sends, of two; and %d receipts", c.sender.calls.count, c.reader.calls.count)
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
		var calls transfers
		room := make([]byte, size)
		if n, err := calls.read(a, room); n != 0 || err != syscall.EAGAIN {
			t.Errorf("a read of nothing returned %d, %v", n, err)
		}
		sent, received := []byte(nil), []byte(nil)
		message := make([]byte, size)
		for i := byte(0); ; i++ {
			message[0], message[size-1] = i, i
			n, err := calls.write(b, message)
			if sent = append(sent, message[:n]...); err != nil {
				if n != 0 || err != syscall.EAGAIN {
					t.Errorf("a write to a full socket returned %d, %v", n, err)
				}
				break
			}
		}
		for len(received) < len(sent) {
			n, err := calls.read(a, room)
			if err != nil {
				t.Fatal(err)
			}
			received = append(received, room[:n]...)
		}
		if !bytes.Equal(received, sent) {
			t.Error("what was received is not what was sent")
		}
		syscall.Close(pair[0])
		if n, err := calls.write(b, message); n != 0 || !errors.Is(err, syscall.EPIPE) {
			t.Errorf("a write to a closed socket returned %d, %v", n, err)
		}
		if n, err := calls.read(b, room); n != 0 || err != nil {
			t.Errorf("the end of the stream gives %d, %v", n, err)
		}
		syscall.Close(pair[1])
	}
}
