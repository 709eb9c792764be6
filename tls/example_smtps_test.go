package tls_test

import (
	"crypto/x509"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/vitrine-tls/vitrine/tls"
)

// letterBox is what a server of go-smtp does with mail: it prints it.
type letterBox struct{}

func (letterBox) Reset()                                      {}
func (letterBox) Logout() error                               { return nil }
func (letterBox) Mail(from string, _ *smtp.MailOptions) error { return nil }
func (letterBox) Rcpt(to string, _ *smtp.RcptOptions) error   { fmt.Println("for", to); return nil }
func (letterBox) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	fmt.Printf("%q\n", text)
	return err
}

// Mail over TLS from the first byte on (SMTPS, port 465. RFC 8314 §3.3): both sides of
// github.com/emersion/go-smtp on this package. For STARTTLS see package starttls.
func Example_smtps() {
	site := httptest.NewTLSServer(nil) // its certificate, for example.com, stands for yours
	defer site.Close()
	cert, roots := site.TLS.Certificates[0], x509.NewCertPool()
	roots.AddCert(site.Certificate())
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return letterBox{}, nil }))
	defer server.Close()
	go server.Serve(listener)

	conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{ServerName: "example.com", RootCAs: roots})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := smtp.NewClient(conn)
	defer client.Close()
	if err := client.SendMail("me@example.com", []string{"you@example.com"}, strings.NewReader("Subject: hello\r\n\r\nfrom me\r\n")); err != nil {
		fmt.Println(err)
	}
	// Output:
	// for you@example.com
	// "Subject: hello\r\n\r\nfrom me\r\n"
}
