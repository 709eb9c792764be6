package starttls_test

import (
	"context"
	std "crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/vitrine-tls/vitrine/starttls"
	"github.com/vitrine-tls/vitrine/tls"
)

// greeted is a connection in front of which stands a greeting. FTP's own comes before TLS.
type greeted struct {
	*tls.Conn
	greeting *strings.Reader
}

func (g *greeted) Read(b []byte) (int, error) {
	if g.greeting.Len() > 0 {
		return g.greeting.Read(b)
	}
	return g.Conn.Read(b)
}

// Files by FTP with TLS (explicit FTPS, RFC 4217) and github.com/jlaffaye/ftp. That package leaves TLS to a
// function that dials, on data connections too. They resume the session of the control connection, as
// most servers want: one session cache serves all.
func ExampleUpgrade_ftp() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	own := &tls.Config{ServerName: "ftp.example.com", ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	control := true
	dial := func(network, address string) (net.Conn, error) {
		raw, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if !control {
			return tls.Client(raw, own), nil // the server begins once it knows what to send
		}
		control = false
		if err := starttls.Upgrade(ctx, raw, "ftp", starttls.Options{}); err != nil {
			raw.Close()
			return nil, err
		}
		// For implicit FTPS (port 990) leave out Upgrade and the greeting: the server greets under TLS.
		return &greeted{Conn: tls.Client(raw, own), greeting: strings.NewReader("220 TLS is on\r\n")}, nil
	}
	// With a crypto/tls.Config it says PBSZ and PROT. The Config itself is not used.
	client, err := ftp.Dial("ftp.example.com:21", ftp.DialWithTLS(new(std.Config)), ftp.DialWithDialFunc(dial))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Quit()
	if err := client.Login("anonymous", "me@example.com"); err != nil {
		log.Fatal(err)
	}
	file, err := client.Retr("README")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	fmt.Printf("%s %v\n", text, err)
}
