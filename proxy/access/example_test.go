package access_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/proxy/access"
	"github.com/vitrine-tls/vitrine/tls"
)

func ExampleParse() {
	policy, err := access.Parse([]string{"uri:spiffe://example.org/team/*", `cel:"Ops" in ou && cidr("10.0.0.0/8").containsIP(peer)`})
	if err != nil {
		fmt.Println(err)
		return
	}
	// After the handshake: policy.Allow(conn.State(), conn.RemoteAddr()).
	_, err = policy.Allow(tls.State{Version: 0x304}, nil)
	fmt.Println(err)
	// Output: the client showed no certificate and has no pre-shared key; anonymous clients are refused where there are rules
}
