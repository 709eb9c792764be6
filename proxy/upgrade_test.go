package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// What a client sends together with a request for another protocol reaches the service.
func TestUpgradeWithDataBehindIt(t *testing.T) {
	target := backend(t, nil, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		if _, err := http.ReadRequest(in); err != nil {
			t.Error(err)
			return
		}
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		some := make([]byte, 5)
		io.ReadFull(in, some)
		conn.Write(some)
	})
	_, address := begin(t, at(config.Listener{Mode: config.ModeHTTP, TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{target}}))
	client := dial(t, address, onePKI().client("front.test"))
	io.WriteString(client, "GET / HTTP/1.1\r\nHost: front.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly")
	in := bufio.NewReader(client)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%v, %v", resp, err)
	}
	some := make([]byte, 5)
	if _, err := io.ReadFull(in, some); string(some) != "early" {
		t.Errorf("%q, %v", some, err)
	}
}
