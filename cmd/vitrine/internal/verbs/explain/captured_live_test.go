package explain

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// until tells when something was written that has all of want.
type until struct {
	bytes.Buffer
	want string
	seen chan struct{}
}

func (u *until) Write(b []byte) (int, error) {
	n, err := u.Buffer.Write(b)
	if u.want != "" && strings.Contains(u.String(), u.want) {
		u.want = ""
		close(u.seen)
	}
	return n, err
}

// secondConnection is where the packets of the second connection begin in a capture of pcapng.
func secondConnection(t *testing.T, file []byte) int {
	t.Helper()
	for at := 0; at+8 <= len(file); at += int(binary.LittleEndian.Uint32(file[at+4:])) {
		const ports = 28 + 14 + 20 // behind the headers of the block, of Ethernet and of IPv4
		if b := file[at:]; binary.LittleEndian.Uint32(b) == 6 && binary.BigEndian.Uint16(b[ports:]) == 49153 {
			return at
		}
	}
	t.Fatal("there is no second connection")
	return 0
}

// A capture that is being made is explained while it comes.
func TestLiveCapture(t *testing.T) {
	file, err := os.ReadFile("../../../../../capture/testdata/two.pcapng")
	if err != nil {
		t.Fatal(err)
	}
	in, feed := io.Pipe()
	out := &until{want: "full handshake in 1 round trip", seen: make(chan struct{})}
	cmd := New()
	cmd.SetIn(in)
	cmd.SetOut(out)
	cmd.SetErr(io.Discard)
	cmd.SetArgs([]string{"-", "--all", "--summary"})
	ended := make(chan error, 1)
	go func() { ended <- cmd.Execute() }()
	at := secondConnection(t, file)
	if _, err := feed.Write(file[:at]); err != nil {
		t.Fatal(err)
	}
	select {
	case <-out.seen:
	case <-time.After(20 * time.Second):
		t.Error("the first connection has ended, and is not explained")
	}
	feed.Write(file[at:])
	feed.Close()
	if err := <-ended; err != nil || strings.Count(out.String(), "all agree") != 2 {
		t.Errorf("%v\n%s", err, out.String())
	}
}
