package httptls

import (
	"bufio"
	stdtls "crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
)

// oldServer speaks HTTP/1.0: the body ends with the stream, and no close_notify comes.
func oldServer(t *testing.T, body string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := serverConfig(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			c := tls.Server(raw, config)
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				io.WriteString(c, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"+body)
			}
			raw.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// A body that runs to the end of the stream fails where that end was not announced, and
// the error tells the switch; with it the body is whole, as with net/http.
func TestABodyThatRunsToTheEnd(t *testing.T) {
	const body = "all there is"
	url := "https://" + oldServer(t, body)
	strict, lenient := clientConfig(), clientConfig()
	lenient.Legacy.UnannouncedEnd = true
	for _, test := range []struct {
		name      string
		transport http.RoundTripper
		fails     bool
	}{
		{"strict", &Transport{TLS: strict}, true},
		{"with UnannouncedEnd", &Transport{TLS: lenient}, false},
		{"net/http", &http.Transport{TLSClientConfig: &stdtls.Config{RootCAs: testCA().Pool()}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer test.transport.(interface{ CloseIdleConnections() }).CloseIdleConnections()
			resp, err := (&http.Client{Transport: test.transport}).Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if string(got) != body || (err != nil) != test.fails {
				t.Errorf("%q, %v", got, err)
			}
			if test.fails && (!errors.Is(err, tls.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "Legacy.UnannouncedEnd")) {
				t.Errorf("the error does not tell the switch: %v", err)
			}
		})
	}
}
