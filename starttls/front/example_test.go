package front_test

import (
	"context"
	"log"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/starttls/front"
	"github.com/vitrine-tls/vitrine/tls"
)

func ExampleGreet() {
	config := &tls.Config{} // with a certificate
	serve := func(raw net.Conn) error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := front.Greet(ctx, "smtp", raw, front.Options{Name: "mail.example.com"}); err != nil {
			return err
		}
		conn := tls.Server(raw, config)
		if err := conn.HandshakeContext(ctx); err != nil {
			return err
		}
		dialled, err := net.Dial("tcp", "127.0.0.1:2525")
		if err != nil {
			return err
		}
		defer dialled.Close()
		backend, err := front.Join(ctx, "smtp", dialled)
		if err != nil {
			return err
		}
		log.Print("bytes go between ", conn.RemoteAddr(), " and ", backend.RemoteAddr())
		return nil
	}
	_ = serve
}

func ExampleNewFTP() {
	serve := func(ctx context.Context, raw net.Conn) error {
		if err := front.Greet(ctx, "ftp", raw, front.Options{}); err != nil {
			return err
		}
		ftp := front.NewFTP(front.FTPOptions{TLS: &tls.Config{}}) // with a certificate
		client := tls.Server(raw, ftp.Config())
		if err := client.HandshakeContext(ctx); err != nil {
			return err
		}
		dialled, err := net.Dial("tcp", "127.0.0.1:2121")
		if err != nil {
			return err
		}
		defer dialled.Close()
		server, err := front.Join(ctx, "ftp", dialled)
		if err != nil {
			return err
		}
		return ftp.Relay(ctx, client, server) // which does the data connections too
	}
	_ = serve
}
