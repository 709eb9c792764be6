package scan_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/vitrine-tls/vitrine/scan"
)

// Is a server all right, what does it speak, what is to be done first, and what proves it?
func ExampleProber_Scan() {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS11, MaxVersion: tls.VersionTLS12,
		CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that a scan breaks off
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())

	at := scan.Target{Address: server.Listener.Addr().String(), Name: "example.com"}
	report, err := new(scan.Prober).Scan(context.Background(), at, scan.Options{Roots: roots, ConfigurationOnly: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Verdict())
	for _, v := range report.Versions {
		if v.Offered {
			fmt.Println(v.Version, v.Suites[0].Name)
		}
	}
	for _, f := range report.Findings {
		if answer := report.Answer(f.ID); answer != nil && f.ID == "tls11" {
			fmt.Println(f.Title+":", f.Do)
			fmt.Println("It picked", answer.Version, "with", answer.Suite)
		}
	}
	// Output:
	// It could be better: 2 low.
	// TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	// TLS 1.1 TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA
	// The server speaks TLS 1.1: Allow TLS 1.2 and TLS 1.3 alone.
	// It picked TLS 1.1 with TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA
}
