//go:build linux

package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strconv"
)

// The service behind every terminator answers "GET /N " by N bytes, and keeps the connection.

var zeros = make([]byte, 256<<10)

func startService() (net.Listener, int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, 0, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answer(c)
		}
	}()
	return l, l.Addr().(*net.TCPAddr).Port, nil
}

func answer(c net.Conn) {
	defer c.Close()
	var one [1]byte // a silent connection holds no buffer here
	if _, err := io.ReadFull(c, one[:]); err != nil {
		return
	}
	r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(one[:]), c), 4<<10)
	for {
		first, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		fields := bytes.Fields(first)
		if len(fields) < 2 {
			return
		}
		n, _ := strconv.Atoi(string(bytes.TrimPrefix(fields[1], []byte("/"))))
		for { // the rest of the head
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) <= 2 {
				break
			}
		}
		head := []byte("HTTP/1.1 200 OK\r\nContent-Length: " + strconv.Itoa(n) + "\r\n\r\n")
		if _, err := c.Write(append(head, zeros[:min(n, 1024)]...)); err != nil {
			return
		}
		for left := n - min(n, 1024); left > 0; {
			sent, err := c.Write(zeros[:min(left, len(zeros))])
			if err != nil {
				return
			}
			left -= sent
		}
	}
}
