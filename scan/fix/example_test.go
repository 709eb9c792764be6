package fix_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/scan/fix"
)

// How nginx is told which versions to speak.
func ExampleFor() {
	f, _ := fix.For("versions", "nginx")
	fmt.Println(f.Lines)
	fmt.Println(f.URL)
	// Output:
	// ssl_protocols TLSv1.2 TLSv1.3;
	// https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_protocols
}
