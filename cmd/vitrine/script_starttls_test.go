package main

import (
	"bufio"
	"io"
	"net"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vitrine-tls/vitrine/tls"
)

// clearTalk is what a server says before TLS, to each line that it hears; the first is
// what it says unasked.
var clearTalk = map[string][]string{
	"smtp":    {"220 mail ready\r\n", "250-mail\r\n250 STARTTLS\r\n", "220 go\r\n"},
	"imap":    {"* OK ready\r\n", "* CAPABILITY IMAP4rev1 STARTTLS\r\nv1 OK done\r\n", "v2 OK go\r\n"},
	"refuses": {"220 mail ready\r\n", "250-mail\r\n250 STARTTLS\r\n", "454 TLS is not available\r\n"},
	"silent":  {"220 mail ready\r\n", "250 SIZE 1000\r\n"},
	"injects": {"220 mail ready\r\n", "250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"},
}

// cmdClearServer starts a server, with the certificate server.pem, that begins in the clear
// and turns to TLS; it then echoes.
func cmdClearServer(ts *testscript.TestScript, _ bool, args []string) {
	cert, err := tls.LoadX509KeyPair(ts.MkAbs("server.pem"), ts.MkAbs("server.pem"))
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	ts.Setenv("ADDR", net.JoinHostPort("localhost", port))
	ts.Setenv("PORT", port)
	talk := clearTalk[args[0]]
	go func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			go turn(raw, talk, &tls.Config{Certificates: []tls.Certificate{cert}})
		}
	}()
}

func turn(raw net.Conn, talk []string, config *tls.Config) {
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReaderSize(raw, 16) // so that it holds nothing of TLS
	for i, says := range talk {
		if i > 0 {
			if _, err := in.ReadString('\n'); err != nil {
				return
			}
		}
		if _, err := io.WriteString(raw, says); err != nil {
			return
		}
	}
	conn := tls.Server(raw, config)
	io.Copy(conn, conn)
	conn.Close()
}

// cmdTunnel starts an HTTP proxy that connects to any port of this machine, and sets PROXY.
func cmdTunnel(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv("PROXY", l.Addr().String())
	go func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer raw.Close()
				raw.SetDeadline(time.Now().Add(20 * time.Second))
				in := bufio.NewReader(raw)
				line, _ := in.ReadString('\n')
				for header := "x"; strings.TrimSpace(header) != ""; {
					if header, err = in.ReadString('\n'); err != nil {
						return
					}
				}
				words := strings.Fields(line)
				if len(words) < 2 || words[0] != "CONNECT" || !strings.HasPrefix(words[1], "localhost:") {
					io.WriteString(raw, "HTTP/1.1 403 Forbidden\r\n\r\n")
					return
				}
				to, err := net.Dial("tcp", words[1])
				if err != nil {
					io.WriteString(raw, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
					return
				}
				defer to.Close()
				io.WriteString(raw, "HTTP/1.1 200 Connection established\r\n\r\n")
				go io.Copy(to, in)
				io.Copy(raw, to)
			}()
		}
	}()
}
