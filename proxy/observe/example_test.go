package observe_test

import (
	"fmt"
	"io"
	"net/http/httptest"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/observe"
)

func ExampleObserver_Handler() {
	seen, err := observe.New(config.Admin{}, config.Log{}, config.Traces{}, io.Discard)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer seen.Close()
	seen.Configured(&config.Config{Targets: map[string]config.Target{"web": {Addresses: []string{"127.0.0.1:8080"}, Health: &config.Health{}}}})
	seen.SetReady(true)
	seen.Hooks().Health("web", "127.0.0.1:8080", false, nil)

	answer := httptest.NewRecorder()
	seen.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/readyz", nil))
	fmt.Print(answer.Code, " ", answer.Body)
	// Output:
	// 503 not ready:
	// - target "web": no address is up (127.0.0.1:8080)
}
