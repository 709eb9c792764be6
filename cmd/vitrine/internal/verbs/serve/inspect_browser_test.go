package serve

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/browser"
)

// A browser that asks for the account of its connection is shown its own: the suite and the
// fingerprint are those of a browser, and the page computes every secret again.
func TestInspectInABrowser(t *testing.T) {
	at, _, _, _ := inspecting(t)
	x := browser.Start(t).Open(t)
	x.TrustAll()
	x.Go("https://" + at + inspectPath)
	x.Wait("document.documentElement.dataset.recomputed === 'true'")
	said := browser.Eval[string](x, "document.body.innerText")
	for _, want := range []string{"TLS 1.3", "JA4", "t13i", "h2"} {
		if !strings.Contains(said, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := browser.Eval[int](x, "document.querySelectorAll('[id^=c1-s] > summary .badge.agrees').length"); n == 0 {
		t.Error("the browser has computed no secret")
	}
	x.Accessible("the account of the browser's own connection")
}
