package httptls

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// socksProxy is a SOCKS5 proxy for the user jane, which counts tunnels, and returns
// its address. RFC 1928 §3 to §6, RFC 1929 §2.
func socksProxy(t *testing.T, tunnels *atomic.Int32) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			down, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer down.Close()
				addr, err := acceptSOCKS(down)
				if err != nil {
					return
				}
				up, err := net.Dial("tcp", addr)
				if err != nil {
					t.Error(err)
					return
				}
				defer up.Close()
				tunnels.Add(1)
				down.Write([]byte{5, 0, 0, 1, 127, 0, 0, 1, 0, 0})
				go io.Copy(up, down)
				io.Copy(down, up)
			}()
		}
	}()
	return l.Addr().String()
}

// acceptSOCKS asks for a name and returns where the client wants to go.
func acceptSOCKS(down net.Conn) (addr string, err error) {
	next := func(n int) []byte {
		b := make([]byte, n)
		if err == nil {
			_, err = io.ReadFull(down, b)
		}
		return b
	}
	if methods := next(int(next(2)[1])); !bytes.Contains(methods, []byte{2}) {
		down.Write([]byte{5, 0xFF})
		return "", errors.New("a client that has no name")
	}
	down.Write([]byte{5, 2})
	name := next(int(next(2)[1]))
	if password := next(int(next(1)[0])); string(name) != "jane" || string(password) != "secret" {
		down.Write([]byte{1, 1})
		return "", errors.New("a client that is not jane")
	}
	down.Write([]byte{1, 0})
	var host string
	switch kind := next(4)[3]; kind {
	case 1:
		host = net.IP(next(4)).String()
	case 3:
		host = string(next(int(next(1)[0])))
	default:
		return "", fmt.Errorf("an address of type %d", kind)
	}
	return net.JoinHostPort(host, fmt.Sprint(binary.BigEndian.Uint16(next(2)))), err
}

// A SOCKS5 proxy that does not answer, or is none, is an error that names it.
func TestSOCKSProxiesThatFail(t *testing.T) {
	for words, want := range map[string]string{
		"silence":                          "the proxy's answer took longer than 100ms",
		"HTTP/1.1 400 Bad Request\r\n\r\n": "unexpected protocol version",
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if words != "silence" {
				io.WriteString(conn, words)
			}
			io.Copy(io.Discard, conn)
		}()
		via := &url.URL{Scheme: "socks5", Host: l.Addr().String()}
		transport := &Transport{HTTP: &http.Transport{Proxy: http.ProxyURL(via)}, proxyTimeout: 100 * time.Millisecond}
		_, err = (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("https://example.test/")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), via.Host) {
			t.Errorf("%q: %v", words, err)
		}
	}
}
