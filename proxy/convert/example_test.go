package convert_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/proxy/convert"
)

func ExampleStunnel() {
	r, err := convert.Stunnel([]byte("cert = both.pem\n[web]\naccept = 443\nconnect = 8080\nTIMEOUTclose = 0\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Config.Listeners[0].Listen, r.Config.Targets["web"].Addresses)
	fmt.Println(r.Notes[0])
	// Output:
	// [:443] [localhost:8080]
	// 5: "TIMEOUTclose = 0" has no equivalent; process.grace bounds the end
}
