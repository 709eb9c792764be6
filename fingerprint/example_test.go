package fingerprint_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/fingerprint"
	"github.com/vitrine-tls/vitrine/wire"
)

func Example() {
	raw := wire.AppendMessage(nil, chrome143.hello(), wire.Context{}) // as it was captured
	hello, err := fingerprint.Hello(raw)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fingerprint.JA4(hello))
	fmt.Println(fingerprint.JA3(hello))
	// Output:
	// t13d1516h2_8daaf6152771_d8a2da3f94cd
	// 98487aa16281980e7d1120d399efb6a4
}
