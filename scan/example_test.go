package scan_test

import (
	"context"
	"fmt"

	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/wire"
)

// Which of the versions does a server speak, and with which suite of all that there are?
func ExampleProber_Do() {
	p := &scan.Prober{}
	for _, v := range []wire.Version{wire.TLS13, wire.TLS12, wire.TLS11, wire.TLS10, wire.SSL30} {
		answer, err := p.Do(context.Background(), scan.Target{Address: "example.com:443"}, scan.Probe{Hello: scan.Offer(v)})
		switch {
		case err != nil:
			return
		case answer.Version == v:
			fmt.Println(v, answer.Suite)
		default:
			fmt.Println(v, answer.End)
		}
	}
}
