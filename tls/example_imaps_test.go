package tls_test

import (
	"crypto/x509"
	"fmt"
	"net/http/httptest"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"github.com/vitrine-tls/vitrine/tls"
)

// A mailbox over TLS from the first byte on (IMAPS, port 993. RFC 8314 §3.2): both sides of
// github.com/emersion/go-imap on this package.
func Example_imaps() {
	site := httptest.NewTLSServer(nil) // its certificate, for example.com, stands for yours
	defer site.Close()
	cert, roots := site.TLS.Certificates[0], x509.NewCertPool()
	roots.AddCert(site.Certificate())
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		fmt.Println(err)
		return
	}
	users, me := imapmemserver.New(), imapmemserver.NewUser("me", "secret")
	me.Create("INBOX", nil)
	users.AddUser(me)
	server := imapserver.New(&imapserver.Options{
		// It takes a password under TLS alone, and knows crypto/tls's connections. Ours are all TLS.
		InsecureAuth: true,
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return users.NewSession(), nil, nil
		},
	})
	defer server.Close()
	go server.Serve(listener)

	conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{ServerName: "example.com", RootCAs: roots})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := imapclient.New(conn, nil)
	defer client.Close()
	if err := client.Login("me", "secret").Wait(); err != nil {
		fmt.Println(err)
		return
	}
	inbox, err := client.Select("INBOX", nil).Wait()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(inbox.NumMessages, "messages")
	// Output:
	// 0 messages
}
