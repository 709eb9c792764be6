package starttls_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/starttls"
	"github.com/vitrine-tls/vitrine/tls"
)

func ExampleUpgrade() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", "mail.example.com:587")
	if err != nil {
		log.Fatal(err)
	}
	defer raw.Close()
	if err := starttls.Upgrade(ctx, raw, "smtp", starttls.Options{}); err != nil {
		log.Fatal(err)
	}
	conn := tls.Client(raw, &tls.Config{ServerName: "mail.example.com"})
	if err := conn.HandshakeContext(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(tls.VersionName(conn.ConnectionState().Version))
}
