package front

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// scriptedFTP is a server that answers PASV with an answer of its own, and all else with 200.
// ready, if not nil, is waited for before that answer.
func scriptedFTP(t *testing.T, pasv string, ready <-chan struct{}) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "220 ready\r\n")
		for in := bufio.NewScanner(conn); in.Scan(); {
			if in.Text() != "PASV" {
				io.WriteString(conn, "200 fine\r\n")
				continue
			}
			if ready != nil {
				<-ready
			}
			io.WriteString(conn, pasv)
		}
	}()
	return l.Addr().String()
}

// An answer of several lines does not tell the client where the server is.
func TestFTPPassiveInSeveralLines(t *testing.T) {
	backend := scriptedFTP(t, "227-Passive (10,1,2,3,4,5)\r\n227 Entering Passive Mode (10,1,2,3,4,5)\r\n", nil)
	d := talkFTP(t, startFTP(t, backend, FTPOptions{}), &tls.Config{})
	d.ask("PBSZ 0", "200")
	d.ask("PROT P", "200")
	if answer := d.ask("PASV", "227"); strings.Contains(answer, "10,1,2,3") || !strings.Contains(answer, "(127,0,0,1,") {
		t.Errorf("%q", answer)
	}
	d.ask("NOOP", "200 fine")
}

// A data connection of before PROT is not there after it.
func TestFTPLevelChanges(t *testing.T) {
	const pasv = "227 Entering Passive Mode (127,0,0,1,4,5)\r\n"
	d := talkFTP(t, startFTP(t, scriptedFTP(t, pasv, nil), FTPOptions{ClearData: true}), &tls.Config{})
	d.ask("PBSZ 0", "200")
	port := portOfPASV(d.ask("PASV", "227"))
	d.ask("PROT P", "200")
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)) // not to connect, which would use it up
		if err == nil {
			l.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal("data would still go in the clear")
		}
	}

	// PROT comes before the answer to PASV does
	ready := make(chan struct{})
	d = talkFTP(t, startFTP(t, scriptedFTP(t, pasv, ready), FTPOptions{ClearData: true}), &tls.Config{})
	d.ask("PBSZ 0", "200")
	io.WriteString(d.conn, "PASV\r\nPROT P\r\n")
	time.AfterFunc(300*time.Millisecond, func() { close(ready) })
	d.ask("", "425")
	d.ask("", "200")
	d.ask("PASV", "227")
}
