package capture_test

import (
	"fmt"
	"os"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/trace"
)

func Example() {
	file, err := os.Open("testdata/two.pcapng")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	var collector explain.Collector // of the first connection
	totals, err := capture.Read(file, capture.Options{
		Trace: func(c *capture.Connection, now func() time.Time) *trace.Hooks {
			if c.Number != 1 {
				return nil
			}
			collector.Now = now
			return collector.Hooks()
		},
		Found: func(c *capture.Connection) error {
			fmt.Printf("%d %v %s %v: %s\n", c.Number, c.Server, c.Name, c.Version, c.Outcome)
			fmt.Printf("  JA4 %s, readable: %t\n", c.JA4, c.Readable)
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d packets, %d connections\n", totals.Packets, totals.TLS)
	account := collector.Connection(explain.About{})
	fmt.Println(account.Summary.Version, account.Summary.CipherSuite)
	// Output:
	// 1 198.51.100.7:443 localhost TLS 1.3: complete
	//   JA4 t13d030800_55b375c5d22e_978fd5f06872, readable: true
	// 2 198.51.100.7:443 localhost TLS 1.2: complete
	//   JA4 t12d060800_39a52dd9ae43_d5f38fe5ab8c, readable: true
	// 38 packets, 2 connections
	// TLS 1.3 TLS_AES_128_GCM_SHA256
}
